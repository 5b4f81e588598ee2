/** A time range as the address holds it: `from` and `to` as they were typed. Without `to` it is live. */
export interface RangeText {
  from?: string | undefined;
  to?: string | undefined;
}

/** A time range in milliseconds since 1970. */
export interface Range {
  from: number;
  to: number;
  /** True when it ends now and moves on. */
  live: boolean;
}

/** Where people read times: on their own clock or in UTC. */
export type Zone = 'local' | 'utc';

/** The range that is shown when the address names none. */
export const DEFAULT_FROM = '-15m';

/** What the time menu offers. */
export const PRESETS: readonly { from: string; label: string }[] = [
  { from: '-5m', label: 'Last 5 min' },
  { from: '-15m', label: 'Last 15 min' },
  { from: '-1h', label: 'Last hour' },
  { from: '-3h', label: 'Last 3 hours' },
  { from: '-12h', label: 'Last 12 hours' },
  { from: '-1d', label: 'Last day' },
  { from: '-7d', label: 'Last 7 days' },
  { from: '-30d', label: 'Last 30 days' },
];

const UNITS: Readonly<Record<string, number>> = {
  s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000,
}; // prettier-ignore
const SHORTEST_MS = 5000;

/** The length of `-2h` and its like in milliseconds; undefined when it is none. */
export function relativeMs(text: string): number | undefined {
  const match = /^-\s*(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d|w)$/i.exec(text.trim());
  const length = match === null ? 0 : Number(match[1]) * (UNITS[match[2]?.toLowerCase() ?? ''] ?? 0);
  return length > 0 ? length : undefined;
}

function clockMs(text: string, nowMs: number, zone: Zone): number | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const [hours, minutes, seconds] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
  if (hours > 24 || minutes > 59 || seconds > 59) return undefined;
  const day = new Date(nowMs);
  if (zone === 'utc') day.setUTCHours(hours, minutes, seconds, 0);
  else day.setHours(hours, minutes, seconds, 0);
  return day.getTime();
}

function isoMs(text: string, zone: Zone): number | undefined {
  const match = /^\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (match === null) return undefined;
  const whole = match[1] === undefined ? `${text}T00:00` : text.replace(' ', 'T');
  const parsed = Date.parse(match[4] === undefined && zone === 'utc' ? `${whole}Z` : whole);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** One end of a range: `now`, `-2h`, `09:00`, milliseconds or ISO 8601. Undefined when it cannot be read. */
export function readMoment(text: string, nowMs: number, zone: Zone = 'local'): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs;
  if (/^\d{9,15}$/.test(trimmed)) return Number(trimmed);
  const back = relativeMs(trimmed);
  return back === undefined ? (clockMs(trimmed, nowMs, zone) ?? isoMs(trimmed, zone)) : nowMs - back;
}

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.000Z$/, 'Z');

/**
 * What a person typed: `-2h`, `2h`, `09:00-10:30`, `2026-01-31T12:00 to 13:00`, one moment (then half an hour around it).
 * Clock times that lie ahead are yesterday's. Undefined when it cannot be read.
 */
export function readTyped(text: string, nowMs: number, zone: Zone): RangeText | undefined {
  const trimmed = text
    .trim()
    .toLowerCase()
    .replace(/^last\s+/, '-');
  const relative = relativeMs(/^\d/.test(trimmed) ? `-${trimmed}` : trimmed);
  if (relative !== undefined) return { from: `-${trimmed.replace(/^-/, '').replaceAll(' ', '')}` };
  const raw = text.trim();
  const parts =
    /^(\d{1,2}:\d{2}(?::\d{2})?)\s*[-–]\s*(\d{1,2}:\d{2}(?::\d{2})?|now)$/.exec(raw) ??
    /^(.+?)\s*(?:\bto\b|…|\.\.|–|\s-\s|\/)\s*(.+)$/.exec(raw);
  if (parts === null) {
    const moment = readMoment(raw, nowMs, zone);
    return moment === undefined
      ? undefined
      : { from: iso(moment - 900_000), to: iso(Math.min(moment + 900_000, nowMs)) };
  }
  let from = readMoment(parts[1] ?? '', nowMs, zone);
  if (from === undefined) return undefined;
  // "2026-01-31 12:00 to 13:00": the second time is of the first one's day.
  const dated = !/^\d{1,2}:/.test(parts[1] ?? '');
  let to = readMoment(parts[2] ?? '', dated && /^\d{1,2}:/.test(parts[2] ?? '') ? from : nowMs, zone);
  if (to === undefined) return undefined;
  if (!dated && from > nowMs) [from, to] = [from - 86_400_000, to > nowMs ? to - 86_400_000 : to];
  if (!dated && to <= from) from -= 86_400_000;
  return to - from < 1000 ? undefined : { from: iso(from), to: iso(to) };
}

/** The range of an address. What cannot be read falls back to the last quarter of an hour. */
export function rangeOf({ from = DEFAULT_FROM, to }: RangeText, nowMs: number): Range {
  const end = to === undefined ? nowMs : (readMoment(to, nowMs) ?? nowMs);
  const start = readMoment(from, nowMs) ?? NaN;
  const live = to === undefined;
  if (!(start < end)) return { from: end - 900_000, to: end, live };
  return { from: Math.min(start, end - SHORTEST_MS), to: end, live };
}

/** The address of a fixed range. */
export function fixedRange(fromMs: number, toMs: number): RangeText {
  const [from, to] = [Math.floor(fromMs / 1000) * 1000, Math.ceil(toMs / 1000) * 1000];
  return { from: iso(from), to: iso(Math.max(to, from + SHORTEST_MS)) };
}

const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];

const HOUR_MS = 3_600_000;
/** From an hour on, steps are those that the hub keeps gathered: finer ones would read every sample. */
const GATHERED_SECONDS = 10;

/** The step, in milliseconds, that gives at most one point a pixel, and never more than `limit` points. */
export function stepFor(lengthMs: number, widthPx: number, limit = 1000): number {
  const points = Math.max(60, Math.min(limit, widthPx));
  const finest = lengthMs < HOUR_MS ? 1 : GATHERED_SECONDS;
  const fitting = STEPS.find((seconds) => seconds >= finest && lengthMs / (seconds * 1000) <= points);
  return (fitting ?? Math.ceil(lengthMs / points / 86_400_000) * 86_400) * 1000;
}
