import { CLASS, isDigit, isWordByte, SPACE } from './bytes.ts';
import { KIND, SPACING, WILDCARDS } from './kinds.ts';
import { hashesOf, latin1, nameHash } from './names.ts';
import { MOST_WORD, PRIME, SEED, type Word } from './words.ts';

const WRITTEN = new Set([...Object.values(WILDCARDS), SPACING]);

/** The end of what is written like a wildcard: it is a value, so that the text of a template is never ambiguous. -1 where there is none. */
export function wildcardEnd(bytes: Uint8Array, at: number, to: number): number {
  for (let end = at + 2; end < to && end < at + 11; end++)
    if (bytes[end] === 62) return WRITTEN.has(latin1(bytes, at, end + 1)) ? end + 1 : -1;
  return -1;
}

/** Keys whose text is the message itself. */
const MESSAGES = hashesOf('msg message event err error reason log text');
const LONGEST_KEY = 7;

const isSpaceAt = (bytes: Uint8Array, at: number): boolean => CLASS[bytes[at] ?? 0] === SPACE;

/** Whether such a key stands before a place, as in `msg=`, `"message": ` and `err : `. By bytes: as a text it took a fifth of a line's time. */
function isAfterMessageKey(bytes: Uint8Array, at: number): boolean {
  let end = isSpaceAt(bytes, at - 1) ? at - 1 : at;
  if (bytes[end - 1] !== 61 && bytes[end - 1] !== 58) return false;
  end -= isSpaceAt(bytes, end - 2) ? 2 : 1;
  if (bytes[end - 1] === 34 || bytes[end - 1] === 39) end -= 1;
  let start = end;
  while (start > 0 && end - start <= LONGEST_KEY && isLetter(bytes[start - 1])) start -= 1;
  return MESSAGES.has(nameHash(bytes, start, end));
}

/** A to Z, in either case. */
const isLetter = (byte = 0): boolean => (byte | 32) >= 97 && (byte | 32) <= 122;

/** Whether a quote opens a text of several words that is the value of a key, and closes before the line ends. */
export function opensText(bytes: Uint8Array, at: number, to: number): boolean {
  const before = bytes[at - 1];
  if (at < 2 || !(before === 61 || before === 58 || (before === 32 && bytes[at - 2] === 58))) return false;
  if (before !== 61 && bytes[at - (before === 58 ? 2 : 3)] !== 34) return false;
  if (isAfterMessageKey(bytes, at)) return false;
  let hasSpace = false;
  for (let next = at + 1; next < to; next++) {
    const byte = bytes[next] ?? 0;
    if (byte === 92) return false;
    if (byte === 34) return hasSpace && next > at + 1;
    if (CLASS[byte] === SPACE) hasSpace = true;
  }
  return false;
}

/** Takes the text in quotes that begins at a place. */
export function quotedAt(bytes: Uint8Array, start: number, to: number, word: Word): void {
  let hash = SEED;
  let isPlain = true;
  let at = start;
  for (; at < to && bytes[at] !== 34; at++) {
    if (isDigit(bytes[at]) || bytes[at] === 60) isPlain = false;
    hash = Math.imul(hash ^ (bytes[at] ?? 0), PRIME);
  }
  word.end = at;
  word.hash = hash;
  word.kind = isPlain && at - start <= MOST_WORD ? KIND.quoted : KIND.any;
}

/** Whether nothing follows `key=`. */
export function isKeyWithoutValue(bytes: Uint8Array, at: number, to: number): boolean {
  if (at < 2 || !isWordByte(bytes[at - 2])) return false;
  const next = at >= to ? 32 : (bytes[at] ?? 0);
  return CLASS[next] === SPACE || next === 44 || next === 59;
}
