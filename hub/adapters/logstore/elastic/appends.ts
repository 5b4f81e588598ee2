import { LRUCache } from 'lru-cache';
import { Problem } from '#sdk';
import type { LogWrite } from '../../../ports/logstore.ts';
import { laneOf } from '../../duckdb/batch-keys.ts';
import type { OrgWrite } from './documents.ts';
import { problems } from './errors.ts';

/** What appends to a store over the network are made of. */
export interface AppendsOptions {
  /** The newest durable seq of the lane of each write, from the server. */
  newest(writes: readonly OrgWrite[]): Promise<bigint[]>;
  /** Resolves when the lines of all writes, and after them the keys, are durable. Else nothing counts, whatever was stored: the same will come again. */
  store(writes: readonly OrgWrite[]): Promise<void>;
  /** Characters of lines that may wait in this process; more are refused with `logstore.overloaded`. */
  limit?: number;
}

/** Appends of many callers, sent together: while one group is on its way, the next gathers. */
export interface Appends {
  append(org: string, write: LogWrite): Promise<void>;
  /** Characters of lines that wait or are on their way. */
  waiting(): number;
  /** Resolves when nothing is on its way. */
  drain(): Promise<void>;
}

interface Waiting {
  write: OrgWrite;
  lane: string;
  size: number;
  resolve(): void;
  reject(error: unknown): void;
}

const WAITING_CHARACTERS = 64_000_000;
/** Enough for the server to be busy, few enough to be held several times. */
const GROUP_CHARACTERS = 4_000_000;
/** What a line takes beside its text. */
const LINE_CHARACTERS = 200;
const LANES = 100_000;

const sizeOf = ({ lines }: LogWrite): number =>
  lines.reduce((sum, { text }) => sum + text.length + LINE_CHARACTERS, LINE_CHARACTERS);

/** Makes the appends of a store. */
export function createAppends({ newest, store, limit = WAITING_CHARACTERS }: AppendsOptions): Appends {
  const known = new LRUCache<string, bigint>({ max: LANES });
  let waiting: Waiting[] = [];
  let characters = 0;
  let working: Promise<void> | undefined;

  /** Those of a group that were not stored before, looking also at each other. */
  const unstored = async (group: readonly Waiting[]): Promise<Waiting[]> => {
    const strange = new Map(group.filter(({ lane }) => !known.has(lane)).map((one) => [one.lane, one.write]));
    const seqs = strange.size === 0 ? [] : await newest([...strange.values()]);
    const seen = new Map([...strange.keys()].map((lane, index) => [lane, seqs[index] ?? 0n]));
    return group.filter(({ lane, write: { key } }) => {
      if (key.seq <= (seen.get(lane) ?? known.get(lane) ?? 0n)) return false;
      seen.set(lane, key.seq);
      return true;
    });
  };
  /** Stores a group, or notes in `failed` what its lanes failed with. A batch behind a failed one of its lane must not overtake it. */
  const attempt = async (given: readonly Waiting[], failed: Map<string, unknown>): Promise<void> => {
    const group = given.filter(({ lane }) => !failed.has(lane));
    try {
      const fresh = await unstored(group);
      if (fresh.length > 0) await store(fresh.map(({ write }) => write));
      for (const { lane, write } of fresh) known.set(lane, write.key.seq);
    } catch (error) {
      // One bad write must not take the others with it; its own error comes again when it goes alone.
      if (group.length > 1 && !(error instanceof Problem && error.retryable)) {
        for (const one of group) await attempt([one], failed);
        return;
      }
      for (const { lane } of group) failed.set(lane, error);
    }
  };
  const settle = async (group: readonly Waiting[]): Promise<void> => {
    const failed = new Map<string, unknown>();
    await attempt(group, failed);
    const behind = waiting.filter(({ lane }) => failed.has(lane));
    waiting = waiting.filter(({ lane }) => !failed.has(lane));
    for (const { lane, size, resolve, reject } of [...group, ...behind]) {
      characters -= size;
      if (failed.has(lane)) reject(failed.get(lane));
      else resolve();
    }
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      let size = 0;
      const end = waiting.findIndex((one) => (size += one.size) > GROUP_CHARACTERS);
      await settle(waiting.splice(0, end === -1 ? waiting.length : Math.max(1, end)));
    }
    working = undefined;
  };
  return {
    append: (org, write) =>
      new Promise((resolve, reject) => {
        const size = sizeOf(write);
        if (characters + size > limit && characters > 0) return reject(problems.overloaded());
        characters += size;
        waiting.push({ write: { ...write, org }, lane: laneOf({ org, key: write.key }), size, resolve, reject });
        working ??= work();
      }),
    waiting: () => characters,
    async drain() {
      while (working !== undefined) await working;
    },
  };
}
