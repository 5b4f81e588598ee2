/** Counts those who look, so that what they look at is taken away only behind their backs. */
export interface Looks {
  /** Runs a look. Nothing ever holds one up. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when every look that has begun by now is over. */
  settled(): Promise<void>;
}

/** Makes a count of looks. */
export function createLooks(): Looks {
  const inside = new Set<Promise<unknown>>();
  return {
    async run(work) {
      const look = work();
      const over = look.catch(() => undefined);
      inside.add(over);
      try {
        return await look;
      } finally {
        inside.delete(over);
      }
    },
    settled: async () => void (await Promise.all(inside)),
  };
}
