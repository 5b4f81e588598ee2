import { CLASS, DELIMITER, DIGIT, INNER, isDigit, isHex, isWordByte, LETTER, SPACE } from './bytes.ts';
import { FIRST_MASK, KIND } from './kinds.ts';
import { isKeyWithoutValue, opensText, quotedAt, wildcardEnd } from './quoted.ts';
import { clockEnd, colonGroups, dateEnd, namedDateEnd, quantityAt, type Quantity } from './values.ts';
import { lettered, numeral, pathEnd, plainNumber, plainWord, PRIME, SEED, urlEnd, VALUE, type Word } from './words.ts';

/** A line has no more tokens; what follows them is one value. */
export const MOST_TOKENS = 128;
/** Of a line, no more than this is looked at, bytes; what follows is one value. */
const MOST_BYTES = 4096;
/** Looked ahead of, bytes. */
const PADDING = 64;
/** So many values of a kind in a row are a list. */
const LIST = 5;

/**
 * Tokens of the line that was scanned last. What stands between two of them, and before the first and after the last, is a gap: white space and
 * punctuation. Offsets count from the beginning of the line.
 */
export interface Tokens {
  count: number;
  /** Whether the line was too long: then its last token is its end. */
  isCut: boolean;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
  /** Of the text where it may be a constant; the same for every value. */
  readonly hash: Int32Array;
  /** Of the gap before each token, and after the last; any run of white space counts as one blank. */
  readonly gap: Int32Array;
  /** How a value is written: the units of a quantity, the length of a list; else 0. */
  readonly detail: Int32Array;
}

/** What opens what a byte closes; 0 where it closes nothing. */
const OPENING = new Uint8Array(256);
for (const [opening, closing] of ['()', '[]', '{}', '""', "''"])
  OPENING[closing!.charCodeAt(0)] = opening!.charCodeAt(0);

/** A scanner at work on a line. */
interface ScanState {
  readonly tokens: Tokens;
  /** A copy of the line with nothing behind it, so that what looks ahead need not mind the end. */
  readonly bytes: Buffer;
  readonly word: Word;
  readonly quantity: Quantity;
  /** Where the copy ends. */
  stop: number;
  listKind: number;
  listGap: number;
  /** The hash of the gap so far. */
  gap: number;
}

/** Splits lines. */
export interface Scanner {
  /** Those of the line that was split last. */
  readonly tokens: Tokens;
  /** Splits the line that lies from `from` to `to`. */
  scan(line: Buffer, from: number, to: number): void;
}

export function createScanner(): Scanner {
  const tokens: Tokens = {
    count: 0,
    isCut: false,
    start: new Int32Array(MOST_TOKENS + 1),
    end: new Int32Array(MOST_TOKENS + 1),
    kind: new Uint8Array(MOST_TOKENS + 1),
    hash: new Int32Array(MOST_TOKENS + 1),
    gap: new Int32Array(MOST_TOKENS + 2),
    detail: new Int32Array(MOST_TOKENS + 1),
  };
  const state: ScanState = {
    tokens,
    bytes: Buffer.alloc(MOST_BYTES + PADDING),
    word: { end: 0, hash: 0, kind: KIND.word },
    quantity: { end: 0, kind: KIND.size, units: 0 },
    stop: 0,
    listKind: 0,
    listGap: 0,
    gap: SEED,
  };
  return { tokens, scan: (line, from, to) => scan(state, line, from, to) };
}

/** Splits the line that lies from `from` to `to`. */
function scan(state: ScanState, line: Buffer, from: number, to: number): void {
  const length = to - from;
  copy(state, line, from, length);
  const at = split(state);
  const { tokens } = state;
  tokens.isCut = at < length;
  if (at >= length) return;
  state.word.end = length;
  state.word.kind = KIND.any;
  push(state, at);
  tokens.gap[tokens.count] = SEED;
}

function copy(state: ScanState, line: Buffer, from: number, length: number): void {
  let stop = Math.min(length, MOST_BYTES);
  // Never within a character of several bytes.
  if (stop < length) while (stop > MOST_BYTES - 4 && ((line[from + stop] ?? 0) & 0xc0) === 0x80) stop--;
  line.copy(state.bytes, 0, from, from + stop);
  state.bytes.fill(0, stop, stop + PADDING);
  state.stop = stop;
}

