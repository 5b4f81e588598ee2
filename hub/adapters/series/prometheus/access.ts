import type { Clock } from '#sdk';
import type { Owner } from '../points/tiered-store.ts';
import type { Resolution } from '../points/tiers.ts';
import { selector } from './labels.ts';
import type { WriteLine } from './remote-write.ts';
import type { Found, Server } from './server.ts';
import type { Settling } from './settling.ts';

/** Nothing older is asked for when nothing says how far back data go. */
const LONGEST_MS = 3650 * 86_400_000;
/** Steps that a store answers at most for a series: 11 000. */
const MAX_STEPS = 10_000;

/** Samples may lie so far in the future: of agents whose clock is ahead. */
export const AHEAD_MS = 3_600_000;

export const timeOf = (seconds: number): number => Math.round(seconds * 1000);
export const floor = (ms: number, step: number): number => Math.floor(ms / step) * step;
export const samplesOf = ({ value, values }: Found) => values ?? (value === undefined ? [] : [value]);
/** What a resource's samples of one resolution are called among what waits to be seen. */
export const placeOf = ({ bucketMs }: Resolution, { org, resource }: Owner): string =>
  JSON.stringify([bucketMs, org, resource]);

/** How one server is read and written. */
export interface Access {
  server: Server;
  clock: Clock;
  /** How often the server was seen to have been restarted. */
  restarts: number;
  /** 1 when a range counts its left edge in, as before version 3 of Prometheus; else 0. */
  closed: 0 | 1;
  /** Absent where what was written can be read at once. */
  settling: Settling | undefined;
  metricOf(tier: Resolution): string;
  /** A selector of series by equal labels; `more` follows them. */
  select(metric: string, labels: Readonly<Record<string, string>>, more?: string): string;
  /** Range of the samples at or after `from` and before `to`, for a query at `to - 1`. */
  window(from: number, to: number): string;
  /** Any number of steps; the ends as `Server.range` has them. */
  inSteps(query: string, from: number, to: number, step: number): Promise<Found[]>;
  /** A beginning that no sample lies before. */
  oldest(from: number): number;
  /** Gives how many samples were left out. */
  write(places: readonly string[], lines: readonly WriteLine[]): Promise<number>;
}

/** Makes the access; the server's ways are set when it is opened. */
export function createAccess(server: Server, prefix: string, clock: Clock): Access {
  const access: Access = {
    server,
    clock,
    restarts: 0,
    closed: 0,
    settling: undefined,
    metricOf: ({ bucketMs }) => `${prefix}_${bucketMs === 0 ? 'raw' : `${bucketMs / 1000}s`}`,
    // A filter that is always true, and that no query before the last flush had: VictoriaMetrics remembers for ten seconds which series a filter found.
    select: (metric, labels, more = '') =>
      selector(metric, labels, access.settling === undefined ? more : `${more},fresh!="${access.settling.flushes}"`),
    window: (from, to) => `[${Math.max(1, to - from - access.closed)}ms]`,
    async inSteps(query, from, to, step) {
      const found: Found[] = [];
      for (let at = from; at <= to; at += MAX_STEPS * step)
        found.push(...(await server.range(query, at, Math.min(to, at + (MAX_STEPS - 1) * step), step)));
      return found;
    },
    oldest: (from) => Math.max(from, clock.now() - LONGEST_MS),
    async write(places, lines) {
      if (lines.length === 0) return 0;
      let [from, to] = [Infinity, -Infinity];
      for (const { times } of lines) for (const ms of times) [from, to] = [Math.min(from, ms), Math.max(to, ms)];
      // What fails half-way may be there, too.
      try {
        return await server.write(lines);
      } finally {
        for (const place of places) access.settling?.wrote(place, from, to);
      }
    },
  };
  return access;
}
