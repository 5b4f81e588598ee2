import type { SeriesRetention } from '../../../ports/series.ts';

/** A resolution in which samples are kept. */
export interface Resolution {
  /** Milliseconds a row stands for; 0 for samples as they came. */
  bucketMs: number;
  /** Days that its rows are kept. */
  days(retention: SeriesRetention): number;
}

/** The resolutions that every store with tiers keeps, finest first. */
export const RESOLUTIONS = [
  { bucketMs: 0, days: ({ raw }: SeriesRetention) => raw },
  { bucketMs: 10_000, days: ({ tenSeconds }: SeriesRetention) => tenSeconds },
  { bucketMs: 60_000, days: ({ minute }: SeriesRetention) => minute },
  { bucketMs: 3_600_000, days: ({ hour }: SeriesRetention) => hour },
] as const satisfies readonly Resolution[];

/** The tier that answers a query most cheaply: the coarsest whose buckets add up to the step; a coarser one where only that still reaches back far enough. Finest first. */
export function tierFor<Tier extends Resolution>(
  tiers: readonly Tier[],
  step: number,
  from: number,
  beginsMs: (tier: Tier) => number,
): Tier {
  const fine = tiers.filter(({ bucketMs }) => bucketMs === 0 || step % bucketMs === 0).at(-1) as Tier;
  const coarser = tiers.slice(tiers.indexOf(fine));
  return coarser.find((tier) => beginsMs(tier) <= from) ?? (tiers.at(-1) as Tier);
}

/** Part of a range and the tier that answers for it. */
export interface TierPart<Tier> {
  tier: Tier;
  from: number;
  to: number;
}

/** Splits a range where coarser tiers are not gathered yet: `coarsest` up to its last whole bucket before `gatheredMs`, then the finer ones, raw at last. */
export function tierParts<Tier extends Resolution>(
  tiers: readonly Tier[],
  coarsest: Tier,
  range: { from: number; to: number; gatheredMs: number },
): TierPart<Tier>[] {
  let from = range.from;
  const parts: TierPart<Tier>[] = [];
  for (const tier of tiers.slice(0, tiers.indexOf(coarsest) + 1).reverse()) {
    const whole = Math.floor(range.gatheredMs / (tier.bucketMs || 1)) * tier.bucketMs;
    const to = tier.bucketMs === 0 ? range.to : Math.min(range.to, whole);
    if (to <= from) continue;
    parts.push({ tier, from, to });
    from = to;
  }
  return parts;
}