/** Finds the tokens, and answers how far it came. */
function split(state: ScanState): number {
  const bytes = state.bytes;
  const stop = state.stop;
  const { tokens } = state;
  tokens.count = 0;
  state.gap = SEED;
  let isSpaced = false;
  let at = 0;
  while (at < stop && tokens.count < MOST_TOKENS) {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    if (of === SPACE) {
      if (!isSpaced) state.gap = Math.imul(state.gap ^ 32, PRIME);
      isSpaced = true;
      at++;
      continue;
    }
    isSpaced = false;
    if (of === DELIMITER && byte !== 60) at = delimiter(state, at, byte);
    else if (wordAt(state, at, of)) {
      push(state, at);
      at = state.word.end;
    } else {
      state.gap = Math.imul(state.gap ^ byte, PRIME);
      at++;
    }
  }
  // A blank at the end is none of the template's concern.
  if (at >= stop && isSpaced) state.gap = endingGap(state);
  tokens.gap[tokens.count] = state.gap;
  return at;
}

/** Minds a bracket, a quote or the like, with what it opens. Answers where to go on. */
function delimiter(state: ScanState, at: number, byte: number): number {
  const bytes = state.bytes;
  const opening = OPENING[byte] ?? 0;
  const opens = byte === 34 && opensText(bytes, at, state.stop);
  if (!opens && opening !== 0 && bytes[at - 1] === opening) pushEmpty(state, at);
  state.gap = Math.imul(state.gap ^ byte, PRIME);
  if (opens && state.tokens.count < MOST_TOKENS) {
    quotedAt(bytes, at + 1, state.stop, state.word);
    push(state, at + 1);
    return state.word.end;
  }
  if (byte === 61 && isKeyWithoutValue(bytes, at + 1, state.stop)) pushEmpty(state, at + 1);
  return at + 1;
}

/** Finds the word at a place, and says whether there is one. */
function wordAt(state: ScanState, at: number, of: number): boolean {
  const word = state.word;
  word.hash = VALUE;
  if (of === DELIMITER) return lessThan(state, at);
  if (of === INNER) return marked(state, at);
  if (state.bytes[at - 1] !== 47 && (of === DIGIT ? plainNumber : plainWord)(state.bytes, at, word)) return true;
  if (of === DIGIT ? digits(state, at) : letters(state, at)) return true;
  const bytes = state.bytes;
  if (bytes[word.end] !== 58) return true;
  if (word.end - at <= 4 && isHex(bytes[at]) && colons(state, at)) return true;
  // A path of Windows.
  if (of !== LETTER || word.end - at !== 1 || (bytes[at + 2] !== 92 && bytes[at + 2] !== 47)) return true;
  word.end = Math.max(pathEnd(bytes, at, state.stop), at + 1);
  return isA(state, KIND.path);
}

function isA(state: ScanState, kind: Word['kind']): true {
  state.word.kind = kind;
  state.word.hash = VALUE;
  return true;
}

/** `<1 sec`, or what is written like a wildcard. */
function lessThan(state: ScanState, at: number): boolean {
  const bytes = state.bytes;
  if (isDigit(bytes[at + 1]) && bytes[at - 1] === 32 && quantityFrom(state, at + 1)) return true;
  const reached = wildcardEnd(bytes, at, state.stop);
  state.word.end = reached;
  return reached > at && isA(state, KIND.any);
}

function quantityFrom(state: ScanState, at: number): boolean {
  if (!quantityAt(state.bytes, at, state.stop, state.quantity)) return false;
  state.word.end = state.quantity.end;
  return isA(state, state.quantity.kind);
}

function colons(state: ScanState, at: number): boolean {
  const groups = colonGroups(state.bytes, at, state.stop);
  if (groups === undefined) return false;
  state.word.end = groups.end;
  return isA(state, groups.kind);
}

/** A path or a number with its sign. */
function marked(state: ScanState, at: number): boolean {
  const bytes = state.bytes;
  const word = state.word;
  const stop = state.stop;
  const isFree = at === 0 || (CLASS[bytes[at - 1] ?? 0] ?? 0) < INNER || bytes[at - 1] === 58;
  if (!isFree || at + 1 >= stop) return false;
  const byte = bytes[at];
  const next = bytes[at + 1];
  if ((byte === 45 || byte === 43) && isDigit(next)) {
    numeral(bytes, at + 1, stop, word);
    return true;
  }
  const isRelative = (byte === 46 || byte === 126) && (next === 47 || (next === 46 && bytes[at + 2] === 47));
  if (!isRelative && !(byte === 47 && (isWordByte(next) || next === 46))) return false;
  if (byte === 47 && isDigit(next)) {
    // The address of a socket as Java writes it: the slash is none of it.
    numeral(bytes, at + 1, stop, word);
    const of = bytes[word.end];
    if (word.kind === KIND.address && (of === 58 || CLASS[of ?? 0] !== INNER)) return false;
  }
  word.end = pathEnd(bytes, at, stop);
  return word.end > at && isA(state, KIND.path);
}

