import type { Clock } from '#sdk';
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

/** How one server is read. */
export interface Reading {
  /** 1 when a range counts its left edge in, as before version 3 of Prometheus; else 0. */
  closed: 0 | 1;
  /** Absent where what was written can be read at once. */
  settling: Settling | undefined;
  /** Range of the samples at or after `from` and before `to`, for a query at `to - 1`. */
  window(from: number, to: number): string;
  /** Any number of steps. */
  inSteps(query: string, from: number, to: number, step: number): Promise<Found[]>;
  /** A beginning that no sample lies before. */
  oldest(from: number): number;
}

/** Makes the reading; the server's ways are set when it is opened. */
export function createReading(server: Server, clock: Clock): Reading {
  const reading: Reading = {
    closed: 0,
    settling: undefined,
    window: (from, to) => `[${Math.max(1, to - from - reading.closed)}ms]`,
    async inSteps(query, from, to, step) {
      const found: Found[] = [];
      for (let at = from; at <= to; at += MAX_STEPS * step)
        found.push(...(await server.range(query, at, Math.min(to, at + (MAX_STEPS - 1) * step), step)));
      return found;
    },
    oldest: (from) => Math.max(from, clock.now() - LONGEST_MS),
  };
  return reading;
}
