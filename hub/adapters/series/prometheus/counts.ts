import type { PointServer } from '../points/tiered-store.ts';
import { RESOLUTIONS, type Resolution } from '../points/tiers.ts';
import { AHEAD_MS, floor, samplesOf, timeOf, type Access } from './access.ts';

const [RAW] = RESOLUTIONS;
const [SECOND_MS, MINUTE_MS] = [1000, 60_000];

/** Makes the counting of samples, of all organisations together. */
export function createCount(access: Access): PointServer['count'] {
  /** Counts of the steps of a range, ascending, where there is something. */
  const counts = async (tier: Resolution, from: number, to: number, step: number): Promise<[number, number][]> => {
    const samples = `sum(count_over_time(${access.select(access.metricOf(tier), {})}[${Math.max(1, step - access.closed)}ms]))`;
    const rows = `sum(last_over_time(${access.select(access.metricOf(tier), { stat: 'n' })}[${step}ms]))`;
    const [query, early] = tier === RAW ? [samples, 1] : [rows, 0];
    const found = await access.inSteps(query, from + step - early, Math.ceil(to / step) * step - early, step);
    return found.flatMap(samplesOf).map(([time, value]) => [timeOf(time) - step + early, Number(value)]);
  };
  const firstOf = (found: readonly [number, number][]): number | undefined => found.find(([, count]) => count > 0)?.[0];
  return async (tier, from, to) => {
    await access.settling?.all();
    const step = tier === RAW ? MINUTE_MS : tier.bucketMs;
    const end = Math.min(to, access.clock.now() + AHEAD_MS);
    const found = await counts(tier, floor(access.oldest(from), step), end, step);
    const samples = found.reduce((sum, [, count]) => sum + count, 0);
    const minute = firstOf(found);
    if (tier !== RAW || minute === undefined) return { samples, oldestMs: minute };
    const second = firstOf(await counts(tier, minute, minute + MINUTE_MS, SECOND_MS)) ?? minute;
    return { samples, oldestMs: firstOf(await counts(tier, second, second + SECOND_MS, 1)) ?? second };
  };
}
