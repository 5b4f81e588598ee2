import { CLASS, DELIMITER, DIGIT, INNER, isDigit, isHex, isWordByte, LETTER, SPACE } from './bytes.ts';
import { FIRST_MASK, KIND, SPACING, WILDCARDS, type Kind } from './kinds.ts';
import { clockEnd, colonGroups, dateEnd, namedDateEnd, quantityAt, type Quantity } from './values.ts';

/** A line has no more tokens; what follows them is one value. */
export const MOST_TOKENS = 128;
/** Of a line, no more than this is looked at, bytes; what follows is one value. */
export const MOST_BYTES = 4096;
/** Looked ahead of, bytes. */
const PADDING = 64;
/** A longer word is a value. */
const MOST_WORD = 64;

const PRIME = 16777619;
const SEED = 0x811c9dc5 | 0;
const MASK_HASH = 0x5bd1e995 | 0;

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

const FLAGS = new Set(['true', 'false', 'null']);

/** Facts of one word, gathered while its end is looked for. */
interface Word {
  end: number;
  hash: number;
  kind: Kind;
}

export interface Scanner {
  readonly tokens: Tokens;
  /** Splits a line. `tokens` holds the answer until the next call. */
  scan(line: Buffer, from: number, to: number): void;
}

const isInnerByte = (byte: number | undefined): boolean => CLASS[byte ?? 0] === INNER;

const lower = (bytes: Uint8Array, start: number, end: number): string => {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text.toLowerCase();
};

/** What a word of letters is. */
function kindOfLetters(bytes: Uint8Array, start: number, end: number): Kind {
  const length = end - start;
  if (length !== 4 && length !== 5) return KIND.word;
  const text = lower(bytes, start, end);
  return FLAGS.has(text) ? KIND.flag : text === 'root' ? KIND.user : KIND.word;
}

/** A word that begins with a digit, after what goes over colons has been ruled out. Ends at a colon and a slash. */
function numeral(bytes: Uint8Array, start: number, to: number, word: Word): void {
  let at = start;
  let end = start;
  let points = 0;
  let others = 0;
  let dashes = 0;
  let hex = true;
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    if (of < INNER || byte === 58 || byte === 47) break;
    if (of === INNER) {
      if (byte === 46) points++;
      else if (byte === 45) dashes++;
      else if (byte === 37) break;
      else others++;
      continue;
    }
    if (of === LETTER) {
      others++;
      if (!isHex(byte)) hex = false;
    }
    end = at + 1;
  }
  word.end = end;
  word.hash = MASK_HASH;
  const length = end - start;
  if (others === 0) {
    if (points === 3 && dashes === 0) word.kind = KIND.address;
    else if (dashes === 4 && length === 36) word.kind = KIND.uuid;
    else word.kind = points + dashes === 0 && length >= 8 && bytes[start] === 48 ? KIND.hex : KIND.number;
  } else if (bytes[start] === 48 && ((bytes[start + 1] ?? 0) | 32) === 120) word.kind = KIND.hex;
  else if (hex && dashes === 4 && length === 36) word.kind = KIND.uuid;
  else if (hex && dashes + points === 0 && length >= 6) word.kind = KIND.hex;
  else word.kind = hasUnit(bytes, start, end) ? KIND.number : KIND.any;
}

/** Whether a word is a number with letters for its unit behind it. */
function hasUnit(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end && (isDigit(bytes[at]) || bytes[at] === 46)) at++;
  while (at < end && CLASS[bytes[at] ?? 0] === LETTER) at++;
  return at === end;
}

/** A path up to what cannot stand in one; -1 where none begins. */
function pathEnd(bytes: Uint8Array, start: number, to: number): number {
  let at = start;
  let end = -1;
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    if (of < INNER || (byte === 58 && at > start + 1)) break;
    if (of > INNER || byte === 42 || byte === 47 || byte === 37 || byte === 126) end = at + 1;
  }
  return end;
}

/** An address with its scheme left out. */
function urlEnd(bytes: Uint8Array, start: number, to: number): number {
  let at = start;
  let end = start;
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    if (of === SPACE || (of === DELIMITER && byte !== 61 && byte !== 59)) break;
    if (of > INNER || byte === 47) end = at + 1;
  }
  return end;
}

