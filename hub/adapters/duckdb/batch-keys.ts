import type { BatchKey } from '../../ports/series.ts';
import { literal, type Database } from './database.ts';

/** The key of a batch and whose it is. */
export interface OrgBatchKey extends BatchKey {
  org: string;
}

/** The newest stored seq of each agent, epoch and lane: what makes a resend harmless. */
export interface BatchKeys {
  newest(org: string, agent: string, epoch: bigint, lane: number): bigint;
  /** Statement that remembers keys; run it in the transaction that stores their rows. */
  remembering(keys: readonly OrgBatchKey[]): string;
  /** To be called once that transaction is committed. */
  remembered(keys: readonly OrgBatchKey[]): void;
  /** Shrinks the table to one row a lane when it has grown. Not to be called beside a commit. */
  compact(): Promise<void>;
}

/** Rows over which the table is shrunk: about eight minutes of a hundred agents. */
const COMPACT_ROWS = 50_000;

const laneKey = (org: string, agent: string, epoch: bigint, lane: number): string =>
  JSON.stringify([org, agent, String(epoch), lane]);

/** What names the lane of a batch. */
export function laneOf({ org, key: { agent, epoch, lane } }: { org: string; key: BatchKey }): string {
  return laneKey(org, agent, epoch, lane);
}

/** Rows are only ever appended: an upsert would rewrite an index at each commit. `compact` shrinks them again. */
export async function openBatchKeys(database: Database): Promise<BatchKeys> {
  await database.run(
    'CREATE TABLE IF NOT EXISTS stored_batch (org VARCHAR, agent VARCHAR, epoch UBIGINT, lane UTINYINT, seq UBIGINT)',
  );
  const newestRows = 'SELECT org, agent, epoch, lane, max(seq) AS seq FROM stored_batch GROUP BY ALL';
  const newest = new Map(
    (await database.read(newestRows)).map(([org, agent, epoch, lane, seq]) => [
      laneKey(String(org), String(agent), BigInt(epoch as bigint), Number(lane)),
      BigInt(seq as bigint),
    ]),
  );
  let appended = COMPACT_ROWS;
  return {
    newest: (org, agent, epoch, lane) => newest.get(laneKey(org, agent, epoch, lane)) ?? 0n,
    remembering: (keys) =>
      `INSERT INTO stored_batch VALUES ${keys
        .map(({ org, agent, epoch, lane, seq }) => `(${literal(org)}, ${literal(agent)}, ${epoch}, ${lane}, ${seq})`)
        .join(', ')}`,
    remembered(keys) {
      for (const { org, agent, epoch, lane, seq } of keys) newest.set(laneKey(org, agent, epoch, lane), seq);
      appended += keys.length;
    },
    async compact() {
      if (appended < COMPACT_ROWS) return;
      await database.run(`CREATE OR REPLACE TABLE stored_batch AS ${newestRows}`);
      appended = 0;
    },
  };
}

/** Those of some writes that were not stored before, looking also at each other. */
export function newWrites<Write extends { org: string; key: BatchKey }>(
  keys: BatchKeys,
  writes: readonly Write[],
): Write[] {
  const seen = new Map<string, bigint>();
  return writes.filter((write) => {
    const { agent, epoch, lane, seq } = write.key;
    const place = laneOf(write);
    if (seq <= (seen.get(place) ?? keys.newest(write.org, agent, epoch, lane))) return false;
    seen.set(place, seq);
    return true;
  });
}
