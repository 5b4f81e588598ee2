import { plainText } from './plain-text.ts';

/** A piece of a pattern: words that all its lines have, or a place where they differ. */
export interface PatternPart {
  text: string;
  varies: boolean;
}

/** What an agent puts where lines of a kind differ: `<num>`, `<path>`, `<*>`. */
const PLACE = /(<(?:\*|[a-z_]{1,20})>)/;

/** A pattern as it can be shown, in pieces. */
export const patternParts = (pattern: string): PatternPart[] =>
  plainText(pattern)
    .split(PLACE)
    .map((text, index) => ({ text, varies: index % 2 === 1 }))
    .filter(({ text }) => text !== '');

/** Lines in each step as they are drawn. A step that has only begun is no fall: it counts from when it holds as many as the one before. */
export function drawnSteps(lines: readonly number[], isLive: boolean): readonly number[] {
  const [before = 0, last = 0] = lines.slice(-2);
  return isLive && lines.length > 1 && last < before ? lines.slice(0, -1) : lines;
}
