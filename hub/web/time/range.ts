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

const DAY_MS = 86_400_000;
const UNITS: Readonly<Record<string, number>> = {
  s: 1000, sec: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS,
}; // prettier-ignore
/** Units as people say them, by their short form. */
const LONG_UNITS: readonly (readonly [long: RegExp, short: string])[] = [
  [/(\d)\s*(?:seconds?|secs)$/, 's'], [/(\d)\s*(?:minutes?|mins)$/, 'm'], [/(\d)\s*(?:hours?|hrs?)$/, 'h'],
  [/(\d)\s*days?$/, 'd'], [/(\d)\s*weeks?$/, 'w'],
]; // prettier-ignore
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

/** The midnight with which a day begins, `days` before or after that of a moment. */
function midnight(ms: number, zone: Zone, days = 0): number {
  const day = new Date(ms);
  if (zone === 'utc') return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate() + days);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days).getTime();
}

function isoMs(text: string, zone: Zone): number | undefined {
  const match = /^\d{4}-\d{2}-\d{2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text);
  if (match === null) return undefined;
  const whole = match[1] === undefined ? `${text}T00:00` : text.replace(' ', 'T');
  const parsed = Date.parse(match[4] === undefined && zone === 'utc' ? `${whole}Z` : whole);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** One end of a range: `now`, `-2h`, `now-2h`, `09:00`, milliseconds or ISO 8601. Undefined when it cannot be read. */
export function readMoment(text: string, nowMs: number, zone: Zone = 'local'): number | undefined {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs;
  if (/^\d{9,15}$/.test(trimmed)) return Number(trimmed);
  const back = relativeMs(trimmed.replace(/^now\s*-/, '-'));
  return back === undefined ? (clockMs(trimmed, nowMs, zone) ?? isoMs(trimmed, zone)) : nowMs - back;
}

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.000Z$/, 'Z');

/** A length back from now: `-2h`, `2 hours`, `last hour`, `now-3h to now`. */
function typedLength(text: string): RangeText | undefined {
  let short = text
    .replace(/\s*(?:to|-|–)\s*now$/, '')
    .replace(/^(?:the\s+)?(?:last|past)\s+/, '-')
    .replace(/^now\s*-\s*/, '-')
    .replace(/^-(?=[a-z])/, '-1');
  for (const [long, unit] of LONG_UNITS) short = short.replace(long, `$1${unit}`);
  if (/^\d/.test(short)) short = `-${short}`;
  return relativeMs(short) === undefined ? undefined : { from: short.replaceAll(' ', '') };
}

/** A day: `today`, `yesterday`, `2026-01-31`. */
function typedDay(text: string, nowMs: number, zone: Zone): RangeText | undefined {
  if (text === 'today') return { from: iso(midnight(nowMs, zone)) };
  if (text === 'yesterday') return { from: iso(midnight(nowMs, zone, -1)), to: iso(midnight(nowMs, zone)) };
  const from = /^\d{4}-\d{2}-\d{2}$/.test(text) ? isoMs(text, zone) : undefined;
  if (from === undefined || from > nowMs) return undefined;
  const to = midnight(from, zone, 1);
  return to > nowMs ? { from: iso(from) } : { from: iso(from), to: iso(to) };
}

/** One moment: a time of day is from then on, a moment of another day half an hour around it. */
function typedMoment(text: string, nowMs: number, zone: Zone): RangeText | undefined {
  const moment = readMoment(text, nowMs, zone);
  if (moment === undefined) return undefined;
  if (/^\d{1,2}:/.test(text)) return { from: iso(moment > nowMs ? moment - DAY_MS : moment) };
  const from = moment - 900_000;
  return from > nowMs - SHORTEST_MS ? undefined : { from: iso(from), to: iso(Math.min(moment + 900_000, nowMs)) };
}

/**
 * What a person typed: `-2h`, `last 2 hours`, `yesterday`, `03:15` (from then to now), `09:00-10:30`, `2026-01-31T12:00 to 13:00`, one moment
 * (then half an hour around it). Clock times that lie ahead are yesterday's. Undefined when it cannot be read.
 */
export function readTyped(text: string, nowMs: number, zone: Zone): RangeText | undefined {
  const raw = text.trim();
  const small = raw.toLowerCase();
  const known = typedLength(small) ?? typedDay(small, nowMs, zone);
  if (known !== undefined) return known;
  const parts =
    /^(\d{1,2}:\d{2}(?::\d{2})?)\s*[-–]\s*(\d{1,2}:\d{2}(?::\d{2})?|now)$/i.exec(raw) ??
    /^(.+?)\s*(?:\bto\b|…|\.\.|–|\s-\s|\/)\s*(.+)$/i.exec(raw);
  if (parts === null) return typedMoment(raw, nowMs, zone);
  const [first = '', second = ''] = parts.slice(1);
  let from = readMoment(first, nowMs, zone);
  if (from === undefined) return undefined;
  const clock = /^\d{1,2}:/;
  // "2026-01-31 12:00 to 13:00": the second time is of the first one's day.
  const dated = !clock.test(first);
  const goesOn = second.toLowerCase() === 'now';
  let to = goesOn ? nowMs : readMoment(second, dated && clock.test(second) ? from : nowMs, zone);
  if (to === undefined) return undefined;
  if (!dated && from > nowMs) [from, to] = [from - DAY_MS, to > nowMs ? to - DAY_MS : to];
  if (!dated && to <= from) from -= DAY_MS;
  if (to - from < 1000) return undefined;
  return goesOn ? { from: iso(from) } : { from: iso(from), to: iso(to) };
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
