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

/** What a silence holds for; null is all. */
interface Matched {
  rule: string | null;
  resource: string | null;
  severity: string | null;
  fromMs: number;
  toMs: number;
}

/** When the silence of an alert ends; undefined when none holds. */
export function silencedUntil(
  firing: { rule: string; resource: string; severity: string },
  silences: readonly Matched[],
  nowMs: number,
): number | undefined {
  const holding = silences.filter(
    ({ rule, resource, severity, fromMs, toMs }) =>
      (rule ?? firing.rule) === firing.rule &&
      (resource ?? firing.resource) === firing.resource &&
      (severity ?? firing.severity) === firing.severity &&
      fromMs <= nowMs &&
      toMs > nowMs,
  );
  return holding.length === 0 ? undefined : Math.max(...holding.map(({ toMs }) => toMs));
}
