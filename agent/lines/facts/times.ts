import type { Zone } from './zones.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const DAY_MS = 86_400_000;
/** A time this far off belongs to something else than the line. */
const PAST_MS = 7 * DAY_MS;
const FUTURE_MS = 60_000;

/** What a time without a zone or a year is read by. */
export interface TimeGiven {
  zone: Zone;
  nowMs: number;
}

/** ISO 8601 and its relatives: `T` or a blank, dashes or slashes, a fraction after a point or a comma, a zone or none. */
const ISO = /(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z| ?[+-]\d\d:?\d\d| (?:UTC|GMT)\b)?/;
/** `Jan 31 12:00:00` of RFC 3164. */
const SYSLOG = /^(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?= )/;
/** `31/Jan/2026:12:00:00 +0000` of web servers, `31-Jan-2026 12:00:00.123` of Tomcat, `31 Jan 2026 12:00:00.123` of Redis. */
const WEB = /(\d\d)[/ -]([A-Z][a-z]{2})[/ -](\d{4})[: ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?( [+-]\d\d:?\d\d)?/;
/** `Sat Jan 31 12:00:00.123 2026` of Apache's error log and of `date`. */
const CTIME = /[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: (UTC|GMT))? (\d{4})/;
/** `Jan 31, 2026 1:00:00 PM` of java.util.logging. */
const AMERICAN = /([A-Z][a-z]{2}) (\d{1,2}), (\d{4}),? (\d{1,2}):(\d\d):(\d\d) ([AP])M/;
/** klog: `E0131 12:00:00.000000`. */
const KLOG = /^[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,9})/;
/** Seconds or milliseconds since 1970 at the very beginning, as squid and many scripts write them. */
const EPOCH = /^\[?(\d{10}(?:\.\d{1,9})?|\d{13})(?=[\] ,;:\t]|$)/;

const milli = (fraction: string | undefined): number =>
  fraction === undefined ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);

/** `+01:00`, `-0130`, `Z`, ` UTC` in milliseconds ahead of UTC. */
function offsetOf(zone: string): number {
  const sign = /([+-])(\d\d):?(\d\d)/.exec(zone);
  if (sign === null) return 0;
  return (sign[1] === '-' ? -1 : 1) * (Number(sign[2]) * 60 + Number(sign[3])) * 60_000;
}

/** Without a year, a line of December that is read in January belongs to the year before. */
function yearless(wallOf: (year: number) => number, { zone, nowMs }: TimeGiven): number {
  const year = new Date(nowMs).getUTCFullYear();
  // The wall may be in another year than UTC is.
  for (const candidate of [year + 1, year]) {
    const timeMs = zone(wallOf(candidate));
    if (timeMs < nowMs + DAY_MS) return timeMs;
  }
  return zone(wallOf(year - 1));
}

interface Clock {
  hour: string | undefined;
  minute: string | undefined;
  second: string | undefined;
  fraction?: string | undefined;
}

/** A time of day on a day, as if it were UTC; NaN for a day or a time that there is none of. */
function wall(year: number, month: number, day: number, { hour, minute, second, fraction }: Clock): number {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  if (month < 0 || month > 11 || day < 1 || day > 31 || h > 23 || m > 59 || s > 60) return NaN;
  return Date.UTC(year, month, day, h, m, s) + milli(fraction);
}

function isoTime(match: RegExpExecArray, { zone }: TimeGiven): number {
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const wallMs = wall(Number(year), Number(month) - 1, Number(day), { hour, minute, second, fraction });
  return offset === undefined ? zone(wallMs) : wallMs - offsetOf(offset);
}

/** Two digits that begin at a place; NaN where there are none. */
function two(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48;
  const ones = text.charCodeAt(at + 1) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

let lastDay = { text: '', ms: NaN };

/** `2026-01-31T12:00:00.000Z` at the beginning, by far the most common: no pattern and no date object, .1 µs. */
function plainIso(head: string): number | undefined {
  if (head.charCodeAt(4) !== 45 || head.charCodeAt(10) !== 84 || head.charCodeAt(23) !== 90) return undefined;
  const day = head.slice(0, 10);
  if (day !== lastDay.text) lastDay = { text: day, ms: /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : NaN };
  if (head.charCodeAt(19) !== 46) return undefined;
  const ms = two(head, 20) * 10 + head.charCodeAt(22) - 48;
  const time = lastDay.ms + two(head, 11) * 3_600_000 + two(head, 14) * 60_000 + two(head, 17) * 1000 + ms;
  return Number.isNaN(time) ? undefined : time;
}

function namedMonth(head: string, given: TimeGiven): number | undefined {
  const web = WEB.exec(head);
  if (web !== null) {
    const [, day, month = '', year, hour, minute, second, fraction, offset] = web;
    const at = wall(Number(year), MONTHS.indexOf(month), Number(day), { hour, minute, second, fraction });
    return offset === undefined ? given.zone(at) : at - offsetOf(offset);
  }
  const syslog = SYSLOG.exec(head);
  if (syslog !== null) {
    const [, month = '', day, hour, minute, second, fraction] = syslog;
    const at = (year: number): number =>
      wall(year, MONTHS.indexOf(month), Number(day), { hour, minute, second, fraction });
    return yearless(at, given);
  }
  const ctime = CTIME.exec(head);
  if (ctime !== null) {
    const [, month = '', day, hour, minute, second, fraction, utc, year] = ctime;
    const at = wall(Number(year), MONTHS.indexOf(month), Number(day), { hour, minute, second, fraction });
    return utc === undefined ? given.zone(at) : at;
  }
  const american = AMERICAN.exec(head);
  if (american === null) return undefined;
  const [, month = '', day, year, hour, minute, second, half] = american;
  const hours = (Number(hour) % 12) + (half === 'P' ? 12 : 0);
  return given.zone(wall(Number(year), MONTHS.indexOf(month), Number(day), { hour: String(hours), minute, second }));
}

/** Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. */
export function epochTime(value: number): number {
  if (value < 1e11) return Math.floor(value * 1000);
  if (value < 1e14) return Math.floor(value);
  return Math.floor(value < 1e17 ? value / 1e3 : value / 1e6);
}

/** klog's time, which has no year. */
export function klogTime(head: string, given: TimeGiven): number | undefined {
  const match = KLOG.exec(head);
  if (match === null) return undefined;
  const [, month, day, hour, minute, second, fraction] = match;
  return yearless((year) => wall(year, Number(month) - 1, Number(day), { hour, minute, second, fraction }), given);
}

/** Finds a time near the beginning of a text, in any of the forms that programs write. */
export function timeInText(head: string, given: TimeGiven): number | undefined {
  const plain = plainIso(head);
  if (plain !== undefined) return plain;
  const iso = ISO.exec(head);
  if (iso !== null) return isoTime(iso, given);
  const epoch = EPOCH.exec(head)?.[1];
  if (epoch !== undefined) return epochTime(Number(epoch));
  return namedMonth(head, given);
}

/** The time that a field's value means: text in any known form, or a number since 1970. */
export function timeOfField(value: string, given: TimeGiven): number | undefined {
  const number = value === '' ? NaN : Number(value);
  return Number.isFinite(number) ? epochTime(number) : timeInText(value, given);
}

/** True for a time that a line read now may have. */
export function isPlausible(timeMs: number | undefined, nowMs: number): timeMs is number {
  return timeMs !== undefined && timeMs > nowMs - PAST_MS && timeMs < nowMs + FUTURE_MS;
}
