import type { LogLevelNumber, LogPattern } from '../../../ports/logstore.ts';

interface Gathered {
  counts: [number, number, number, number, number, number];
  firstMs: number;
  lastMs: number;
  steps: Map<number, number>;
  example: string;
}

/** Patterns that are told; those with fewest lines are left out. */
const MOST = 10_000;

const total = ({ counts }: Pick<LogPattern, 'counts'>): number => counts.reduce((sum, count) => sum + count, 0);

/** Puts rows of pieces of a range together: template ('' none), level, step, lines, first and last time, an example. */
export function createGathering() {
  const found = new Map<string, Gathered>();
  return {
    add([template, level, step, count, firstMs, lastMs, example]: readonly unknown[]): void {
      const key = String(template);
      const known: Gathered = found.get(key) ?? {
        counts: [0, 0, 0, 0, 0, 0],
        firstMs: Infinity,
        lastMs: -Infinity,
        steps: new Map(),
        example: '',
      };
      found.set(key, known);
      const { counts, steps } = known;
      counts[Number(level) as LogLevelNumber] += Number(count);
      steps.set(Number(step), (steps.get(Number(step)) ?? 0) + Number(count));
      if (Number(lastMs) > known.lastMs) [known.lastMs, known.example] = [Number(lastMs), String(example)];
      known.firstMs = Math.min(known.firstMs, Number(firstMs));
    },
    patterns: (): LogPattern[] =>
      [...found]
        .map(([template, { steps, ...one }]) => ({
          ...one,
          template: template === '' ? undefined : template,
          steps: [...steps].map(([timeMs, count]) => ({ timeMs, count })).sort((a, b) => a.timeMs - b.timeMs),
        }))
        .sort((a, b) => total(b) - total(a) || ((a.template ?? '') < (b.template ?? '') ? -1 : 1))
        .slice(0, MOST),
  };
}
