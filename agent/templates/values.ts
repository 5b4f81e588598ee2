import { CLASS, isDigit, isHex, isWordByte, LETTER } from './bytes.ts';
import { KIND, type Kind } from './kinds.ts';
import { hashesOf, nameHash } from './names.ts';

/**
 * Values that go over what ends a token: clocks, dates, hardware addresses. Each takes the bytes, where to look and where the line ends, and answers where
 * the value ends, or -1.
 */

const COLON = 58;
const BLANK = 32;
const POINT = 46;
const COMMA = 44;

/** How many digits stand at a place, `most` at most. */
function digits(bytes: Uint8Array, at: number, most: number): number {
  let count = 0;
  while (count < most && isDigit(bytes[at + count])) count++;
  return count;
}

const closed = (bytes: Uint8Array, at: number, end: number): boolean =>
  at >= end || !(isWordByte(bytes[at]) || (bytes[at] === COLON && isDigit(bytes[at + 1])));

/** `7:05`, `07:05:59`, `07:05:59.123`, `07:05:59,123`, with `Z` or `+02:00` behind it. */
export function clockEnd(bytes: Uint8Array, start: number, end: number): number {
  const hours = digits(bytes, start, 3);
  if (hours === 0 || hours > 2) return -1;
  let at = start + hours;
  let groups = 0;
  while (groups < 2 && bytes[at] === COLON && digits(bytes, at + 1, 3) === 2) {
    at += 3;
    groups++;
  }
  if (groups === 0) return -1;
  if (groups === 2 && (bytes[at] === POINT || bytes[at] === COMMA)) {
    const fraction = digits(bytes, at + 1, 10);
    if (fraction > 0 && fraction < 10) at += 1 + fraction;
  }
  if (bytes[at] === 90) at++;
  else if ((bytes[at] === 43 || bytes[at] === 45) && digits(bytes, at + 1, 3) === 2 && groups === 2) {
    const minutes = bytes[at + 3] === COLON ? at + 4 : at + 3;
    at = digits(bytes, minutes, 3) === 2 ? minutes + 2 : at;
  }
  return at <= end && closed(bytes, at, end) ? at : -1;
}

const packed = (text: string): number => (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2);
const MONTHS = new Set('jan feb mar apr may jun jul aug sep oct nov dec'.split(' ').map(packed));
const WEEKDAYS = new Set('mon tue wed thu fri sat sun'.split(' ').map(packed));

function isOneOf(names: ReadonlySet<number>, bytes: Uint8Array, at: number): boolean {
  const word = (((bytes[at] ?? 0) | 32) << 16) | (((bytes[at + 1] ?? 0) | 32) << 8) | ((bytes[at + 2] ?? 0) | 32);
  return names.has(word);
}

/** A clock after a blank, and a zone or a year behind it. */
function afterDate(bytes: Uint8Array, at: number, end: number): number {
  let reached = at;
  const clock = bytes[reached] === BLANK ? clockEnd(bytes, reached + 1, end) : -1;
  if (clock >= 0) {
    reached = clock;
    let zone = reached + 1;
    while (zone < reached + 5 && (bytes[zone] ?? 0) >= 65 && (bytes[zone] ?? 0) <= 90) zone++;
    if (bytes[reached] === BLANK && zone > reached + 3 && bytes[zone] === BLANK && digits(bytes, zone + 1, 5) === 4)
      reached = zone;
  }
  if (bytes[reached] === BLANK && digits(bytes, reached + 1, 5) === 4 && closed(bytes, reached + 5, end)) reached += 5;
  return reached;
}

/** `Fri Jun 17 07:07:00 2005`, `Jun 17 07:07:00`, `Jun  7 2005`. */
export function namedDateEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (isOneOf(WEEKDAYS, bytes, at)) {
    at += bytes[at + 3] === COMMA ? 4 : 3;
    if (bytes[at] !== BLANK) return -1;
    at++;
  }
  if (!isOneOf(MONTHS, bytes, at) || bytes[at + 3] !== BLANK) return -1;
  at += 4;
  if (bytes[at] === BLANK) at++;
  const day = digits(bytes, at, 3);
  if (day === 0 || day > 2) return -1;
  at += day;
  const reached = afterDate(bytes, at, end);
  return reached > at && reached <= end ? reached : -1;
}

