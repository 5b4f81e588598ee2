import type { LogFilter } from '../../../ports/logstore.ts';
import { literal } from '../../duckdb/database.ts';

/** Text in lower case as a literal. A NUL byte cannot stand in a query; no stored line holds one either. */
function folded(text: string): string {
  return literal(text.toLowerCase().replaceAll('\0', '\u{fffd}'));
}

/** What rows must be, without their time. Literal substrings: no character of a searched text means anything. */
export function conditionOf(filter: LogFilter, sources: readonly number[] | undefined): string {
  const parts: string[] = [];
  if (sources !== undefined) parts.push(`src IN (${sources.join(', ')})`);
  if (filter.levels !== undefined && filter.levels.length > 0) parts.push(`level IN (${filter.levels.join(', ')})`);
  if (filter.text !== undefined && filter.text !== '') parts.push(`contains(lower(text), ${folded(filter.text)})`);
  for (const text of filter.without ?? []) if (text !== '') parts.push(`NOT contains(lower(text), ${folded(text)})`);
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

/** A range of time. */
export interface Span {
  from: number;
  to: number;
}

/**
 * A range cut into pieces from its end to its beginning, each four times as long as the one before: the newest lines are found in the
 * first small pieces, and a range without a match costs few queries.
 */
export function spansBackward({ from, to }: Span, firstMs = 60_000): Span[] {
  const spans: Span[] = [];
  let end = to;
  for (let length = firstMs; end > from; length *= 4) {
    const start = Math.max(from, end - length);
    spans.push({ from: start, to: end });
    end = start;
  }
  return spans;
}
