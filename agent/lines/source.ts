import type { Level } from '#proto/agent/v1/index.ts';
import type { Redactor } from '../redact/index.ts';
import type { LineSettings } from './config.ts';
import { createDrop } from './drop.ts';
import { sizeOfLines, toUtf8, type TextEncoding } from './encodings.ts';
import { createZone, factsOf, headOf, type FoundFormat } from './facts/index.ts';
import { EVENT_BYTES, INDENT_JOINER, NO_JOINER, patternJoiner, splitEvents } from './joining.ts';
import { createEventRedaction } from './redaction.ts';
import { createTraceJoiner, type Joiner } from './traces.ts';

/** One event of a source, as it leaves the host. */
export interface SourceEvent {
  /** Its text lies in `bytes` from `start` to `end`, as UTF-8; valid until the call ends. */
  bytes: Buffer;
  start: number;
  end: number;
  level: Level;
  timeMs: number;
  format: FoundFormat;
  /** Its end is left out. */
  cut: boolean;
  /** Lines of the file, and their bytes without the newline of the last. */
  lines: number;
  size: number;
  /** What was replaced in it. */
  redacted: readonly string[];
  /** The rule that drops it. */
  dropped: string | undefined;
}

/** What a piece of a source comes with. */
export interface PieceGiven {
  /** What the file's byte order mark says. */
  encoding?: TextEncoding | undefined;
  /** The one line in it was longer. */
  cut: boolean;
  /** Nothing follows: also the last event is whole. */
  isEnd: boolean;
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
}

/** What is known of an event beside its text. */
interface Known {
  lines: number;
  cut: boolean;
  timeMs?: number | undefined;
  level?: Level | undefined;
}

const RETURN = 13;
const NOTHING: readonly string[] = [];
const NO_EVENT: SourceEvent = {
  bytes: Buffer.alloc(0),
  start: 0,
  end: 0,
  level: 0,
  timeMs: 0,
  format: 'plain',
  cut: false,
  lines: 0,
  size: 0,
  redacted: NOTHING,
  dropped: undefined,
};
/** So far back from where a line was cut, what separates is looked for. */
const LAST_WORD = 1024;

/** Makes the joiner that the settings ask for. */
function joinerOf({ mode, start }: LineSettings['multiline']): Joiner {
  if (mode === 'off') return NO_JOINER;
  if (mode === 'indent') return INDENT_JOINER;
  return mode === 'start' && start !== undefined ? patternJoiner(new RegExp(start, 'u')) : createTraceJoiner();
}

/** Where a cut text ends so that half a word is left out: it may be half a secret, which nobody knows for one. */
function endOfWords(bytes: Buffer, start: number, end: number): number {
  for (let at = end; at > Math.max(start, end - LAST_WORD); at--) {
    const byte = bytes[at - 1] ?? 0;
    if (byte <= 32 || byte === 34 || byte === 44 || byte === 59 || byte === 38) return at;
  }
  while (end > start && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--; // Between characters.
  return end;
}

/** Where a text is cut that is too long, or was. */
function limited(bytes: Buffer, start: number, end: number, cut: boolean): { end: number; cut: boolean } {
  if (end - start > EVENT_BYTES) return { end: endOfWords(bytes, start, start + EVENT_BYTES), cut: true };
  return { end: cut ? endOfWords(bytes, start, end) : end, cut };
}

/** Makes a source. Nothing of a piece is kept. */
export function createLineSource(
  settings: LineSettings,
  redactor: Redactor,
  take: (event: SourceEvent) => void,
): LineSource {
  const joiner = joinerOf(settings.multiline);
  const redaction = createEventRedaction(redactor);
  const drop = createDrop(settings.drop);
  const given = { zone: createZone(settings.timezone), nowMs: 0 };
  const event: SourceEvent = { ...NO_EVENT };
  let encoding: TextEncoding = 'auto';

  const put = (text: Buffer, from: number, to: number, known: Known): void => {
    const last = to > from && text[to - 1] === RETURN ? to - 1 : to;
    const { end, cut } = limited(text, from, last, known.cut);
    const facts = factsOf(headOf(text, from, end), settings.format, given);
    const hidden = redaction.redact(from, end);
    event.level = known.level ?? facts.level;
    event.timeMs = known.timeMs ?? facts.timeMs;
    event.format = facts.format;
    event.cut = cut;
    event.lines = known.lines;
    event.size = to - from;
    event.dropped = drop?.(event.level, () => text.toString('utf8', from, end));
    event.redacted = hidden?.kinds ?? NOTHING;
    event.bytes = hidden?.text ?? text;
    event.start = hidden === undefined ? from : 0;
    event.end = hidden?.text.length ?? end;
    take(event);
  };
  return {
    settings,
    split(piece, { encoding: found, cut, isEnd, nowMs }) {
      given.nowMs = nowMs;
      encoding = settings.encoding === 'auto' ? (found ?? 'auto') : settings.encoding;
      const text = toUtf8(piece, encoding);
      redaction.look(text);
      const one: Known = { lines: 1, cut: false };
      const rest = splitEvents(text, joiner, isEnd || cut, (start, end, lines) => {
        one.lines = lines;
        one.cut = cut && end === text.length;
        put(text, start, end, one);
      });
      if (rest === text.length) return 0;
      return text === piece ? text.length - rest : sizeOfLines(piece, encoding, text.subarray(rest));
    },
    putEntry({ text, timeMs, level, cut }, nowMs) {
      given.nowMs = nowMs;
      const whole = toUtf8(text, 'utf-8');
      redaction.look(whole);
      put(whole, 0, whole.length, { lines: 1, cut, timeMs, level });
    },
  };
}
