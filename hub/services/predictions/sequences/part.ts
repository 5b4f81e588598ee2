import { Type, type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { rootOf } from './renames.ts';

/** Parts of a window in each of which a batch has to come, so that nothing is judged of a time that was not seen whole. */
export const SLOTS = 5;
const EVERY_SLOT = 2 ** SLOTS - 1;
/** Sources of a host, and templates of a source, that are counted in a window; those that come later are left out. */
export const MOST_SOURCES = 64;
export const MOST_OF_SOURCE = 128;
/** Merged templates that one window tells of. */
export const MOST_MERGES = 1000;

const Count = Type.Integer({ minimum: 0, maximum: 1e15 });
const Name = Type.String({ maxLength: 1024 });
const Id = Type.String({ pattern: '^[0-9a-f]{16}$' });

/** What one process saw of a host's window, as its row holds it. */
export const Part = Type.Object(
  {
    /** Length of the window, milliseconds. */
    windowMs: Count,
    /** Live batches that came in it, their stream, and the least and the greatest of their numbers. */
    batches: Count,
    epoch: Type.String({ maxLength: 20 }),
    from: Count,
    to: Count,
    /** In which parts of the window a batch came, a bit each. */
    slots: Count,
    /** True: lines of this time came, or may have come, in other ways, too. */
    isMixed: Type.Boolean(),
    sources: Type.Array(
      Type.Object({
        name: Name,
        /** Lines that were counted, and those that were not: their own time lies elsewhere, or they are of one template too many. */
        lines: Count,
        strays: Count,
        counts: Type.Array(Type.Tuple([Id, Count]), { maxItems: MOST_OF_SOURCE }),
      }),
      { maxItems: MOST_SOURCES },
    ),
    /** Templates that turned out to be others: from, into. */
    merged: Type.Array(Type.Tuple([Id, Id]), { maxItems: MOST_MERGES }),
  },
  { additionalProperties: false },
);
export type Part = Static<typeof Part>;

const hasForm = Compile(Part);

/** True when an unknown value is a part. */
export const isPart = (value: unknown): value is Part => hasForm.Check(value);

/** Lines of one source in a window. */
export interface SourceWindow {
  lines: number;
  strays: number;
  counts: Map<string, number>;
}

/** How far a host's live batches had come. */
export interface StreamPlace {
  epoch: string;
  seq: number;
}

/** What all processes together saw of a host's window. */
export interface HostWindow {
  startMs: number;
  sources: ReadonlyMap<string, SourceWindow>;
  merged: ReadonlyMap<string, string>;
  /** The last of its live batches. */
  place: StreamPlace | undefined;
  /** True when every live batch that followed `after` was seen, once, and they came all the time. */
  isWholeAfter(after: StreamPlace | undefined): boolean;
}

/** Adds up what was seen of one window. */
export function windowOf(startMs: number, parts: readonly Part[]): HostWindow {
  const sources = new Map<string, SourceWindow>();
  const merged = new Map(parts.flatMap((part) => part.merged));
  for (const { name, lines, strays, counts } of parts.flatMap((part) => part.sources)) {
    const there = sources.get(name) ?? { lines: 0, strays: 0, counts: new Map<string, number>() };
    sources.set(name, there);
    there.lines += lines;
    there.strays += strays;
    for (const [id, count] of counts) {
      const template = rootOf(merged, id);
      there.counts.set(template, (there.counts.get(template) ?? 0) + count);
    }
  }
  const heard = parts.filter(({ batches }) => batches > 0);
  const [from, to] = [Math.min(...heard.map((part) => part.from)), Math.max(...heard.map((part) => part.to))];
  const epoch = heard[0]?.epoch;
  const isSeen =
    heard.every((part) => part.epoch === epoch) &&
    parts.every(({ isMixed }) => !isMixed) &&
    heard.reduce((sum, { batches }) => sum + batches, 0) === to - from + 1 &&
    heard.reduce((bits, { slots }) => bits | slots, 0) === EVERY_SLOT;
  return {
    startMs,
    sources,
    merged,
    place: epoch === undefined ? undefined : { epoch, seq: to },
    isWholeAfter: (after) => isSeen && after !== undefined && after.epoch === epoch && after.seq + 1 === from,
  };
}
