import type { Cancel, Clock } from '#sdk';
import type { Redactor } from '../redact/index.ts';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import type { LineSettings } from './config.ts';
import type { TextEncoding } from './encodings.ts';
import { createEventEncoder } from './encode.ts';
import { attributesOfFile } from './containers/attributes.ts';
import type { LineAttributes, SourceEvent } from './event.ts';
import type { LineEntry, LineSource } from './source.ts';
import type { LineTemplates } from '../templates/index.ts';
import { createSourceOf, wrappingOf } from './source-of.ts';

/** What a source gave, and where it was read to after that. */
export interface TailedLines {
  path: string;
  /** Undefined when only the place is news, or the lines are `entries`. */
  piece: { bytes: Buffer; cut: boolean; encoding?: TextEncoding } | undefined;
  /** Lines whose writer said more than their text. */
  entries?: readonly LineEntry[];
  /** What wrote them, as OpenTelemetry resource attributes; always the same for a path. */
  attributes?: LineAttributes | undefined;
  checkpoint: Checkpoint;
  /** Nothing will ever follow. */
  isLast?: boolean;
}

/** Whole events of a source, and where it was read to after them. */
export interface EncodedEvents {
  path: string;
  attributes?: LineAttributes | undefined;
  /** Entries of `LogChunk.lines`; valid until the call ends. */
  events: Buffer;
  /** Lines of the file that they are made of, and their bytes. */
  lines: number;
  size: number;
  checkpoint: Checkpoint;
}

/** What the lines stand on. */
export interface LinesGiven {
  /** How the lines of a path are read. */
  settingsOf(path: string): LineSettings;
  redactor: Redactor;
  clock: Clock;
  counts: LineCounts;
  addEvents(events: EncodedEvents): void;
  /** Called for each event that a rule leaves out. */
  dropped?(path: string, amount: { lines: number; bytes: number }): void;
  /** Finds what kind of line each event is; absent where nobody asks. */
  templates?: Pick<LineTemplates, 'find'> | undefined;
}

/** What was done to lines since the start. */
export interface LineCounts {
  /** How often something was replaced, by kind. */
  redactions: Map<string, number>;
  /** Lines that were left out, by rule. */
  drops: Map<string, number>;
}

/** Begins to count. */
export function createLineCounts(): LineCounts {
  return { redactions: new Map(), drops: new Map() };
}

/** Makes events of lines: joined, redacted, with level and time, encoded. */
export interface Lines {
  addLines(lines: TailedLines): void;
  /** Hands on what waits for more. */
  stop(): void;
}

interface State {
  path: string;
  attributes: LineAttributes | undefined;
  source: LineSource;
  /** The last event, which may go on; read again should the agent end before it is whole. */
  pending: Buffer;
  encoding: TextEncoding | undefined;
  /** After `pending`. */
  checkpoint: Checkpoint;
  sinceMs: number;
}

const NOTHING = Buffer.alloc(0);
/** A line that is written in parts is whole after so long without its next part. */
const PART_MS = 60_000;
/** A source that gave nothing for so long is forgotten; the next line makes it anew. */
const FORGET_MS = 3_600_000;

/** What tells sources apart: one journal holds many. */
const keyOf = (path: string, checkpoint: Checkpoint): string => ('journal' in checkpoint ? path : sourceOf(checkpoint));

const offsetOf = (checkpoint: Checkpoint): number => ('offset' in checkpoint ? checkpoint.offset : 0);

/** The place before the last bytes of what was read. */
function placeBefore(checkpoint: Checkpoint, bytes: number): Checkpoint {
  if (bytes === 0 || !('offset' in checkpoint)) return checkpoint;
  const { tail: _, ...place } = checkpoint; // It is of what stands before another place.
  return { ...place, offset: checkpoint.offset - bytes };
}

/** Counts events and encodes those that no rule leaves out. */
function createEventSink({ counts, dropped, templates }: Pick<LinesGiven, 'counts' | 'dropped' | 'templates'>) {
  const { redactions, drops } = counts;
  const encoder = createEventEncoder();
  let [lines, size] = [0, 0];
  return {
    put(path: string, event: SourceEvent): void {
      for (const kind of event.redacted) redactions.set(kind, (redactions.get(kind) ?? 0) + 1);
      if (event.dropped !== undefined) {
        drops.set(event.dropped, (drops.get(event.dropped) ?? 0) + event.lines);
        dropped?.(path, { lines: event.lines, bytes: event.size + 1 });
        return;
      }
      lines += event.lines;
      size += event.size + 1;
      event.template = templates?.find(path, event.bytes, event.start, event.end);
      encoder.put(event.bytes, event.start, event.end, event);
    },
    /** What came since the last call. */
    take(): Pick<EncodedEvents, 'events' | 'lines' | 'size'> {
      const taken = { events: encoder.take(), lines, size };
      [lines, size] = [0, 0];
      return taken;
    },
  };
}

