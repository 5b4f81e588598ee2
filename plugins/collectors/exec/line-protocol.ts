/** One line of InfluxDB's line protocol: the fields that are numbers. Its timestamp is read and left out. */
export interface Point {
  measurement: string;
  tags: Readonly<Record<string, string>>;
  fields: Readonly<Record<string, number>>;
}

/** What was read, and what could not be: the number of the line and why. */
export interface ParsedLines {
  points: Point[];
  faults: { line: number; why: string }[];
}

/** A place in the text. */
interface Cursor {
  text: string;
  at: number;
}

/** A mistake in a line, which costs that line only. */
class LineFault extends Error {}

/** Reads up to one of `ends`, which a backslash takes the meaning from; other backslashes stand for themselves. */
function readKey(cursor: Cursor, ends: string): string {
  const { text } = cursor;
  let key = '';
  for (; cursor.at < text.length; cursor.at++) {
    const sign = text.charAt(cursor.at);
    if (sign === '\n' || ends.includes(sign)) break;
    const next = text.charAt(cursor.at + 1);
    if (sign === '\\' && (next === '\\' || ', ='.includes(next)) && next !== '') {
      key += next;
      cursor.at++;
    } else key += sign;
  }
  return key;
}

/** Passes over a text in quotes, which may hold line breaks. */
function passText(cursor: Cursor): void {
  const { text } = cursor;
  for (cursor.at++; cursor.at < text.length; cursor.at++) {
    const sign = text.charAt(cursor.at);
    if (sign === '\\') cursor.at++;
    else if (sign === '"') return void cursor.at++;
  }
  throw new LineFault('a text has no end');
}

const TRUTHS: Readonly<Record<string, number>> = {
  t: 1, T: 1, true: 1, True: 1, TRUE: 1, f: 0, F: 0, false: 0, False: 0, FALSE: 0,
}; // prettier-ignore

/** A number, an integer (`1i`, `1u`) or a truth (as 1 and 0). */
function numberOf(word: string): number {
  const truth = Object.hasOwn(TRUTHS, word) ? TRUTHS[word] : undefined;
  if (truth !== undefined) return truth;
  if (/^-?\d+i$|^\d+u$/.test(word)) return Number(word.slice(0, -1));
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(word)) return Number(word);
  throw new LineFault(`"${word.slice(0, 40)}" is no value`);
}

function readTags(cursor: Cursor): Record<string, string> {
  const tags: [string, string][] = [];
  while (cursor.text.charAt(cursor.at) === ',') {
    cursor.at++;
    const key = readKey(cursor, ',= ');
    if (key === '' || cursor.text.charAt(cursor.at) !== '=') throw new LineFault('a tag has no value');
    cursor.at++;
    tags.push([key, readKey(cursor, ', ')]);
  }
  return Object.fromEntries(tags);
}

function readFields(cursor: Cursor): Record<string, number> {
  const fields: [string, number][] = [];
  do {
    cursor.at++; // The blank before the first, the comma before the others.
    const key = readKey(cursor, ',= ');
    if (key === '' || cursor.text.charAt(cursor.at) !== '=') throw new LineFault('a field has no value');
    cursor.at++;
    if (cursor.text.charAt(cursor.at) === '"') passText(cursor);
    else fields.push([key, numberOf(readKey(cursor, ', '))]);
  } while (cursor.text.charAt(cursor.at) === ',');
  return Object.fromEntries(fields);
}

function passBlanks(cursor: Cursor): void {
  while (' \t'.includes(cursor.text.charAt(cursor.at)) && cursor.at < cursor.text.length) cursor.at++;
}

function readPoint(cursor: Cursor): Point {
  const measurement = readKey(cursor, ', ');
  if (measurement === '') throw new LineFault('it has no measurement');
  const tags = readTags(cursor);
  if (cursor.text.charAt(cursor.at) !== ' ') throw new LineFault('it has no field');
  while (cursor.text.charAt(cursor.at + 1) === ' ') cursor.at++;
  const fields = readFields(cursor);
  passBlanks(cursor);
  const rest = readKey(cursor, '').trimEnd();
  if (!/^(-?\d+)?$/.test(rest)) throw new LineFault(`"${rest.slice(0, 40)}" is no timestamp`);
  return { measurement, tags, fields };
}

/**
 * Reads InfluxDB's line protocol with all its escapes and types. A line that cannot be read costs only itself.
 * Texts in quotes are no metrics and are passed over; they may hold line breaks.
 */
export function parseLineProtocol(given: string): ParsedLines {
  const text = given.replaceAll('\r\n', '\n');
  const parsed: ParsedLines = { points: [], faults: [] };
  const cursor: Cursor = { text, at: 0 };
  let line = 1;
  while (cursor.at < text.length) {
    const begin = cursor.at;
    passBlanks(cursor);
    const sign = text.charAt(cursor.at);
    if (sign !== '#' && sign !== '\n' && sign !== '') {
      try {
        parsed.points.push(readPoint(cursor));
      } catch (error) {
        if (!(error instanceof LineFault)) throw error;
        parsed.faults.push({ line, why: error.message });
        cursor.at = begin;
      }
    }
    const end = text.indexOf('\n', cursor.at);
    cursor.at = end < 0 ? text.length : end + 1;
    line += text.slice(begin, cursor.at).split('\n').length - 1;
  }
  return parsed;
}
