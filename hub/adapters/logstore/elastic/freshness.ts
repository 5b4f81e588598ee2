import type { Names } from './layout.ts';
import type { Server } from './server.ts';

/** Makes what this process stored findable: lines appear by themselves after seconds, and who has just stored one looks for it at once. */
export interface Freshness {
  /** Notes that an index (or all, by their pattern) holds lines that cannot be found yet. */
  touch(index: string): void;
  /** Resolves once all that was stored before can be found, or to false when some of it cannot: its index is red. Asks nothing when nothing was stored. */
  fresh(): Promise<boolean>;
}

/** One refresh runs at a time, and all who ask meanwhile share the next: many readers cost no more than one. */
export function createFreshness({ ask }: Server, names: Names): Freshness {
  // What was stored before this process began.
  let touched = new Set([names.lines]);
  let running = Promise.resolve(true);
  let next: Promise<boolean> | undefined;
  const refresh = async (): Promise<boolean> => {
    next = undefined;
    const taken = touched;
    touched = new Set();
    if (taken.size === 0) return true;
    try {
      const { indices = {} } = await ask((es) => es.cluster.health({ index: names.lines, level: 'indices' }));
      const there = Object.keys(indices).filter((index) => taken.has(index) || taken.has(names.lines));
      // A red one keeps a refresh waiting for a minute, and a reader of the others would wait with it.
      const red = there.filter((index) => indices[index]?.status === 'red');
      const index = there.filter((one) => !red.includes(one));
      if (index.length > 0) await ask((es) => es.indices.refresh({ index, ignore_unavailable: true }));
      for (const one of red) touched.add(one);
      return red.length === 0;
    } catch (error) {
      for (const one of taken) touched.add(one);
      throw error;
    }
  };
  return {
    touch: (index) => void touched.add(index),
    fresh() {
      next ??= running = running.catch(() => true).then(refresh);
      return next;
    },
  };
}
