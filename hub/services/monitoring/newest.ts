import { AGGREGATE_ATTRIBUTE, type SeriesKind } from '#proto/metrics.ts';
import type { SeriesBlock, SeriesIdentity, SeriesTable } from '../../ports/series.ts';

/** A series and its newest value. Of a counter, `value` is its rate per second. */
export interface LiveSeries {
  /** Its place in the resource's list: how events name it. */
  index: number;
  name: string;
  kind: SeriesKind;
  attributes: Readonly<Record<string, string>>;
  value: number;
  /** Time of the newest sample, milliseconds. */
  timeMs: number;
  /** Newest raw value of a counter. */
  raw: number;
  /** Of a gauge: its mean, in which the last minute weighs most. */
  calm: number;
}

/** Over a longer silence no rate is made up, milliseconds. */
const GAP_MS = 300_000;
/** Tables that are remembered a resource; the one unused for longest goes first. */
const TABLES = 200;

/** A live sample that is older than the newest one by more than this comes from a clock that was set back, milliseconds. */
const SET_BACK_MS = 10_000;

const CALM_MS = 60_000;

/** Takes a sample; false when it is older than what is known: late news is no live news. */
function update(series: LiveSeries, value: number, timeMs: number, isLive: boolean): boolean {
  if (timeMs < series.timeMs && !(isLive && series.timeMs - timeMs > SET_BACK_MS)) return false;
  if (series.kind === 'gauge') {
    series.value = value;
    const weight = Math.min(1, Math.max(0, timeMs - series.timeMs) / CALM_MS);
    series.calm = Number.isFinite(series.calm) ? series.calm + (value - series.calm) * weight : value;
  } else {
    const seconds = (timeMs - series.timeMs) / 1000;
    const growth = value >= series.raw ? value - series.raw : value;
    const known = series.timeMs > 0 && seconds > 0 && seconds * 1000 <= GAP_MS;
    series.value = known ? growth / seconds : NaN;
    series.raw = value;
  }
  series.timeMs = timeMs;
  return true;
}

/** The newest value of each series of one resource. */
export interface Newest {
  series: LiveSeries[];
  learn(tables: readonly SeriesTable[]): void;
  /** Takes blocks, live or filled in later; gives the series that have news and the newest time among them. */
  take(blocks: readonly SeriesBlock[], isLive: boolean): { changed: LiveSeries[]; timeMs: number };
}

/** Makes an empty one. */
export function createNewest(): Newest {
  const series: LiveSeries[] = [];
  const tables = new Map<bigint, readonly (LiveSeries | undefined)[]>();
  const bySignature = new Map<string, LiveSeries>();
  const seriesOf = ({ name, kind, attributes }: SeriesIdentity): LiveSeries | undefined => {
    // The companions of a gauge that was folded: its average is what is live.
    if (attributes[AGGREGATE_ATTRIBUTE] !== undefined) return undefined;
    const signature = JSON.stringify([name, Object.entries(attributes).sort()]);
    const known = bySignature.get(signature);
    if (known !== undefined) return known;
    const made: LiveSeries = { index: series.length, name, kind, attributes, value: NaN, timeMs: 0, raw: 0, calm: NaN };
    bySignature.set(signature, made);
    series.push(made);
    return made;
  };
  return {
    series,
    learn(added) {
      for (const { id, series: identities } of added) {
        if (tables.has(id)) continue;
        tables.set(id, identities.map(seriesOf));
        if (tables.size > TABLES) tables.delete(tables.keys().next().value ?? 0n);
      }
    },
    take(blocks, isLive) {
      const changed: LiveSeries[] = [];
      let newest = 0;
      for (const { table, timeMs, values } of blocks) {
        const columns = tables.get(table) ?? [];
        if (timeMs > newest) newest = timeMs;
        for (let index = 0; index < columns.length; index++) {
          const value = values[index];
          const one = columns[index];
          if (one !== undefined && value !== undefined && Number.isFinite(value) && update(one, value, timeMs, isLive))
            changed.push(one);
        }
      }
      return { changed, timeMs: newest };
    },
  };
}