function digits(state: ScanState, at: number): boolean {
  const bytes = state.bytes;
  if (isInUrl(state, at)) return true;
  if (bytes[at + 2] === 58 && bytes[at + 5] === 58 && bytes[at + 8] === 58 && colons(state, at)) return true;
  const clock = clockEnd(bytes, at, state.stop);
  const reached = clock >= 0 ? clock : dateEnd(bytes, at, state.stop);
  if (reached >= 0) {
    state.word.end = reached;
    return isA(state, KIND.time);
  }
  if (quantityFrom(state, at)) return true;
  numeral(bytes, at, state.stop, state.word);
  return false;
}

function letters(state: ScanState, at: number): boolean {
  const bytes = state.bytes;
  if (isInUrl(state, at)) return true;
  if (bytes[at + 3] === 32 || bytes[at + 3] === 44) {
    const reached = namedDateEnd(bytes, at, state.stop);
    if (reached >= 0) {
      state.word.end = reached;
      return isA(state, KIND.time);
    }
  }
  lettered(bytes, at, state.stop, state.word);
  return false;
}

/** Whether a scheme stands before a place, and a path behind the host. */
function isInUrl(state: ScanState, at: number): boolean {
  const bytes = state.bytes;
  if (bytes[at - 1] !== 47 || at < 3 || bytes[at - 2] !== 47 || bytes[at - 3] !== 58) return false;
  const reached = urlEnd(bytes, at, state.stop);
  if (!bytes.subarray(at, reached).includes(47)) return false;
  state.word.end = reached;
  return isA(state, KIND.url);
}

function push(state: ScanState, at: number): void {
  const { tokens } = state;
  const { end, kind, hash } = state.word;
  const index = tokens.count;
  const isValue = kind >= FIRST_MASK;
  tokens.gap[index] = state.gap;
  tokens.start[index] = at;
  tokens.end[index] = end;
  tokens.kind[index] = kind;
  tokens.hash[index] = isValue ? VALUE : hash;
  tokens.detail[index] = kind === KIND.size || kind === KIND.duration ? state.quantity.units : 0;
  tokens.count = (isValue ? listed(state, index) : index) + 1;
  state.gap = SEED;
}

function pushEmpty(state: ScanState, at: number): void {
  if (state.tokens.count >= MOST_TOKENS) return;
  state.word.end = at;
  state.word.kind = KIND.empty;
  state.word.hash = SEED;
  push(state, at);
}

/** Makes one token of values in a row, and of those that follow. Answers the place of the last token. */
function listed(state: ScanState, last: number): number {
  const { kind, gap, end, detail } = state.tokens;
  const one = kind[last] ?? 0;
  const between = gap[last] ?? 0;
  if (last > 0 && kind[last - 1] === KIND.list && between === state.listGap && one === state.listKind) {
    end[last - 1] = end[last] ?? 0;
    detail[last - 1] = (detail[last - 1] ?? 0) + 1;
    return last - 1;
  }
  const first = last - LIST + 1;
  if (first < 0) return last;
  for (let at = last - 1; at >= first; at--) if (kind[at] !== one || (at > first && gap[at] !== between)) return last;
  state.listKind = one;
  state.listGap = between;
  end[first] = end[last] ?? 0;
  kind[first] = KIND.list;
  detail[first] = LIST;
  return first;
}

/** The hash of the last gap with the white space at its end left out. */
function endingGap(state: ScanState): number {
  const bytes = state.bytes;
  const { count, end } = state.tokens;
  let hash = SEED;
  let last = state.stop;
  const from = count > 0 ? (end[count - 1] ?? 0) : 0;
  while (last > from && CLASS[bytes[last - 1] ?? 0] === SPACE) last--;
  let isSpaced = false;
  for (let at = from; at < last; at++) {
    const byte = bytes[at] ?? 0;
    const isSpace = CLASS[byte] === SPACE;
    if (!(isSpace && isSpaced)) hash = Math.imul(hash ^ (isSpace ? 32 : byte), PRIME);
    isSpaced = isSpace;
  }
  return hash;
}