/** A word that begins with a letter. */
function lettered(bytes: Uint8Array, start: number, to: number, word: Word): void {
  let at = start;
  let end = start;
  let hash = SEED;
  let hashAtEnd = SEED;
  let firstDigit = -1;
  let digits = 0;
  let run = 0;
  let longest = 0;
  let points = 0;
  let slashes = 0;
  let pointsAfterSlash = 0;
  let prefixEnd = start;
  let prefixHash = SEED;
  let dashes = 0;
  let hex = true;
  let tail = true;
  let hasVersion = false;
  let dashesBefore = 0;
  let mark = -1;
  let markEnd = start;
  let markHash = SEED;
  let markTail = false;
  for (; at < to; at++) {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    if (of < INNER || byte === 58) break;
    if (of === INNER) {
      run = 0;
      if (byte === 46) {
        if (bytes[at + 1] === 46) break;
        if (isDigit(bytes[at - 1]) && isDigit(bytes[at + 1])) hasVersion = true;
        points++;
        if (slashes > 0) pointsAfterSlash++;
      } else if (byte === 45) {
        dashes++;
        if (firstDigit < 0) dashesBefore++;
      } else if (byte === 47) {
        if (!isWordByte(bytes[at + 1]) || (isDigit(bytes[at + 1]) && slashes === 0)) break;
        slashes++;
      } else if (byte === 64 || byte === 35) {
        mark = at;
        markEnd = end;
        markHash = hashAtEnd;
        markTail = true;
      }
      hash = Math.imul(hash ^ byte, PRIME);
      continue;
    }
    hash = Math.imul(hash ^ byte, PRIME);
    if (of === DIGIT) {
      if (firstDigit < 0) {
        firstDigit = at;
        prefixEnd = end;
        prefixHash = hashAtEnd;
      }
      digits++;
      if (++run > longest) longest = run;
    } else {
      run = 0;
      if (!isHex(byte)) {
        hex = false;
        markTail = false;
        if (firstDigit >= 0) tail = false;
      }
    }
    end = at + 1;
    hashAtEnd = hash;
  }
  word.end = end;
  word.hash = hashAtEnd;
  const length = end - start;
  if (firstDigit >= 0 && tail && slashes === 0 && prefixEnd < firstDigit && !(dashes === 4 && length === 36)) {
    // A name and a number behind a mark: `core.2275`, `CPU#0`. An underscore before the mark belongs to a value.
    if (bytes[prefixEnd - 1] !== 95 && dashesBefore < 2) {
      word.end = prefixEnd;
      word.hash = prefixHash;
      word.kind = kindOfLetters(bytes, start, prefixEnd);
      return;
    }
  }
  if (markTail && markEnd > start && slashes === 0) {
    word.end = markEnd;
    word.hash = markHash;
    word.kind = points > 0 ? KIND.name : KIND.word;
    return;
  }
  const isPort = (bytes[end] === 58 || bytes[end] === 47) && isDigit(bytes[end + 1]) && end < to;
  if (slashes >= 2 || pointsAfterSlash > 0) word.kind = KIND.path;
  else if (isPort && points + digits > 0 && (points > 0 || dashes > 0)) word.kind = KIND.host;
  else if (points > 0 && mark < 0 && isHost(bytes, start, end, points)) word.kind = KIND.host;
  else if (hex && length >= 8 && dashes + points + slashes === 0) word.kind = KIND.hex;
  else if (digits === 0) word.kind = points > 0 ? KIND.name : kindOfLetters(bytes, start, end);
  else if (hex && dashes === 4 && length === 36) word.kind = KIND.uuid;
  else if (isVersion(bytes, start, end)) word.kind = KIND.number;
  else if (longest >= 4 || hasVersion || (dashes > 1 && isPlaceName(bytes, start, end))) word.kind = KIND.any;
  else word.kind = points > 0 ? KIND.name : KIND.code;
  if (length > MOST_WORD && word.kind < FIRST_MASK) word.kind = KIND.any;
  if (word.kind >= FIRST_MASK) word.hash = MASK_HASH;
}

