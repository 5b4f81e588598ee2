import { readMoment, type Zone } from '../../time/range.ts';
import { readSeconds } from './words.ts';

/** What a silence is offered for, milliseconds. */
export const SILENCE_LENGTHS = [
  { ms: 3_600_000, label: '1 h' },
  { ms: 7_200_000, label: '2 h' },
  { ms: 28_800_000, label: '8 h' },
  { ms: 86_400_000, label: '1 day' },
] as const;

const DAY_MS = 86_400_000;

/** When a silence ends, from what was typed: `3 h`, `18:00`, `2026-01-31 08:00`. Undefined when it cannot be read or has passed. */
export function readEnd(text: string, nowMs: number, zone: Zone): number | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const seconds = /[a-z]$/i.test(trimmed) ? readSeconds(trimmed) : undefined;
  if (seconds !== undefined) return seconds > 0 ? nowMs + seconds * 1000 : undefined;
  if (/^\d+$/.test(trimmed)) return undefined;
  const moment = readMoment(trimmed, nowMs, zone);
  if (moment === undefined) return undefined;
  // A time of the day that has passed is tomorrow's.
  if (/^\d{1,2}:/.test(trimmed) && moment <= nowMs) return moment + DAY_MS;
  return moment > nowMs ? moment : undefined;
}
