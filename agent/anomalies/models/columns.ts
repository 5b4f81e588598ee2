import { chooseFeatures, mayBeFeature, type Candidate, type SeriesName } from '../../../plugins/models/index.ts';
import type { Series } from '../../table.ts';
import { keyOfSeries, type Window } from '../watch.ts';

/** Series that are looked at; a model takes far fewer. */
const MOST_SERIES = 4000;

/** Looks at windows, and then chooses of the host's series those that a model is made of. */
export function createColumnChoice() {
  const seen = new Map<string, Candidate<Series>>();
  const keys = new WeakMap<Series, string>();
  let windows = 0;
  const keyOf = (series: Series): string => {
    const key = keys.get(series) ?? keyOfSeries(series);
    keys.set(series, key);
    return key;
  };
  return {
    windows: () => windows,
    look({ values }: Pick<Window, 'values'>): void {
      windows += 1;
      for (const [series, value] of values()) {
        const key = keyOf(series);
        const before = seen.get(key);
        if (before === undefined) {
          if (seen.size < MOST_SERIES && mayBeFeature(series))
            seen.set(key, { series, present: 1, least: value, greatest: value });
          continue;
        }
        before.present += 1;
        if (value < before.least) before.least = value;
        if (value > before.greatest) before.greatest = value;
      }
    },
    chosen: (): SeriesName[] =>
      chooseFeatures([...seen.values()], windows).map(({ name: metric, attributes, kind }) => ({ metric, attributes, kind })), // prettier-ignore
  };
}