const TOP_LEVEL = new Set('com net org edu gov mil io info biz dev local internal lan localdomain'.split(' '));
const PACKAGES = /^(?:com|org|net|edu|java|javax|io)\./i;

/** Whether a dotted name is a host's: it ends like one, and does not begin like a package of Java. */
function isHost(bytes: Uint8Array, start: number, end: number, points: number): boolean {
  let at = end;
  while (at > start && bytes[at - 1] !== 46) at--;
  const length = end - at;
  if (length < 2 || length > 11) return false;
  const last = lower(bytes, at, end);
  if (!(TOP_LEVEL.has(last) || (length === 2 && points > 1 && /^[a-z]{2}$/.test(last)))) return false;
  return !PACKAGES.test(lower(bytes, start, Math.min(end, start + 6)));
}

/** Whether three parts or more between dashes have digits: `R25-M1-N2`. */
function isPlaceName(bytes: Uint8Array, start: number, end: number): boolean {
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
function isVersion(bytes: Uint8Array, start: number, end: number): boolean {
  if (((bytes[start] ?? 0) | 32) !== 118 || !isDigit(bytes[start + 1])) return false;
  for (let at = start + 1; at < end; at++) if (!isDigit(bytes[at]) && bytes[at] !== 46) return false;
  return true;
}

const OPENING: Readonly<Record<number, number>> = { 41: 40, 93: 91, 125: 123, 34: 34, 39: 39 };

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
  const { start, end, kind, hash, gap, detail } = tokens;
  const scratch = Buffer.alloc(MOST_BYTES + PADDING);
  const word: Word = { end: 0, hash: 0, kind: KIND.word };
  const quantity: Quantity = { end: 0, kind: KIND.size, units: 0 };
  let listKind = 0;
  let listGap = 0;

  function colonsAt(bytes: Uint8Array, at: number, to: number): boolean {
    const groups = colonGroups(bytes, at, to);
    if (groups === undefined) return false;
    word.end = groups.end;
    word.kind = groups.kind;
    word.hash = MASK_HASH;
    return true;
  }

  /** Finds the word at a place, and says whether there is one. */
  function wordAt(bytes: Uint8Array, at: number, from: number, to: number): boolean {
    const byte = bytes[at] ?? 0;
    const of = CLASS[byte] ?? 0;
    word.hash = MASK_HASH;
    if (byte === 60 && isDigit(bytes[at + 1]) && bytes[at - 1] === 32 && quantityAt(bytes, at + 1, to, quantity)) {
      word.end = quantity.end;
      word.kind = quantity.kind;
      return true;
    }
    if (of === DELIMITER) {
      const reached = wildcardEnd(bytes, at, to);
      word.end = reached;
      word.kind = KIND.any;
      return reached > at;
    }
    if (of === INNER) {
      const before = at === from ? SPACE : (CLASS[bytes[at - 1] ?? 0] ?? 0);
      const isFree = before < INNER || bytes[at - 1] === 58;
      const next = bytes[at + 1];
      if (at + 1 >= to) return false;
      if (byte === 47 && isFree && (isWordByte(next) || next === 46)) {
        if (isDigit(next)) {
          numeral(bytes, at + 1, to, word);
          if (word.kind === KIND.address && !isInnerByte(bytes[word.end])) return false;
          if (word.kind === KIND.address && bytes[word.end] === 58) return false;
        }
        word.end = pathEnd(bytes, at, to);
        word.kind = KIND.path;
        return word.end > at;
      }
      if ((byte === 46 || byte === 126) && isFree && (next === 47 || (next === 46 && bytes[at + 2] === 47))) {
        word.end = pathEnd(bytes, at, to);
        word.kind = KIND.path;
        return word.end > at;
      }
      if ((byte === 45 || byte === 43) && isDigit(next) && isFree) {
        numeral(bytes, at + 1, to, word);
        return true;
      }
      return false;
    }
    if (bytes[at - 1] === 47 && at > from + 2 && bytes[at - 2] === 47 && bytes[at - 3] === 58) {
      const reached = urlEnd(bytes, at, to);
      if (bytes.subarray(at, reached).includes(47)) {
        word.end = reached;
        word.kind = KIND.url;
        return true;
      }
    }
    if (of === DIGIT) {
      if (bytes[at + 2] === 58 && bytes[at + 5] === 58 && bytes[at + 8] === 58 && colonsAt(bytes, at, to)) return true;
      const clock = clockEnd(bytes, at, to);
      const reached = clock >= 0 ? clock : dateEnd(bytes, at, to);
      if (reached >= 0) {
        word.end = reached;
        word.kind = KIND.time;
        return true;
      }
      if (quantityAt(bytes, at, to, quantity)) {
        word.end = quantity.end;
        word.kind = quantity.kind;
        return true;
      }
      numeral(bytes, at, to, word);
    } else {
      const third = bytes[at + 3];
      if (third === 32 || third === 44) {
        const reached = namedDateEnd(bytes, at, to);
        if (reached >= 0) {
          word.end = reached;
          word.kind = KIND.time;
          return true;
        }
      }
      lettered(bytes, at, to, word);
    }
    if (bytes[word.end] === 58 && word.end - at <= 4 && isHex(byte) && colonsAt(bytes, at, to)) return true;
    if (word.end - at === 1 && of === LETTER && bytes[at + 1] === 58 && (bytes[at + 2] === 92 || bytes[at + 2] === 47)) {
      word.end = Math.max(pathEnd(bytes, at, to), at + 1);
      word.kind = KIND.path;
      word.hash = MASK_HASH;
    }
    return true;
  }

  function push(index: number, from: number, at: number): void {
    start[index] = at - from;
    end[index] = word.end - from;
    kind[index] = word.kind;
    hash[index] = word.kind >= FIRST_MASK ? MASK_HASH : word.hash;
    detail[index] = word.kind === KIND.size || word.kind === KIND.duration ? quantity.units : 0;
  }

  /** Takes the text in quotes that begins at a place. */
  function quotedAt(bytes: Uint8Array, start: number, to: number): void {
    let hash = SEED;
    let hasDigit = false;
    let at = start;
    for (; at < to && bytes[at] !== 34; at++) {
      if (isDigit(bytes[at]) || bytes[at] === 60) hasDigit = true;
      hash = Math.imul(hash ^ (bytes[at] ?? 0), PRIME);
    }
    word.end = at;
    word.hash = hash;
    word.kind = hasDigit || at - start > MOST_WORD ? KIND.any : KIND.quoted;
  }

  function scan(line: Buffer, lineFrom: number, lineTo: number): void {
    // A copy with nothing behind it: what looks ahead need not mind the end. It costs 40 ns of the 5 µs that a line takes.
    const bytes = scratch;
    const from = 0;
    const to = lineTo - lineFrom;
    let stop = Math.min(to, MOST_BYTES);
    // Never within a character of several bytes.
    if (stop < to) while (stop > MOST_BYTES - 4 && ((line[lineFrom + stop] ?? 0) & 0xc0) === 0x80) stop--;
    line.copy(scratch, 0, lineFrom, lineFrom + stop);
    scratch.fill(0, stop, stop + PADDING);
    let at = from;
    let count = 0;
    let between = SEED;
    let isSpaced = false;
    while (at < stop && count < MOST_TOKENS) {
      const byte = bytes[at] ?? 0;
      const of = CLASS[byte] ?? 0;
      if (of === SPACE) {
        if (!isSpaced) between = Math.imul(between ^ 32, PRIME);
        isSpaced = true;
        at++;
        continue;
      }
      let isEmpty = false;
      if (of === DELIMITER && byte !== 60) {
        const opening = OPENING[byte];
        isEmpty = opening !== undefined && at > from && bytes[at - 1] === opening;
      } else if (wordAt(bytes, at, from, stop)) {
        gap[count] = between;
        push(count, from, at);
        if (word.kind >= FIRST_MASK) count = listed(count);
        count++;
        between = SEED;
        isSpaced = false;
        at = word.end;
        continue;
      }
      if (byte === 34 && opensText(bytes, at, from, stop)) {
        between = Math.imul(between ^ byte, PRIME);
        gap[count] = between;
        quotedAt(bytes, at + 1, stop);
        push(count++, from, at + 1);
        between = SEED;
        isSpaced = false;
        at = word.end;
        continue;
      }
      if (isEmpty) {
        count = pushEmpty(count, at - from, between);
        between = SEED;
        isSpaced = false;
      }
      between = Math.imul(between ^ byte, PRIME);
      isSpaced = false;
      at++;
      if (byte === 61 && isKeyWithoutValue(bytes, at, from, stop) && count < MOST_TOKENS) {
        count = pushEmpty(count, at - from, between);
        between = SEED;
      }
    }
    // A blank at the end is none of the template's concern.
    gap[count] = at >= to && isSpaced ? withoutBlank(bytes, from + (count > 0 ? (end[count - 1] ?? 0) : 0), to) : between;
    tokens.isCut = at < to;
    if (at < to) {
      word.end = to;
      word.kind = KIND.any;
      push(count, from, at);
      count++;
      gap[count] = SEED;
    }
    tokens.count = count;
  }

  /** Makes one token of five values of a kind, and of those that follow. Answers the place of the last token. */
  function listed(last: number): number {
    const one = kind[last];
    const between = gap[last];
    if (last > 0 && kind[last - 1] === KIND.list && between === listGap && one === listKind) {
      end[last - 1] = end[last] ?? 0;
      detail[last - 1] = (detail[last - 1] ?? 0) + 1;
      return last - 1;
    }
    if (last < 4) return last;
    for (let at = last - 1; at > last - 5; at--)
      if (kind[at] !== one || (at > last - 4 && gap[at] !== between)) return last;
    const first = last - 4;
    listKind = one ?? 0;
    listGap = between ?? 0;
    end[first] = end[last] ?? 0;
    kind[first] = KIND.list;
    detail[first] = 5;
    return first;
  }

  function pushEmpty(count: number, place: number, between: number): number {
    gap[count] = between;
    start[count] = place;
    end[count] = place;
    kind[count] = KIND.empty;
    hash[count] = SEED;
    return count + 1;
  }

  return { tokens, scan };
}

