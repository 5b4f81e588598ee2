import { FRESH, JOINS, MAY_JOIN, type Joiner } from './traces.ts';

/** An event is ended here, bytes and lines. */
export const EVENT_BYTES = 262_144;
const EVENT_LINES = 1000;

const NEWLINE = 10;

/** Takes one event: where it lies, without its last newline, and how many lines it has. */
export type TakeEvent = (start: number, end: number, lines: number) => void;

/** Every line is an event. */
export const NO_JOINER: Joiner = { begin: () => undefined, follow: () => FRESH };

/** A line that begins with a blank belongs to the one before. */
export const INDENT_JOINER: Joiner = {
  begin: () => undefined,
  follow: (bytes, start) => (bytes[start] === 32 || bytes[start] === 9 ? JOINS : FRESH),
};

/** So much of a line is held against the pattern of a first line. */
const PATTERN_HEAD = 1024;

/** An event begins with a line that fits. */
export function patternJoiner(start: RegExp): Joiner {
  return {
    begin: () => undefined,
    follow: (bytes, from, end) =>
      start.test(bytes.toString('utf8', from, Math.min(end, from + PATTERN_HEAD))) ? FRESH : JOINS,
  };
}

/** Every line by itself: no more than looking for newlines. */
function splitLines(bytes: Buffer, take: TakeEvent): number {
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    take(start, end, 1);
    start = end + 1;
  }
  return start;
}

/**
 * Splits whole lines into events and hands each on, but for the last, which may go on: returns where it begins. `isEnd`:
 * nothing follows, all of it is handed on. A last line without a newline is whole then too.
 */
export function splitEvents(bytes: Buffer, joiner: Joiner, isEnd: boolean, take: TakeEvent): number {
  if (joiner === NO_JOINER) {
    const rest = splitLines(bytes, take);
    if (rest < bytes.length) take(rest, bytes.length, 1);
    return bytes.length;
  }
  let start = 0; // Of the event.
  let sure = 0; // End of what surely belongs to it, newline and all.
  let lines = 0; // Up to there.
  let at = 0; // Beginning of the line that is looked at.
  let unsure = 0; // Lines between `sure` and `at`.
  const finish = (): void => {
    take(start, bytes[sure - 1] === NEWLINE ? sure - 1 : sure, lines);
    // What was unsure did not belong: it is looked at anew.
    at = start = sure;
    lines = unsure = 0;
  };
  for (;;) {
    if (at >= bytes.length) {
      if (!isEnd) return start;
      if (lines === 0) return bytes.length;
      finish();
      continue;
    }
    const newline = bytes.indexOf(NEWLINE, at);
    const end = newline === -1 ? bytes.length : newline;
    const next = newline === -1 ? end : newline + 1;
    if (lines > 0) {
      const verdict = joiner.follow(bytes, at, end);
      if (verdict === FRESH && unsure === 0) {
        take(start, sure - 1, lines); // The common case: no line is looked at twice.
        start = at;
        lines = 1;
        joiner.begin(bytes, at, end);
        sure = at = next;
        continue;
      }
      if (verdict === FRESH || end - start > EVENT_BYTES || lines + unsure >= EVENT_LINES) {
        finish();
        continue;
      }
      unsure++;
      if (verdict !== MAY_JOIN) {
        lines += unsure;
        unsure = 0;
        sure = next;
      }
    } else {
      joiner.begin(bytes, at, end);
      lines = 1;
      sure = next;
    }
    at = next;
  }
}
