import { scalingFor } from '../units/quantity.ts';
import type { Zone } from '../time/range.ts';

/** The ends of an axis and the distance between its ticks, all in the base unit. */
export interface Axis {
  low: number;
  top: number;
  increment: number;
}

/** So much of a tick's distance a value may stick out: sums of shares come to a little over one. */
const OVERSHOOT = 0.02;

/** The smallest pleasant number that is not below `size`: 1, 2, 5 times a power of ten, or for bytes a power of two. */
function pleasant(size: number, binary: boolean): number {
  if (binary) return 2 ** Math.ceil(Math.log2(size) - OVERSHOOT);
  const power = 10 ** Math.floor(Math.log10(size) + 1e-9);
  const found = [1, 2, 2.5, 5].find((factor) => factor * power >= size * (1 - OVERSHOOT));
  return (found ?? 10) * power;
}

/** What an axis shows at least, so that a line at rest is not a mountain of noise. */
function leastOf(unit: string): number {
  if (unit === '1' || unit === 's/s') return 0.02;
  if (unit.startsWith('By')) return 1024;
  return unit === 's' ? 0.001 : 1;
}

/** Chooses an axis for values from `low` to `most`: from zero, at pleasant distances, at most `ticks` of them. */
export function axisFor(values: { low: number; most: number; unit: string; ticks?: number }): Axis {
  const { unit, ticks = 4 } = values;
  const most = Math.max(Number.isFinite(values.most) ? values.most : 0, 0);
  const low = Math.min(Number.isFinite(values.low) ? values.low : 0, 0);
  const size = Math.max(most - low, leastOf(unit));
  const { divisor } = scalingFor(size, unit);
  const increment = pleasant(size / divisor / ticks, unit.startsWith('By')) * divisor;
  const top =
    low < 0 && most === 0 ? 0 : Math.max(1, Math.ceil(Math.max(most, low + size) / increment - OVERSHOOT)) * increment;
  return { low: Math.floor(low / increment + 1e-6) * increment, top, increment };
}

/** The ticks of an axis. */
export function ticksOf({ low, top, increment }: Axis): number[] {
  const ticks: number[] = [];
  for (let index = Math.round(low / increment); index <= Math.round(top / increment); index++)
    ticks.push(index * increment);
  return ticks;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DISTANCES = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 30, 90, 365].map((days) => days * DAY),
];

/** The distance between marks of a time axis that leaves room for their words. */
export function timeDistance(lengthMs: number, widthPx: number, roomPx = 84): number {
  const most = Math.max(1, Math.floor(widthPx / roomPx));
  return DISTANCES.find((distance) => lengthMs / distance <= most) ?? 365 * DAY;
}

/** Marks of a time axis, at whole units of the reader's own clock. */
export function timeTicks(fromMs: number, toMs: number, distanceMs: number, zone: Zone): number[] {
  const aheadMs = zone === 'utc' ? 0 : -new Date(fromMs).getTimezoneOffset() * MINUTE;
  const first = Math.ceil((fromMs + aheadMs) / distanceMs) * distanceMs - aheadMs;
  const ticks: number[] = [];
  for (let at = first; at <= toMs; at += distanceMs) ticks.push(at);
  return ticks;
}
