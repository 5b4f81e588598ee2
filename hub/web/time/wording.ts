import { relativeMs, type RangeText, DEFAULT_FROM, PRESETS, readMoment, type Zone } from './range.ts';

const two = (value: number): string => String(value).padStart(2, '0');

interface Parts {
  year: number;
  month: number;
  day: number;
  hours: number;
  minutes: number;
  seconds: number;
  ms: number;
}

function partsOf(ms: number, zone: Zone): Parts {
  const date = new Date(ms);
  if (zone === 'utc') {
    return {
      year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), hours: date.getUTCHours(),
      minutes: date.getUTCMinutes(), seconds: date.getUTCSeconds(), ms: date.getUTCMilliseconds(),
    }; // prettier-ignore
  }
  return {
    year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), hours: date.getHours(),
    minutes: date.getMinutes(), seconds: date.getSeconds(), ms: date.getMilliseconds(),
  }; // prettier-ignore
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** 14:03:22 */
export function clockTime(ms: number, zone: Zone): string {
  const { hours, minutes, seconds } = partsOf(ms, zone);
  return `${two(hours)}:${two(minutes)}:${two(seconds)}`;
}

/** 14:03:22.118, for lines of a log. */
export function lineTime(ms: number, zone: Zone): string {
  return `${clockTime(ms, zone)}.${String(partsOf(ms, zone).ms).padStart(3, '0')}`;
}

/** 24 Nov 14:03:22 */
export function exactTime(ms: number, zone: Zone): string {
  const { year, month, day } = partsOf(ms, zone);
  return `${day} ${MONTHS[month] ?? ''} ${year} ${clockTime(ms, zone)}${zone === 'utc' ? ' UTC' : ''}`;
}

/** A label of a time axis, as fine as its step asks for. */
export function axisTime(ms: number, stepMs: number, zone: Zone): string {
  const { day, month, hours, minutes, seconds } = partsOf(ms, zone);
  if (stepMs >= 86_400_000 || (hours === 0 && minutes === 0 && seconds === 0)) return `${day} ${MONTHS[month] ?? ''}`;
  return stepMs < 60_000 ? `${two(hours)}:${two(minutes)}:${two(seconds)}` : `${two(hours)}:${two(minutes)}`;
}

/** A length of time in one unit, or two below ten of the larger: 12 s, 3 min, 2 h 10 min. */
export function length(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  const [whole, rest] =
    seconds < 172_800
      ? [Math.floor(seconds / 3600), Math.round((seconds % 3600) / 60)]
      : [Math.round(seconds / 86_400), 0];
  if (seconds >= 172_800) return `${whole} days`;
  return rest === 0 || rest === 60 || whole > 9 ? `${whole + (rest === 60 ? 1 : 0)} h` : `${whole} h ${rest} min`;
}

/** How long ago: just now, 12 s ago, 3 min ago. */
export function ago(ms: number, nowMs: number): string {
  const gone = nowMs - ms;
  return gone < 2000 ? 'just now' : `${length(gone)} ago`;
}

function fixedLabel(from: number, to: number, zone: Zone): string {
  const [start, end] = [partsOf(from, zone), partsOf(to, zone)];
  const short = to - from < 600_000;
  const time = (ms: number, parts: Parts): string =>
    short ? clockTime(ms, zone) : `${two(parts.hours)}:${two(parts.minutes)}`;
  const date = ({ day, month }: Parts): string => `${day} ${MONTHS[month] ?? ''}`;
  const same = start.day === end.day && start.month === end.month && start.year === end.year;
  return same
    ? `${date(start)} ${time(from, start)}–${time(to, end)}`
    : `${date(start)} ${time(from, start)} – ${date(end)} ${time(to, end)}`;
}

/** What was understood of a range: Today 03:15 – now. */
export function rangeWords({ from = DEFAULT_FROM, to }: RangeText, nowMs: number, zone: Zone): string {
  const [start, end] = [readMoment(from, nowMs), to === undefined ? nowMs : readMoment(to, nowMs)];
  if (start === undefined || end === undefined) return '';
  const dayOf = (ms: number): string => exactTime(ms, zone).split(' ').slice(0, 3).join(' ');
  const day = (ms: number): string => {
    const named = dayOf(ms);
    if (named === dayOf(nowMs)) return 'today';
    return named === dayOf(nowMs - 86_400_000) ? 'yesterday' : named;
  };
  const time = (ms: number): string => {
    const words = clockTime(ms, zone);
    return words.endsWith(':00') || end - start >= 600_000 ? words.slice(0, 5) : words;
  };
  const last = to === undefined ? 'now' : day(start) === day(end) ? time(end) : `${day(end)} ${time(end)}`;
  const words = `${day(start)} ${time(start)} – ${last}`;
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}`;
}

/** What the time button says. */
export function rangeLabel({ from = DEFAULT_FROM, to }: RangeText, nowMs: number, zone: Zone): string {
  const preset = PRESETS.find((one) => one.from === from && to === undefined);
  if (preset !== undefined) return preset.label;
  if (to === undefined && relativeMs(from) !== undefined) return `Last ${length(relativeMs(from) ?? 0)}`;
  const [start, end] = [readMoment(from, nowMs), to === undefined ? nowMs : readMoment(to, nowMs)];
  if (start === undefined || end === undefined) return 'Last 15 min';
  return to === undefined ? rangeWords({ from }, nowMs, zone) : fixedLabel(start, end, zone);
}
