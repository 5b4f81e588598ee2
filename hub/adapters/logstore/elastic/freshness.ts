import type { Server } from './server.ts';

/** Makes what this process stored findable: lines appear by themselves after seconds, and who has just stored one looks for it at once. */
export interface Freshness {
  /** Notes that an index holds lines that cannot be found yet. */
  touch(index: string): void;
  /** Resolves when all that was stored before can be found. Costs nothing when nothing was. */
  fresh(): Promise<void>;
}

/** One refresh runs at a time, and all who ask meanwhile share the next: many readers cost no more than one. */
export function createFreshness(server: Server): Freshness {
  let touched = new Set<string>();
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  const refresh = async (): Promise<void> => {
    next = undefined;
    const indices = touched;
    touched = new Set();
    if (indices.size === 0) return;
    try {
      await server.ask((es) => es.indices.refresh({ index: [...indices], ignore_unavailable: true }));
    } catch (error) {
      for (const index of indices) touched.add(index);
      throw error;
    }
  };
  return {
    touch: (index) => void touched.add(index),
    fresh() {
      next ??= running = running.catch(() => undefined).then(refresh);
      return next;
    },
  };
}
