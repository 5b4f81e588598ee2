import { metricInfo } from '#proto/metrics.ts';
import type { StepBuffer } from '../../chart/buffer.ts';
import type { LiveEvents, LiveSeries } from '../../live/stream.ts';
import type { Pick } from './charts.ts';
import { lineKey } from './lines.ts';

interface Target {
  key: string;
  merge: 'sum' | 'avg' | 'max';
}

interface Gathered extends Target {
  value: number;
  count: number;
}

/** Which lines each series of the stream belongs to, by its index. */
export function targetsOf(series: readonly LiveSeries[], picks: readonly Pick[]): Map<number, readonly Target[]> {
  const targets = new Map<number, readonly Target[]>();
  for (const one of series) {
    const keys = new Set(picks.flatMap((pick) => lineKey(pick, one) ?? []));
    const merge = metricInfo(one.name)?.merge ?? 'avg';
    if (keys.size > 0)
      targets.set(
        one.index,
        [...keys].map((key) => ({ key, merge })),
      );
  }
  return targets;
}

/** Brings a sample's values into the lines; series that are one line are merged as the hub's history merges them. */
export function feed(
  buffer: StepBuffer,
  targets: ReadonlyMap<number, readonly Target[]>,
  { timeMs, values }: LiveEvents['sample'],
): void {
  const gathered = new Map<string, Gathered>();
  for (const [index, value] of values) {
    for (const { key, merge } of targets.get(index) ?? []) {
      const there = gathered.get(key);
      if (there === undefined) gathered.set(key, { key, merge, value, count: 1 });
      else {
        there.value = merge === 'max' ? Math.max(there.value, value) : there.value + value;
        there.count += 1;
      }
    }
  }
  for (const { key, merge, value, count } of gathered.values())
    buffer.add(key, timeMs, merge === 'avg' ? value / count : value);
}

/** The lines that were highest on average in a window, highest first. */
export function highest(
  buffer: StepBuffer,
  keys: readonly string[],
  window: { from: number; to: number; most: number },
): string[] {
  const { lines } = buffer.read(keys, window.from, window.to);
  const weights = lines.map(({ avg }) => avg.reduce<number>((sum, value) => sum + (value ?? 0), 0));
  return keys
    .map((key, index) => ({ key, weight: weights[index] ?? 0 }))
    .sort((a, b) => b.weight - a.weight || a.key.localeCompare(b.key))
    .slice(0, window.most)
    .map(({ key }) => key);
}