/** Calls `ring` once, at the earliest of the times that were asked for. */
function createAlarm(clock: Clock, ring: () => void) {
  let cancel: Cancel | undefined;
  let dueMs = 0;
  return {
    within(ms: number): void {
      const due = clock.monotonic() + ms;
      if (cancel !== undefined && due >= dueMs) return;
      cancel?.();
      dueMs = due;
      cancel = clock.after(ms, () => {
        cancel = undefined;
        ring();
      });
    },
    cancel(): void {
      cancel?.();
      cancel = undefined;
    },
  };
}

/**
 * Makes the stage between reading and batches. An event that may go on is held back, and its checkpoint with it: the one
 * that is handed on is that of the last whole event, so that a killed agent reads the rest again.
 */
export function createLines(given: LinesGiven): Lines {
  const { settingsOf, redactor, clock, addEvents } = given;
  const states = new Map<string, State>();
  const sink = createEventSink(given);

  const begin = ({ path, checkpoint, ...read }: TailedLines): State => {
    const settings = settingsOf(path);
    const source = createSourceOf(path, { settings, redactor, take: (event) => sink.put(path, event) });
    const isWrapped = wrappingOf(settings, path) !== undefined;
    const attributes = read.attributes ?? (isWrapped ? attributesOfFile(path) : undefined);
    const state = { path, attributes, source, pending: NOTHING, encoding: undefined, checkpoint, sinceMs: 0 };
    states.set(keyOf(path, checkpoint), state);
    return state;
  };
  const handOn = ({ path, attributes }: State, checkpoint: Checkpoint): void => {
    addEvents({ path, attributes, ...sink.take(), checkpoint });
  };
  const finish = (state: State, mayGoOn = false): void => {
    if (state.pending.length === 0) return;
    const { pending, encoding, source, checkpoint } = state;
    const rest = source.split(pending, { encoding, cut: false, isEnd: true, mayGoOn, nowMs: clock.now() });
    state.pending = rest === 0 ? NOTHING : pending.subarray(pending.length - rest);
    handOn(state, placeBefore(checkpoint, rest));
  };
  /** Ends events that nothing was added to for long, and looks again while there are any. */
  const sweep = (): void => {
    for (const [name, state] of states) {
      const quietMs = clock.monotonic() - state.sinceMs;
      const { flushSeconds } = state.source.settings.multiline;
      if (quietMs >= 1000 * flushSeconds) finish(state, quietMs < PART_MS);
      if (state.pending.length > 0)
        alarm.within((quietMs < 1000 * flushSeconds ? 1000 * flushSeconds : PART_MS) - quietMs);
      if (quietMs > FORGET_MS) states.delete(name);
    }
  };
  const alarm = createAlarm(clock, sweep);
  const split = (
    state: State,
    piece: NonNullable<TailedLines['piece']>,
    { checkpoint, isLast = false }: TailedLines,
  ): void => {
    const isNext = offsetOf(checkpoint) - piece.bytes.length === offsetOf(state.checkpoint);
    if (!isNext) finish(state); // Another text begins here, as after a truncation.
    const bytes = state.pending.length === 0 ? piece.bytes : Buffer.concat([state.pending, piece.bytes]);
    const { cut, encoding } = piece;
    const rest = state.source.split(bytes, { encoding, cut, isEnd: isLast, nowMs: clock.now() });
    state.pending = rest === 0 ? NOTHING : Buffer.from(bytes.subarray(bytes.length - rest));
    state.encoding = encoding;
    handOn(state, placeBefore(checkpoint, rest));
    if (rest > 0) alarm.within(1000 * state.source.settings.multiline.flushSeconds);
  };

  return {
    addLines(given) {
      const { path, piece, entries = [], checkpoint, isLast = false } = given;
      const state = states.get(keyOf(path, checkpoint)) ?? begin(given);
      state.sinceMs = clock.monotonic();
      if (piece !== undefined && piece.bytes.length > 0) split(state, piece, given);
      else {
        finish(state);
        for (const entry of entries) state.source.putEntry(entry, clock.now());
        handOn(state, checkpoint);
      }
      state.checkpoint = checkpoint;
      if (isLast) {
        finish(state);
        states.delete(keyOf(path, checkpoint));
      }
    },
    stop() {
      alarm.cancel();
      for (const state of states.values()) finish(state, true);
    },
  };
}
