/** One series with its scores, as the Numenta Anomaly Benchmark (v1.1) sees it. */
export interface ScoredSeries {
  scores: Float64Array | readonly number[];
  /** First and last sample of each labelled window, in order. */
  windows: readonly (readonly [first: number, last: number])[];
}

/** Weights of NAB's three profiles. */
export const PROFILES = {
  standard: { falsePositive: 0.11, falseNegative: 1 },
  lowFp: { falsePositive: 0.22, falseNegative: 1 },
  lowFn: { falsePositive: 0.11, falseNegative: 2 },
} as const;
export type Profile = keyof typeof PROFILES;

/** What a detector did at one threshold. */
export interface NabScore {
  /** 100 for every window found at its first sample and nothing else; 0 for silence. */
  score: number;
  hit: number;
  windows: number;
  /** False samples that lie no more than 12 apart are one episode. */
  falseEpisodes: number;
  falsePer1000: number;
  scored: number;
}

const sigmoid = (x: number): number => (x > 3 ? -1 : 2 / (1 + Math.exp(5 * x)) - 1);
const BEST = sigmoid(-1);
const EPISODE = 12;

/** Samples at the start that are not scored. */
export const unscored = (samples: number): number => Math.min(Math.floor(0.15 * samples), 750);

/** One series at one threshold: gain of windows, price of false alerts, and counts. */
function judge({ scores, windows }: ScoredSeries, threshold: number) {
  const gains = new Float64Array(windows.length).fill(NaN);
  let [price, falseEpisodes, last, next, scored] = [0, 0, -Infinity, 0, 0];
  for (let i = 0; i < scores.length; i++) {
    while (next < windows.length && i > windows[next]![1]) next++;
    if (i < unscored(scores.length)) continue;
    scored++;
    if (scores[i]! < threshold) continue;
    const window = windows[next];
    if (window !== undefined && i >= window[0]) {
      const gain = sigmoid(-(window[1] - i + 1) / (window[1] - window[0] + 1)) / BEST;
      if (!(gains[next]! >= gain)) gains[next] = gain;
      continue;
    }
    const before = windows[next - 1];
    price += before === undefined ? -1 : sigmoid((i - before[1]) / (before[1] - before[0]));
    if (i - last > EPISODE) falseEpisodes++;
    last = i;
  }
  const found = [...gains].filter((gain) => !Number.isNaN(gain));
  const scorable = windows.filter(([, end]) => end >= unscored(scores.length)).length;
  return {
    gain: found.reduce((sum, gain) => sum + gain, 0),
    hit: found.length,
    price,
    falseEpisodes,
    scored,
    scorable,
  };
}

/** The benchmark's score of all series together at a threshold (a score of at least it is an alert). */
export function nabScore(series: readonly ScoredSeries[], threshold: number, profile: Profile = 'standard'): NabScore {
  const { falsePositive, falseNegative } = PROFILES[profile];
  let [raw, hit, windows, falseEpisodes, scored, silence] = [0, 0, 0, 0, 0, 0];
  for (const one of series) {
    const judged = judge(one, threshold);
    raw += judged.gain + judged.price * falsePositive - (judged.scorable - judged.hit) * falseNegative;
    silence -= judged.scorable * falseNegative;
    windows += one.windows.length;
    hit += judged.hit;
    falseEpisodes += judged.falseEpisodes;
    scored += judged.scored;
  }
  const score = windows === 0 ? 0 : (100 * (raw - silence)) / (windows - silence);
  return { score, hit, windows, falseEpisodes, falsePer1000: (1000 * falseEpisodes) / Math.max(1, scored), scored };
}

/** The threshold at which a profile is best on these very series: NAB's own rule, which a product cannot follow. */
export function bestThreshold(series: readonly ScoredSeries[], profile: Profile): number {
  const levels = new Set<number>();
  for (const { scores } of series) for (let i = unscored(scores.length); i < scores.length; i++) levels.add(scores[i]!);
  const sorted = [...levels].sort((a, b) => a - b);
  // Most levels are alike: a coarse look first, then all around the best.
  const coarse = Math.max(1, Math.floor(sorted.length / 400));
  const best = (from: number, to: number, step: number): number => {
    let [at, most] = [from, -Infinity];
    for (let n = Math.max(0, from); n < Math.min(sorted.length, to); n += step) {
      const { score } = nabScore(series, sorted[n]!, profile);
      if (score > most) [at, most] = [n, score];
    }
    return at;
  };
  const near = best(0, sorted.length, coarse);
  return sorted[best(near - coarse, near + coarse + 1, 1)] ?? 1;
}
