export { DEFAULT_LINES, dropRules, lineSettings, LineSettings, redactSettings } from './config.ts';
export { encodingOfMark, isWide, MARK_BYTES, type TextEncoding } from './encodings.ts';
export {
  createLineCounts,
  createLines,
  type EncodedEvents,
  type LineCounts,
  type Lines,
  type TailedLines,
} from './lines.ts';
export { createSourceOf } from './source-of.ts';
export type { LineAttributes, SourceEvent } from './event.ts';
export { LEVEL_NAMES, nameOfLevel } from './drop.ts';
export { levelOfSeverity } from './facts/levels.ts';
export type { LineEntry } from './source.ts';
export { settingsByPath } from './settings-by-path.ts';
export { isZone } from './facts/index.ts';