/** `2026-01-31`, `2026/01/31`, with a clock behind `T` or a blank, and `31/Jan/2026:07:05:59 +0100`. */
export function dateEnd(bytes: Uint8Array, start: number, end: number): number {
  const first = digits(bytes, start, 5);
  const mark = bytes[start + first];
  if (first === 2 && mark === 47 && isOneOf(MONTHS, bytes, start + 3) && bytes[start + 6] === 47) {
    const clock = bytes[start + 11] === COLON ? clockEnd(bytes, start + 12, end) : -1;
    if (clock < 0) return -1;
    const zone = bytes[clock] === BLANK && (bytes[clock + 1] === 43 || bytes[clock + 1] === 45);
    return zone && digits(bytes, clock + 2, 5) === 4 ? clock + 6 : clock;
  }
  if (first !== 4 || (mark !== 45 && mark !== 47) || digits(bytes, start + 5, 3) !== 2) return -1;
  if (bytes[start + 7] !== mark || digits(bytes, start + 8, 3) !== 2) return -1;
  const at = start + 10;
  if (at > end) return -1;
  const clock = bytes[at] === 84 || bytes[at] === BLANK ? clockEnd(bytes, at + 1, end) : -1;
  if (clock >= 0) return clock;
  return closed(bytes, at, end) ? at : -1;
}

/** Groups of hexadecimal digits joined by colons: an address of hardware, of IPv6, or of a bus. */
export function colonGroups(bytes: Uint8Array, start: number, end: number): { end: number; kind: Kind } | undefined {
  let at = start;
  let colons = 0;
  let pairs = 0;
  let hasGap = false;
  let hasDigit = false;
  for (;;) {
    let length = 0;
    while (length < 5 && at < end && isHex(bytes[at])) {
      if (isDigit(bytes[at])) hasDigit = true;
      at++;
      length++;
    }
    if (length > 4) return undefined;
    if (length === 2) pairs++;
    if (length === 0 && colons > 0) hasGap = true;
    if (at >= end || bytes[at] !== COLON || colons > 31) break;
    if (!isHex(bytes[at + 1]) && !(bytes[at + 1] === COLON && isHex(bytes[at + 2]))) break;
    colons++;
    at++;
  }
  if (!hasDigit || isWordByte(bytes[at])) return undefined;
  if (colons >= 5 && pairs === colons + 1) return { end: at, kind: KIND.mac };
  if (colons >= 7 || (hasGap && colons >= 2)) return { end: at, kind: KIND.address };
  if (colons !== 2 || pairs < 2) return undefined;
  // A place on a bus: 0000:00:1f.0.
  return { end: bytes[at] === POINT && isDigit(bytes[at + 1]) ? at + 2 : at, kind: KIND.hex };
}

const SIZES = hashesOf('b kb mb gb tb pb kib mib gib tib byte bytes');
const TIMES = hashesOf(
  'ns us ms s sec secs second seconds min mins minute minutes hour hours day days msec msecs millis milliseconds',
);

/** A quantity that was found: where it ends, and which units it is written with. */
export interface Quantity {
  end: number;
  kind: Kind;
  units: number;
}

/** Number, blank and unit; -1 where there is none. Leaves the unit's hash in `found`. */
function measured(bytes: Uint8Array, start: number, end: number, found: Quantity): boolean {
  let at = start;
  while (at < end && (isDigit(bytes[at]) || bytes[at] === POINT || bytes[at] === COMMA)) at++;
  if (bytes[at] !== BLANK || !isDigit(bytes[at - 1])) return false;
  const from = ++at;
  while (at < end && at - from < 13 && (CLASS[bytes[at] ?? 0] ?? 0) === LETTER) at++;
  if (at === from || at > end || isDigit(bytes[at])) return false;
  const unit = nameHash(bytes, from, at);
  const isSize = SIZES.has(unit);
  if (!isSize && !TIMES.has(unit)) return false;
  found.end = at;
  found.kind = isSize ? KIND.size : KIND.duration;
  found.units = unit;
  return true;
}

const rounded: Quantity = { end: 0, kind: KIND.size, units: 0 };

/** Finds a number with its unit, and with the same rounded in brackets behind it. */
export function quantityAt(bytes: Uint8Array, start: number, end: number, found: Quantity): boolean {
  if (!measured(bytes, start, end, found)) return false;
  const at = found.end;
  if (bytes[at] !== BLANK || bytes[at + 1] !== 40 || !isDigit(bytes[at + 2])) return true;
  if (!measured(bytes, at + 2, end, rounded) || bytes[rounded.end] !== 41 || rounded.end >= end) return true;
  found.end = rounded.end + 1;
  found.units = Math.imul(found.units ^ rounded.units, 16777619) ^ 40;
  return true;
}
