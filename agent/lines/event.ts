import type { Level } from '#proto/agent/v1/index.ts';
import type { FoundTemplate } from '../templates/index.ts';
import type { LineSettings } from './config.ts';
import { createDrop } from './drop.ts';
import { createZone, factsOf, headOf, type FoundFormat } from './facts/index.ts';
import { EVENT_BYTES } from './joining.ts';
import type { EventRedaction } from './redaction.ts';

/** What is said of a line, as OpenTelemetry attributes. */
export type LineAttributes = Readonly<Record<string, string>>;

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
  /** What is said of it alone. */
  attributes: LineAttributes | undefined;
  /** Lines of the file, and their bytes without the newline of the last. */
  lines: number;
  size: number;
  /** What was replaced in it. */
  redacted: readonly string[];
  /** The rule that drops it. */
  dropped: string | undefined;
  /** What kind of line it is, once somebody has looked. */
  template: FoundTemplate | undefined;
}

/** What is known of an event beside its text. */
export interface Known {
  lines: number;
  cut: boolean;
  timeMs?: number | undefined;
  level?: Level | undefined;
  attributes?: LineAttributes | undefined;
  /** Its bytes in the file; as many as its text unless given. */
  size?: number;
}

/** Where an event lies in a text that its redaction has looked at. */
export interface EventText {
  text: Buffer;
  from: number;
  to: number;
  redaction: EventRedaction;
}

const RETURN = 13;
const NO_EVENT: SourceEvent = {
  bytes: Buffer.alloc(0),
  start: 0,
  end: 0,
  level: 0,
  timeMs: 0,
  format: 'plain',
  cut: false,
  attributes: undefined,
  lines: 0,
  size: 0,
  redacted: [],
  dropped: undefined,
  template: undefined,
};
const NOTHING: readonly string[] = [];
/** So far back from where a line was cut, what separates is looked for. */
const LAST_WORD = 1024;

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

/** Works out what an event is and hands it on. */
export type PutEvent = (where: EventText, known: Known, nowMs: number) => void;

/** Prepares what the settings of a source say of its events. */
export function createEventPut(settings: LineSettings, take: (event: SourceEvent) => void): PutEvent {
  const drop = createDrop(settings.drop);
  const given = { zone: createZone(settings.timezone), nowMs: 0 };
  const event: SourceEvent = { ...NO_EVENT };
  return ({ text, from, to, redaction }, known, nowMs) => {
    given.nowMs = nowMs;
    const last = to > from && text[to - 1] === RETURN ? to - 1 : to;
    const { end, cut } = limited(text, from, last, known.cut);
    const facts = factsOf(headOf(text, from, end), settings.format, given);
    const hidden = redaction.redact(from, end);
    event.level = known.level ?? facts.level;
    event.timeMs = known.timeMs ?? facts.timeMs;
    event.format = facts.format;
    event.cut = cut;
    event.attributes = known.attributes;
    event.lines = known.lines;
    event.size = known.size ?? to - from;
    event.dropped = drop?.(event.level, () => text.toString('utf8', from, end));
    event.redacted = hidden?.kinds ?? NOTHING;
    event.bytes = hidden?.text ?? text;
    event.start = hidden === undefined ? from : 0;
    event.end = hidden?.text.length ?? end;
    take(event);
  };
}
