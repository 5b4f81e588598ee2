import type { SeriesName } from '../../../plugins/models/index.ts';
import type { Series } from '../../table.ts';
import { keyOfSeries, type Window } from '../watch.ts';
import { MOST_COLUMNS } from './rows.ts';

/** A series has to be in this share of the windows. */
const PRESENT = 0.8;
/** Series that are looked at; a model takes far fewer. */
const MOST_SERIES = 4000;

interface Seen {
  series: Series;
  windows: number;
  least: number;
  most: number;
}

/** What the agent says of itself is not the host's doing, and kinds of log lines come and go; the rest are the bounds of a feature. */
const mayBeColumn = ({ name, attributes }: Series): boolean => {
  const pairs = Object.entries(attributes);
  return (
    !name.startsWith('outrider.') &&
    name.length <= 200 &&
    pairs.length <= 32 &&
    pairs.every(([key, value]) => key !== '' && key.length <= 200 && value.length <= 1000)
  );
};

const parts = ({ attributes }: Series): number => Object.keys(attributes).length;

/** Looks at windows, and then chooses of the host's series those that are nearly always there and move, the machine's totals before their parts. */
export function createColumnChoice() {
  const seen = new Map<string, Seen>();
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
          if (seen.size < MOST_SERIES && mayBeColumn(series))
            seen.set(key, { series, windows: 1, least: value, most: value });
          continue;
        }
        before.windows += 1;
        if (value < before.least) before.least = value;
        if (value > before.most) before.most = value;
      }
    },
    chosen(): SeriesName[] {
      const moves = ({ least, most }: Seen): boolean => most - least > 1e-6 * Math.max(Math.abs(least), Math.abs(most));
      return [...seen.entries()]
        .filter(([, one]) => one.windows >= PRESENT * windows && moves(one))
        .sort(([a, x], [b, y]) => parts(x.series) - parts(y.series) || (a < b ? -1 : 1))
        .slice(0, MOST_COLUMNS)
        .map(
          ([
            ,
            {
              series: { name, attributes, kind },
            },
          ]) => ({ metric: name, attributes, kind }),
        );
    },
  };
}
