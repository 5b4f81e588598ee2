import type { Clock } from '#sdk';

/** One caller's write that waits for its transaction. */
interface Waiting<Write> {
  write: Write;
  resolve(): void;
  reject(error: unknown): void;
}

/** Takes writes from many callers and stores those that arrive together in one transaction. */
export interface GroupCommit<Write> {
  /** Resolves when the write is durable. */
  add(write: Write): Promise<void>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

/** How long the first of a group waits for company, milliseconds. At 100 agents a second this makes about ten transactions of ten batches. */
const COMPANY_MS = 40;

/** `commit` stores a group in one transaction: it resolves when it is durable, or rejects and has stored nothing. */
export function createGroupCommit<Write>(
  clock: Clock,
  commit: (writes: readonly Write[]) => Promise<void>,
): GroupCommit<Write> {
  let waiting: Waiting<Write>[] = [];
  let working: Promise<void> | undefined;

  const one = async (group: readonly Waiting<Write>[]): Promise<void> => {
    try {
      await commit(group.map(({ write }) => write));
      for (const { resolve } of group) resolve();
    } catch (error) {
      if (group.length === 1) return group[0]?.reject(error);
      // One bad write must not take the others with it: each goes alone.
      for (const single of group) await one([single]);
    }
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      await clock.sleep(COMPANY_MS);
      const group = waiting;
      waiting = [];
      await one(group);
    }
  };
  return {
    add: (write) =>
      new Promise((resolve, reject) => {
        waiting.push({ write, resolve, reject });
        working ??= work().finally(() => (working = undefined));
      }),
    async drain() {
      while (working !== undefined) await working;
    },
  };
}
