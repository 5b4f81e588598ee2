export {
  isOfFile,
  sourceOf,
  type BatchBody,
  type BatchKey,
  type Checkpoint,
  type FileCheckpoint,
  type Lane,
  type Packing,
} from './records.ts';
export { readPlaces } from './recover.ts';
export type { Amount } from './ledger.ts';
export type { SpoolLoss } from './losses.ts';
export type { SpooledBatch, SpoolReader } from './reader.ts';
export { openSpool, type Spool } from './spool.ts';
export type { SpoolEntry } from './writer.ts';
export { inspectSpool, type InspectedLane, type Inspection } from './inspect.ts';
export { askForReplay, listQuarantine, quarantineOf } from './quarantine.ts';
export { createReplays } from './replays.ts';
