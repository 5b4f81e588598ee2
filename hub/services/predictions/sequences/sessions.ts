import { LRUCache } from 'lru-cache';
import { MOST_TEMPLATES, type Counts } from './counts.ts';

/** A line as sequences are made of it. */
export interface TemplateLine {
  timeMs: number;
  template: string;
  /** Whose sequence it belongs to: an id that its parameters hold (a request, a block), or the host and source. */
  of: string;
}

/** A sequence that is over. */
export interface FinishedSequence {
  of: string;
  fromMs: number;
  toMs: number;
  counts: Counts;
}

/** When a sequence is over. */
export interface SessionOptions {
  /** No line for so long ends it, milliseconds of the lines' own time. */
  idleMs: number;
  /** It is no longer than this: the window of a source that never rests. */
  windowMs: number;
  /** Sequences that are open at one time; beyond it the one that waited longest ends. */
  open: number;
}

interface Open {
  of: string;
  fromMs: number;
  toMs: number;
  counts: Map<string, number>;
}

/** Gathers lines into sequences, by id or by window. Time is that of the lines, so that the past gives what the present gave. */
export function createSessions({ idleMs, windowMs, open }: SessionOptions, finish: (one: FinishedSequence) => void) {
  let newestMs = -Infinity;
  const sessions = new LRUCache<string, Open>({
    max: open,
    dispose: (one, _of, reason) => {
      if (reason !== 'set') finish(one);
    },
  });
  return {
    add({ timeMs, template, of }: TemplateLine): void {
      newestMs = Math.max(newestMs, timeMs);
      const there = sessions.get(of);
      // A line from the past joins what is open; a window is never left backwards.
      const isOver = there !== undefined && (timeMs - there.toMs >= idleMs || timeMs - there.fromMs >= windowMs);
      if (isOver) sessions.delete(of);
      const session = there === undefined || isOver ? { of, fromMs: timeMs, toMs: timeMs, counts: new Map() } : there;
      session.toMs = Math.max(session.toMs, timeMs);
      const count = session.counts.get(template);
      if (count !== undefined) session.counts.set(template, count + 1);
      else if (session.counts.size < MOST_TEMPLATES) session.counts.set(template, 1);
      if (session !== there) sessions.set(of, session);
    },
    /** Ends what has had no line for long, by the newest line's time or by `nowMs` where that is later. */
    sweep(nowMs = newestMs): void {
      const now = Math.max(nowMs, newestMs);
      for (const [of, one] of [...sessions.entries()])
        if (now - one.toMs >= idleMs || now - one.fromMs >= windowMs) sessions.delete(of);
    },
    /** Ends everything. */
    close: (): void => sessions.clear(),
  };
}
