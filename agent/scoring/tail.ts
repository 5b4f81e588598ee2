/** Numbers that one tail takes of a metric's state. */
export const TAIL_SIZE = 3;

/** Statistics of one sample and, once asked, the surprise of each. */
export interface Tails {
  z: Float64Array;
  nats: Float64Array;
}

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
 * Surprise in nats (−ln p) of statistics, each under the upper tail of its own past, which then learns it: peaks over threshold on ln(z), with
 * Hill's estimator of a Pareto tail. A statistic is given as a multiple of what nobody would call a change: all that is not above 1 is
 * silence and never surprising; a negative one was not there. Each tail has three numbers of `state` from `at` on: ln of the
 * threshold, mean excess, samples seen. `nats` is filled; below its threshold a statistic has 0.
 * One loop over arrays, because a call for each would put its numbers on the heap.
 */
export function surprisesOf(state: Float64Array, at: number, { z, nats }: Tails, settings: TailSettings): void {
  const { share, memory, cap, leastExcess, prior, head, warmUp, most } = settings;
  const common = -Math.log(share);
  for (let n = 0; n < z.length; n++) {
    nats[n] = 0;
    const value = z[n]!;
    if (value < 0) continue;
    const here = at + n * TAIL_SIZE;
    const seen = state[here + 2]!;
    const l = value > 1 ? Math.log(value) : 0;
    state[here + 2] = seen + 1;
    if (seen === 0) {
      state[here] = l;
      state[here + 1] = settings.firstExcess;
      continue;
    }
    const threshold = state[here]!;
    const mean = state[here + 1]!;
    const excess = l - threshold;
    const scale = mean > leastExcess ? mean : leastExcess;
    const above = excess > 0;
    if (above) {
      const taught = Math.min(excess, cap * mean);
      state[here + 1] = mean + (taught - mean) / Math.min(prior + seen * share, memory * share);
      if (seen >= warmUp) nats[n] = Math.min(most, excess / scale + common);
    }
    // Robbins–Monro on the quantile; its density there is share / scale.
    const step = scale / (share * Math.min(seen + head, memory));
    const moved = seen < 10 ? Math.max(threshold, l) : threshold + step * ((above ? 1 : 0) - share);
    state[here] = moved > 0 ? moved : 0;
  }
}
