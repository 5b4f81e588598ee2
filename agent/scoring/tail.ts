/** Numbers that one tail takes of a metric's state. */
export const TAIL_SIZE = 3;

/** How a tail learns and what it claims beyond its threshold. */
export interface TailSettings {
  /** Share of the statistic's own past that lies above the threshold. */
  share: number;
  /** Samples after which the past is forgotten (exponentially). */
  memory: number;
  /** Mean excess of ln(z) above the threshold before anything was seen. */
  firstExcess: number;
  /** Samples that count as seen before the first one; they steady the start. */
  head: number;
  /** Excesses that count as seen before the first one. */
  prior: number;
  /** Least mean excess: below it a thin tail would claim certainty that no past can give. */
  leastExcess: number;
  /** An excess teaches at most this many mean excesses, so that an outlier does not make the next one normal. */
  cap: number;
  /** Samples before the tail says anything. */
  warmUp: number;
  /** Most surprise that one channel may claim, in nats. */
  most: number;
}

/**
 * Surprise in nats (−ln p) of a statistic under the upper tail of its own past, which then learns it. The statistic is given as a multiple of
 * what nobody would call a change: all that is not above 1 is silence, equally likely, and never surprising.
 * Peaks over threshold on ln(z) (Hill's estimator of a Pareto tail): state[at] is ln of the threshold, state[at + 1] the mean excess,
 * state[at + 2] the samples seen. 0 for all that lies under the threshold.
 */
export function surpriseOf(state: Float64Array, at: number, z: number, settings: TailSettings): number {
  const { share, memory } = settings;
  const seen = state[at + 2]!;
  const l = z > 1 ? Math.log(z) : 0;
  state[at + 2] = seen + 1;
  if (seen === 0) {
    state[at] = l;
    state[at + 1] = settings.firstExcess;
    return 0;
  }
  const threshold = state[at]!;
  const mean = state[at + 1]!;
  const excess = l - threshold;
  const above = excess > 0;
  const scale = mean > settings.leastExcess ? mean : settings.leastExcess;
  if (above) {
    const taught = Math.min(excess, settings.cap * mean);
    state[at + 1] = mean + (taught - mean) / Math.min(settings.prior + seen * share, memory * share);
  }
  // Robbins–Monro on the quantile; its density there is share / scale.
  const step = scale / (share * Math.min(seen + settings.head, memory));
  const moved = seen < 10 ? Math.max(threshold, l) : threshold + step * ((above ? 1 : 0) - share);
  state[at] = moved > 0 ? moved : 0;
  if (!above || seen < settings.warmUp) return 0;
  return Math.min(settings.most, excess / scale - Math.log(share));
}
