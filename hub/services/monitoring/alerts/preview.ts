import type { SeriesPoints, SeriesStore } from '../../../ports/series.ts';
import { fits, limitsOf, type Rule } from './rule.ts';
import { step, type Limits, type SeriesState } from './state.ts';

/** One time that a rule would have fired. */
export interface Episode {
  resource: string;
  attributes: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  fromMs: number;
  /** Null: it would still fire. */
  toMs: number | null;
  peak: number;
}

const STEP_MS = 60_000;
/** Hosts that are looked at, and episodes that are listed, at most. */
export const PREVIEW_HOSTS = 100;
export const PREVIEW_EPISODES = 500;

/**
 * The value of each minute that decides: a rule that fires at once needs one bad sample, so the worst counts; a rule that
 * needs a bad stretch of minutes needs each sample in it bad, so the best counts.
 */
function deciding(points: SeriesPoints, limits: Limits): readonly number[] {
  const highIsBad = limits.operator === 'gt' || limits.operator === 'gte';
  const needsAll = limits.forMs >= 2 * STEP_MS;
  return highIsBad === needsAll ? points.min : points.max;
}

/** Runs one series of the past through the very machine that fires in the present. */
export function replay(resource: string, points: SeriesPoints, limits: Limits): Episode[] {
  const episodes: Episode[] = [];
  const values = deciding(points, limits);
  let state: SeriesState | undefined;
  points.times.forEach((timeMs, i) => {
    const before = state;
    const next = step(state, values[i] ?? NaN, timeMs, limits);
    state = next.state;
    const open = episodes.at(-1);
    if (next.change === 'fired' && state !== undefined)
      episodes.push({ resource, attributes: points.attributes, fromMs: timeMs, toMs: null, peak: state.peak });
    else if (open !== undefined && open.toMs === null) {
      open.peak = state?.peak ?? before?.peak ?? open.peak;
      if (next.change !== undefined) open.toMs = timeMs;
    }
  });
  return episodes;
}

/** What is asked of the past. */
export interface PreviewGiven {
  series: SeriesStore;
  org: string;
  resources: readonly string[];
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

/** How often a rule would have fired, minute by minute, newest first. */
export async function preview(rule: Omit<Rule, 'id'>, given: PreviewGiven): Promise<Episode[]> {
  const { series, org, from, to } = given;
  const limits = limitsOf(rule);
  const episodes: Episode[] = [];
  for (const resource of given.resources) {
    const own = (await series.list(org, resource)).filter(
      ({ name, attributes }) => name === rule.metric && fits(rule, resource, attributes),
    );
    // Series with other attributes are asked for apart, since a split leaves out what lacks one of its keys.
    const shapes = new Map(own.map(({ attributes }) => [Object.keys(attributes).sort().join('\n'), attributes]));
    for (const attributes of shapes.values()) {
      const by = Object.keys(attributes);
      const lacking = own.flatMap((one) => Object.keys(one.attributes)).filter((key) => !by.includes(key));
      const where = { ...Object.fromEntries(lacking.map((key) => [key, ''])), ...rule.filter };
      const found = await series.query(org, { resource, names: [rule.metric], from, to, step: STEP_MS, where, by });
      for (const points of found) episodes.push(...replay(resource, points, limits));
    }
  }
  return episodes.sort((a, b) => b.fromMs - a.fromMs);
}
