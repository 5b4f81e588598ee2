import { CLASS, isDigit, LETTER } from './bytes.ts';
import { KIND, type Kind } from './kinds.ts';

/** Bytes as the characters U+0000 to U+00FF. */
export const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

/** The hash of a name in lower case, for looking it up without making a text of it: texts took half of a line's time. */
export function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ ((bytes[at] ?? 0) | 32), 16777619);
  return hash;
}

export const hashesOf = (names: string): ReadonlySet<number> =>
  new Set(names.split(' ').map((name) => nameHash(Buffer.from(name), 0, name.length)));

const FLAGS = hashesOf('true false null');
const SUPERUSER = hashesOf('root');
const TOP_LEVEL = hashesOf('com net org edu gov mil io info biz dev local internal lan localdomain');
const PACKAGES = hashesOf('com org net edu java javax io');

/** What a word of letters is. */
export function kindOfLetters(bytes: Uint8Array, start: number, end: number): Kind {
  const length = end - start;
  if (length !== 4 && length !== 5) return KIND.word;
  const hash = nameHash(bytes, start, end);
  if (FLAGS.has(hash)) return KIND.flag;
  return SUPERUSER.has(hash) ? KIND.user : KIND.word;
}

const isLetter = (byte: number | undefined): boolean => ((byte ?? 0) | 32) >= 97 && ((byte ?? 0) | 32) <= 122;

/** Whether a dotted name is a host's: it ends like one, and does not begin like a package of Java. */
export function isHost(bytes: Uint8Array, start: number, end: number, points: number): boolean {
  let at = end;
  while (at > start && bytes[at - 1] !== 46) at--;
  const length = end - at;
  if (length < 2 || length > 11) return false;
  const isCountry = length === 2 && points > 1 && isLetter(bytes[at]) && isLetter(bytes[at + 1]);
  if (!isCountry && !TOP_LEVEL.has(nameHash(bytes, at, end))) return false;
  return !PACKAGES.has(nameHash(bytes, start, bytes.indexOf(46, start)));
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
