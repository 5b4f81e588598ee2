import type { LogLevelNumber, LogPattern } from '../../ports/logstore.ts';
import type { KeptTemplate } from './template-store.ts';

/** A kind of line in a range, with those that it took in. */
export interface Pattern {
  /** Undefined: lines of no kind. */
  template: string | undefined;
  text: string;
  count: number;
  /** Share of all lines that were counted. */
  share: number;
  /** The level of most of its lines, the higher one of equals. */
  level: LogLevelNumber;
  /** When its first line ever was written, as far as is known, and its last one. */
  firstMs: number;
  lastMs: number;
  /** Lines in each step of the range, oldest first. */
  sparkline: number[];
  example: string;
  /** Ids that count as this one. */
  merged: string[];
}

/** A range in equal steps, milliseconds. */
export interface Steps {
  from: number;
  to: number;
  step: number;
}

/** Steps of a sparkline. */
const MOST_STEPS = 60;

/** Steps for a range: at most 60, of whole seconds, beginning at a multiple of their length. */
export function stepsOf(from: number, to: number): Steps {
  // One fewer: a range that begins within a step has a part of one more.
  const step = Math.max(1000, Math.ceil((to - from) / (MOST_STEPS - 1) / 1000) * 1000);
  return { from: Math.floor(from / step) * step, to, step };
}

function levelOf(counts: LogPattern['counts']): LogLevelNumber {
  return counts.reduce(
    (best, count, level) => (count >= (counts[best] ?? 0) && count > 0 ? level : best),
    0,
  ) as LogLevelNumber;
}

/** Puts together what the store counted and what is known of templates; those that were merged count as the one that took them in. */
export function patternsOf(
  found: readonly LogPattern[],
  { head, templates }: { head(id: string): string; templates: ReadonlyMap<string, KeptTemplate> },
  { from, to, step }: Steps,
): Pattern[] {
  const groups = new Map<string | undefined, LogPattern[]>();
  for (const one of found) {
    const key = one.template === undefined ? undefined : head(one.template);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const places = Math.max(1, Math.ceil((to - from) / step));
  const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
  const total = sum(found.map(({ counts }) => sum(counts)));
  return [...groups].map(([template, parts]): Pattern => {
    const sparkline = Array.from({ length: places }, () => 0);
    const counts: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];
    for (const part of parts) {
      for (const [level, count] of part.counts.entries()) counts[level as LogLevelNumber] += count;
      for (const { timeMs, count } of part.steps) {
        const place = Math.min(places - 1, Math.max(0, Math.floor((timeMs - from) / step)));
        sparkline[place] = (sparkline[place] ?? 0) + count;
      }
    }
    const newest = parts.reduce((one, other) => (other.lastMs > one.lastMs ? other : one));
    const ids = [
      ...new Set([...(template === undefined ? [] : [template]), ...parts.flatMap((part) => part.template ?? [])]),
    ];
    const kept = ids.flatMap((id) => templates.get(id) ?? []);
    return {
      template,
      text: (template === undefined ? undefined : templates.get(template)?.text) ?? '',
      count: sum(counts),
      share: total === 0 ? 0 : sum(counts) / total,
      level: levelOf(counts),
      firstMs: Math.min(...parts.map(({ firstMs }) => firstMs), ...kept.map(({ firstMs }) => firstMs)),
      lastMs: Math.max(...parts.map(({ lastMs }) => lastMs), ...kept.map(({ lastMs }) => lastMs)),
      sparkline,
      example: newest.example,
      merged: ids.filter((id) => id !== template),
    };
  });
}

/** Orders of patterns: most lines first, or those that began last. Lines of no kind are no news. */
export const ORDERS = {
  count: (a: Pattern, b: Pattern): number => b.count - a.count || (a.text < b.text ? -1 : 1),
  newest: (a: Pattern, b: Pattern): number =>
    Number(a.template === undefined) - Number(b.template === undefined) || b.firstMs - a.firstMs || b.count - a.count,
} satisfies Record<string, (a: Pattern, b: Pattern) => number>;
