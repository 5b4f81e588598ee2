/** The name and the labels of a sample. */
export interface SeriesText {
  name: string;
  labels: readonly (readonly [name: string, value: string])[];
}

const [TAB, SPACE, QUOTE, BACKSLASH, OPEN, CLOSE] = [9, 32, 34, 92, 123, 125];

/** True of what stands between the parts of a line. */
export const isBlank = (code: number): boolean => code === SPACE || code === TAB;

/** Where the part of a line ends that names its series: behind the name, or behind the labels; -1 when these have no end. */
export function endOfSeries(text: string, from: number, to: number): number {
  let at = from;
  while (at < to && !isBlank(text.charCodeAt(at)) && text.charCodeAt(at) !== OPEN) at++;
  let labels = at;
  while (labels < to && isBlank(text.charCodeAt(labels))) labels++;
  if (labels >= to || text.charCodeAt(labels) !== OPEN) return at;
  let isQuoted = false;
  for (at = labels + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) isQuoted = !isQuoted;
    else if (isQuoted && code === BACKSLASH) at++;
    else if (!isQuoted && code === CLOSE) return at + 1;
  }
  return -1;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /\s*(?:([a-zA-Z_][a-zA-Z0-9_]*)|"((?:[^"\\]|\\.)*)")\s*(?:=\s*"((?:[^"\\]|\\.)*)"\s*)?(,|\}$)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', '"': '"', '\\': '\\' };

const unescape = (text: string): string =>
  text.includes('\\') ? text.replaceAll(/\\(.)/g, (whole, letter: string) => ESCAPES[letter] ?? whole) : text;

/** Reads the part of a line that names its series; `undefined` when it is none. A name in quotes stands in the braces. */
export function parseSeries(text: string): SeriesText | undefined {
  let name = NAME.exec(text)?.[0] ?? '';
  const rest = text.slice(name.length).trimStart();
  if (rest === '') return name === '' ? undefined : { name, labels: [] };
  const labels: [string, string][] = [];
  if (!/^\{\s*\}$/.test(rest)) {
    if (!rest.startsWith('{')) return undefined;
    LABEL.lastIndex = 1;
    for (let isLast = false; !isLast;) {
      const match = LABEL.exec(rest);
      if (match === null) return undefined;
      const [, plain, quoted, value, end = ''] = match;
      const key = plain ?? unescape(quoted ?? '');
      if (value !== undefined) labels.push([key, unescape(value)]);
      else if (name === '' && quoted !== undefined && labels.length === 0) name = key;
      else return undefined;
      isLast = end === '}' || /^\s*\}$/.test(rest.slice(LABEL.lastIndex));
    }
  }
  return name === '' ? undefined : { name, labels };
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** The value that begins behind `from`, whatever follows it; `undefined` when it is no number. */
export function parseValue(text: string, from: number, to: number): number | undefined {
  let at = from;
  while (at < to && isBlank(text.charCodeAt(at))) at++;
  const begin = at;
  let whole = 0;
  let isWhole = true;
  for (; at < to; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) whole = whole * 10 + digit;
    else if (isBlank(digit + 48)) break;
    else isWhole = false;
  }
  if (isWhole && at > begin && at - begin < 16) return whole;
  const word = text.slice(begin, at);
  if (NUMBER.test(word)) return Number(word);
  const special = /^([+-]?)(inf(?:inity)?|nan)$/i.exec(word);
  if (special === null) return undefined;
  return special[2]?.toLowerCase() === 'nan' ? NaN : special[1] === '-' ? -Infinity : Infinity;
}

/** What a TYPE line says: a family and its type; `undefined` for every other comment. */
export function parseType(line: string): { family: string; type: string } | undefined {
  const match = /^#\s+TYPE\s+(?:"((?:[^"\\]|\\.)*)"|(\S+))\s+(\w+)\s*$/.exec(line);
  return match === null ? undefined : { family: match[2] ?? unescape(match[1] ?? ''), type: match[3] ?? '' };
}

/** Suffixes that the samples of a family have, by type, and whether they count. */
const SUFFIXES: Readonly<Record<string, Readonly<Record<string, 'counter' | 'gauge' | 'none'>>>> = {
  counter: { _total: 'counter', _created: 'none' },
  histogram: { _bucket: 'counter', _sum: 'counter', _count: 'counter', _created: 'none' },
  summary: { _sum: 'counter', _count: 'counter', _created: 'none' },
  gaugehistogram: { _bucket: 'gauge', _gsum: 'gauge', _gcount: 'gauge' },
  info: { _info: 'gauge' },
};

/** The kind of a sample from the types of families; `none` for the times at which counters began. Without a type, a name says it. */
export function kindOf(name: string, types: ReadonlyMap<string, string>): 'counter' | 'gauge' | 'none' {
  const type = types.get(name);
  if (type === 'counter') return 'counter';
  if (type !== undefined && type !== 'unknown' && type !== 'untyped') return 'gauge';
  const cut = name.lastIndexOf('_');
  const suffix = cut < 0 ? '' : name.slice(cut);
  const kind = SUFFIXES[types.get(name.slice(0, cut)) ?? '']?.[suffix];
  return kind ?? (suffix === '_total' ? 'counter' : 'gauge');
}
