/** What a structured line may call its level, strongest first. */
const LEVEL_KEYS = [
  'level', 'severity', 'lvl', 'loglevel', 'log_level', 'log.level', 'levelname', 'level_name', 'severity_text', 'severityText', 'SeverityText', 'Level', '@l', 's',
]; // prettier-ignore
/** What it may call its time. */
const TIME_KEYS = [
  'time', 'timestamp', '@timestamp', 'ts', 'datetime', 'date', 'asctime', 'eventTime', 'timeMillis', 'instant', 'Timestamp', 'Time', '@t', 't',
]; // prettier-ignore

const RANKS = new Map<string, { isLevel: boolean; rank: number }>();
LEVEL_KEYS.forEach((key, rank) => RANKS.set(key, { isLevel: true, rank }));
TIME_KEYS.forEach((key, rank) => RANKS.set(key, { isLevel: false, rank }));
const LONGEST_KEY = 13;
const UNRANKED = 99;

/** The values of the fields that say level and time, as they are written. */
export interface FoundFields {
  level: string | undefined;
  time: string | undefined;
}

/** Collects the strongest of the fields that are found. */
function createFinds() {
  const found: FoundFields = { level: undefined, time: undefined };
  let levelRank = UNRANKED;
  let timeRank = UNRANKED;
  return {
    found,
    take(key: string, value: string): void {
      const known = RANKS.get(key);
      if (known === undefined) return;
      if (known.isLevel && known.rank < levelRank) {
        levelRank = known.rank;
        found.level = value;
      } else if (!known.isLevel && known.rank < timeRank) {
        timeRank = known.rank;
        found.time = value;
      }
    },
  };
}

const QUOTE = 34;
const BACKSLASH = 92;

/** The place after a JSON string that begins at `at`. */
function afterString(text: string, at: number): number {
  for (let place = at + 1; place < text.length; place++) {
    const code = text.charCodeAt(place);
    if (code === BACKSLASH) place++;
    else if (code === QUOTE) return place + 1;
  }
  return text.length;
}

/** The place after an object or array that begins at `at`. */
function afterNested(text: string, at: number): number {
  let depth = 0;
  for (let place = at; place < text.length; place++) {
    const code = text.charCodeAt(place);
    if (code === QUOTE) place = afterString(text, place) - 1;
    else if (code === 123 || code === 91) depth++;
    else if ((code === 125 || code === 93) && --depth === 0) return place + 1;
  }
  return text.length;
}

const isBlank = (code: number): boolean => code === 32 || code === 9 || code === 13 || code === 10;

function afterBlanks(text: string, at: number): number {
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

/** The place after a number, `true` or `null`. */
function afterBare(text: string, at: number): number {
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 44 || code === 125 || isBlank(code)) break;
    at++;
  }
  return at;
}

/** log4j's `{"epochSecond":…,"nanoOfSecond":…}` and MongoDB's `{"$date":…}`. */
function nestedTime(text: string): string {
  const seconds = /"epochSecond"\s*:\s*(\d{1,12})/.exec(text)?.[1];
  if (seconds === undefined) return /"\$date"\s*:\s*"([^"]{1,40})"/.exec(text)?.[1] ?? '';
  const nanos = /"nanoOfSecond"\s*:\s*(\d{1,9})/.exec(text)?.[1] ?? '0';
  return `${seconds}.${nanos.padStart(9, '0')}`;
}

/** Finds level and time among the fields of a JSON object; what it nests and what it says are not looked into. Undefined for what is no object. */
export function jsonFields(text: string): FoundFields | undefined {
  const { found, take } = createFinds();
  let at = afterBlanks(text, 0);
  if (text.charCodeAt(at) !== 123) return undefined;
  for (at = afterBlanks(text, at + 1); text.charCodeAt(at) === QUOTE; at = afterBlanks(text, at + 1)) {
    const keyEnd = afterString(text, at);
    const isShort = keyEnd - at - 2 <= LONGEST_KEY;
    const key = isShort ? text.slice(at + 1, keyEnd - 1) : '';
    at = afterBlanks(text, keyEnd);
    if (text.charCodeAt(at) !== 58) break;
    at = afterBlanks(text, at + 1);
    const begin = at;
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = afterString(text, at);
      if (isShort) take(key, text.slice(begin + 1, at - 1));
    } else if (code === 123 || code === 91) {
      at = afterNested(text, at);
      if (isShort && code === 123) take(key, nestedTime(text.slice(begin, at)));
    } else {
      at = afterBare(text, at);
      if (isShort) take(key, text.slice(begin, at));
    }
    at = afterBlanks(text, at);
    if (text.charCodeAt(at) !== 44) break;
  }
  return found;
}

const PAIR = /([\w.@-]{1,13})=(?:"((?:[^"\\]|\\.){0,200})"|([^\s"]{0,60}))/g;
/** A line that begins with two pairs is logfmt. */
const LOGFMT = /^[\w.@-]+=(?:"(?:[^"\\]|\\.)*"|[^\s"=]*) [\w.@-]+=/;

/** Finds level and time among the pairs of logfmt; undefined for what does not begin with pairs. */
export function logfmtFields(head: string): FoundFields | undefined {
  if (!LOGFMT.test(head)) return undefined;
  const { found, take } = createFinds();
  for (const [, key = '', quoted, bare = ''] of head.matchAll(PAIR)) take(key, quoted ?? bare);
  return found;
}
