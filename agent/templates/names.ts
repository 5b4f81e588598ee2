import { CLASS, isDigit, LETTER } from './bytes.ts';
import { KIND, type Kind } from './kinds.ts';

const FLAGS = new Set(['true', 'false', 'null']);
const TOP_LEVEL = new Set('com net org edu gov mil io info biz dev local internal lan localdomain'.split(' '));
const PACKAGES = /^(?:com|org|net|edu|java|javax|io)\./i;

/** Bytes as the characters U+0000 to U+00FF. */
export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

const lower = (bytes: Uint8Array, start: number, end: number): string => latin1(bytes, start, end).toLowerCase();

/** What a word of letters is. */
export function kindOfLetters(bytes: Uint8Array, start: number, end: number): Kind {
  const length = end - start;
  if (length !== 4 && length !== 5) return KIND.word;
  const text = lower(bytes, start, end);
  return FLAGS.has(text) ? KIND.flag : text === 'root' ? KIND.user : KIND.word;
}

/** Whether a dotted name is a host's: it ends like one, and does not begin like a package of Java. */
export function isHost(bytes: Uint8Array, start: number, end: number, points: number): boolean {
  let at = end;
  while (at > start && bytes[at - 1] !== 46) at--;
  const length = end - at;
  if (length < 2 || length > 11) return false;
  const last = lower(bytes, at, end);
  if (!(TOP_LEVEL.has(last) || (length === 2 && points > 1 && /^[a-z]{2}$/.test(last)))) return false;
  return !PACKAGES.test(lower(bytes, start, Math.min(end, start + 6)));
}

/** Whether three parts or more between dashes have digits: `R25-M1-N2`. */
export function isPlaceName(bytes: Uint8Array, start: number, end: number): boolean {
  let parts = 0;
  let hasDigit = false;
  for (let at = start; at <= end; at++) {
    if (at === end || bytes[at] === 45) {
      if (hasDigit) parts++;
      hasDigit = false;
    } else if (isDigit(bytes[at])) hasDigit = true;
  }
  return parts > 2;
}

/** `v1.2.3`. */
export function isVersion(bytes: Uint8Array, start: number, end: number): boolean {
  if (((bytes[start] ?? 0) | 32) !== 118 || !isDigit(bytes[start + 1])) return false;
  for (let at = start + 1; at < end; at++) if (!isDigit(bytes[at]) && bytes[at] !== 46) return false;
  return true;
}

/** Whether a word is a number with letters for its unit behind it. */
export function hasUnit(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && (isDigit(bytes[at]) || bytes[at] === 46)) at++;
  while (at < end && CLASS[bytes[at] ?? 0] === LETTER) at++;
  return at === end;
}