/** The hash of a gap with the white space at its end left out. */
function withoutBlank(bytes: Uint8Array, from: number, to: number): number {
  let hash = SEED;
  let last = to;
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

const WRITTEN = new Set([...Object.values(WILDCARDS), SPACING]);

/** The end of what is written like a wildcard: it is a value, so that the text of a template is never ambiguous. -1 where there is none. */
function wildcardEnd(bytes: Uint8Array, at: number, to: number): number {
  for (let end = at + 2; end < to && end < at + 11; end++)
    if (bytes[end] === 62) return WRITTEN.has(latin1(bytes, at, end + 1)) ? end + 1 : -1;
  return -1;
}

/** Keys whose text is the message itself. */
const MESSAGES = /(?:^|[^a-z])(?:msg|message|event|err|error|reason|log|text)["']?\s?[=:]\s?$/i;

/** Whether a quote opens a text of several words that is the value of a key, and closes before the line ends. */
function opensText(bytes: Uint8Array, at: number, from: number, to: number): boolean {
  const before = bytes[at - 1];
  if (at < from + 2 || !(before === 61 || before === 58 || (before === 32 && bytes[at - 2] === 58))) return false;
  if (before !== 61 && bytes[at - (before === 58 ? 2 : 3)] !== 34) return false;
  let hasSpace = false;
  for (let next = at + 1; next < to; next++) {
    const byte = bytes[next] ?? 0;
    if (byte === 92) return false;
    if (byte === 34) return hasSpace && next > at + 1 && !MESSAGES.test(latin1(bytes, Math.max(from, at - 12), at));
    if (CLASS[byte] === SPACE) hasSpace = true;
  }
  return false;
}

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  String.fromCharCode(...bytes.subarray(start, end));

/** Whether nothing follows `key=`. */
function isKeyWithoutValue(bytes: Uint8Array, at: number, from: number, to: number): boolean {
  if (at < from + 2 || !isWordByte(bytes[at - 2])) return false;
  const next = at >= to ? 32 : (bytes[at] ?? 0);
  return CLASS[next] === SPACE || next === 44 || next === 59;
}
