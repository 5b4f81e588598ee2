import type { Server } from './server.ts';

/** Makes what this process stored findable: lines appear by themselves after seconds, and who has just stored one looks for it at once. */
export interface Freshness {
  /** Notes that an index holds lines that cannot be found yet. */
  touch(index: string): void;
  /** Resolves once all that was stored before can be found, or to false when that takes too long: a part is red. Costs nothing when nothing was stored. */
  fresh(): Promise<boolean>;
}

/** A red index keeps a refresh waiting for a minute; a reader of the others does not wait with it. */
const PATIENCE_MS = 2_000;

/** One refresh runs at a time, and all who ask meanwhile share the next: many readers cost no more than one. */
export function createFreshness(server: Server): Freshness {
  let touched = new Set<string>();
  let running = Promise.resolve(true);
  let next: Promise<boolean> | undefined;
  const refresh = async (): Promise<boolean> => {
    next = undefined;
    const indices = touched;
    touched = new Set();
    if (indices.size === 0) return true;
    const index = [...indices];
    try {
      await server.ask((es) =>
        es.indices.refresh({ index, ignore_unavailable: true }, { requestTimeout: PATIENCE_MS, maxRetries: 0 }),
      );
      return true;
    } catch {
      // What is asked next says better what is wrong.
      for (const one of index) touched.add(one);
      return false;
    }
  };
  return {
    touch: (index) => void touched.add(index),
    fresh() {
      next ??= running = running.then(refresh);
      return next;
    },
  };
}
