import type { Level } from '#proto/agent/v1/index.ts';
import type { Redactor } from '../redact/index.ts';
import type { LineSettings } from './config.ts';
import { sizeOfLines, toUtf8, type TextEncoding } from './encodings.ts';
import { createEventPut, type Known, type LineAttributes, type SourceEvent } from './event.ts';
import { INDENT_JOINER, NO_JOINER, patternJoiner, splitEvents } from './joining.ts';
import { createEventRedaction } from './redaction.ts';
import { createTraceJoiner, type Joiner } from './traces.ts';

/** What a piece of a source comes with. */
export interface PieceGiven {
  /** What the file's byte order mark says. */
  encoding?: TextEncoding | undefined;
  /** The one line in it was longer. */
  cut: boolean;
  /** Nothing follows: also the last event is whole. */
  isEnd: boolean;
  /** Its writer may not have finished the last line yet, where lines are written in parts. */
  mayGoOn?: boolean;
  nowMs: number;
}

/** Turns the bytes of a source into events. */
export interface LineSource {
  readonly settings: LineSettings;
  /** Hands on what is whole and returns how many bytes at the end of the piece are not. They must come again, before what follows them. */
  split(piece: Buffer, given: PieceGiven): number;
  /** Hands on one event whose writer may have said its time and level. */
  putEntry(entry: LineEntry, nowMs: number): void;
}

/** A line whose writer said more than its text. */
export interface LineEntry {
  text: Buffer;
  /** When it was written, milliseconds since 1970; looked for in the text when absent. */
  timeMs?: number | undefined;
  level?: Level | undefined;
  /** It was longer and its end is left out. */
  cut: boolean;
  attributes?: LineAttributes | undefined;
}

/** What a source of lines is made from. */
export interface SourceGiven {
  settings: LineSettings;
  redactor: Redactor;
  take(event: SourceEvent): void;
}

/** Makes the joiner that the settings ask for. */
export function joinerOf({ mode, start }: LineSettings['multiline']): Joiner {
  if (mode === 'off') return NO_JOINER;
  if (mode === 'indent') return INDENT_JOINER;
  return mode === 'start' && start !== undefined ? patternJoiner(new RegExp(start, 'u')) : createTraceJoiner();
}

/** Makes what hands on entries, each an event of its own. */
export function createPutEntry({ settings, redactor, take }: SourceGiven): LineSource['putEntry'] {
  const redaction = createEventRedaction(redactor);
  const put = createEventPut(settings, take);
  return ({ text, timeMs, level, cut, attributes }, nowMs) => {
    const whole = toUtf8(text, 'utf-8');
    redaction.look(whole);
    put({ text: whole, from: 0, to: whole.length, redaction }, { lines: 1, cut, timeMs, level, attributes }, nowMs);
  };
}

/** Makes a source whose lines are the events' own text. Nothing of a piece is kept. */
export function createLineSource(given: SourceGiven): LineSource {
  const { settings, redactor, take } = given;
  const joiner = joinerOf(settings.multiline);
  const redaction = createEventRedaction(redactor);
  const put = createEventPut(settings, take);
  let encoding: TextEncoding = 'auto';
  return {
    settings,
    split(piece, { encoding: found, cut, isEnd, nowMs }) {
      encoding = settings.encoding === 'auto' ? (found ?? 'auto') : settings.encoding;
      const text = toUtf8(piece, encoding);
      redaction.look(text);
      const one: Known = { lines: 1, cut: false };
      const where = { text, from: 0, to: 0, redaction };
      const rest = splitEvents(text, joiner, isEnd || cut, (start, end, lines) => {
        one.lines = lines;
        one.cut = cut && end === text.length;
        where.from = start;
        where.to = end;
        put(where, one, nowMs);
      });
      if (rest === text.length) return 0;
      return text === piece ? text.length - rest : sizeOfLines(piece, encoding, text.subarray(rest));
    },
    putEntry: createPutEntry(given),
  };
}
