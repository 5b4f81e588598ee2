import type { Clock } from '#sdk';
import { createTurns } from './turns.ts';

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
  /** Runs work while no transaction runs. */
  between<T>(work: () => Promise<T>): Promise<T>;
  /** Resolves when nothing waits any more. */
  drain(): Promise<void>;
}

/** What a group commit is made of. */
export interface GroupCommitOptions<Write> {
  clock: Clock;
  /** Writes of one lane are stored in their order: after one that fails, none that came behind it. */
  laneOf(write: Write): string;
  /** Stores a group in one transaction: resolves when it is durable, or rejects and has stored nothing. */
  commit(writes: readonly Write[]): Promise<void>;
}

/**
 * The longest that the first of a group waits for company, milliseconds. At 100 agents a second this makes about ten transactions of ten batches: each
 * costs four statements and an fsync, whatever it holds.
 */
const COMPANY_MS = 80;
/** A group waits so many times as long as the one before it took: with few agents none waits in vain, and commits take a fifth of one core at most. */
const PATIENCE = 4;

/** Makes a group commit. */
export function createGroupCommit<Write>({ clock, laneOf, commit }: GroupCommitOptions<Write>): GroupCommit<Write> {
  const turns = createTurns();
  let waiting: Waiting<Write>[] = [];
  let working: Promise<void> | undefined;
  let companyMs = COMPANY_MS / PATIENCE;

  /** A batch that overtook a refused one of its lane would make the resend of that one look like an old acquaintance. */
  const oneByOne = async (group: readonly Waiting<Write>[]): Promise<void> => {
    const refused = new Map<string, unknown>();
    for (const { write, resolve, reject } of group) {
      const lane = laneOf(write);
      if (!refused.has(lane)) {
        try {
          await commit([write]);
          resolve();
          continue;
        } catch (error) {
          refused.set(lane, error);
        }
      }
      reject(refused.get(lane));
    }
    const behind = waiting.filter(({ write }) => refused.has(laneOf(write)));
    waiting = waiting.filter((one) => !behind.includes(one));
    for (const { write, reject } of behind) reject(refused.get(laneOf(write)));
  };
  const all = async (group: readonly Waiting<Write>[]): Promise<void> => {
    try {
      await commit(group.map(({ write }) => write));
    } catch {
      // One bad write must not take the others with it; its own error comes again when it goes alone.
      return oneByOne(group);
    }
    for (const { resolve } of group) resolve();
  };
  const work = async (): Promise<void> => {
    try {
      while (waiting.length > 0) {
        await clock.sleep(companyMs);
        await turns(async () => {
          const group = waiting;
          waiting = [];
          const began = clock.monotonic();
          await all(group);
          companyMs = Math.min(COMPANY_MS, PATIENCE * (clock.monotonic() - began));
        });
      }
    } finally {
      // In the very step that saw nothing waiting: a write that came a moment later would wait for a worker that is gone.
      working = undefined;
    }
  };
  return {
    add: (write) =>
      new Promise((resolve, reject) => {
        waiting.push({ write, resolve, reject });
        working ??= work();
      }),
    between: turns,
    async drain() {
      while (working !== undefined) await working;
    },
  };
}
