/** Many may look at once; a change waits for those inside and keeps later ones out. */
export interface Gate {
  /** Runs a look. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs a change alone. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes a gate between queries, which name files, and changes, which take files away. */
export function createGate(): Gate {
  const inside = new Set<Promise<unknown>>();
  let change: Promise<unknown> = Promise.resolve();
  let changes = 0;
  return {
    async shared(work) {
      while (changes > 0) await change;
      const looking = work();
      const settled = looking.catch(() => undefined);
      inside.add(settled);
      try {
        return await looking;
      } finally {
        inside.delete(settled);
      }
    },
    alone(work) {
      changes += 1;
      const turn = change.then(async () => {
        await Promise.all(inside);
        return work();
      });
      change = turn.catch(() => undefined).then(() => (changes -= 1));
      return turn;
    },
  };
}
