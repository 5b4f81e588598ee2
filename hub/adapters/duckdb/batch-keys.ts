import type { BatchKey } from '../../ports/series.ts';
import type { Database } from './database.ts';
import { literal } from './database.ts';

/** The newest stored seq of each agent, epoch and lane: what makes a resend harmless. */
export interface BatchKeys {
  newest(agent: string, epoch: bigint, lane: number): bigint;
  /** Statement that remembers keys; run it in the transaction that stores their rows. */
  remembering(keys: readonly BatchKey[]): string;
  /** To be called once that transaction is committed. */
  remembered(keys: readonly BatchKey[]): void;
  /** Shrinks the table to one row a lane. Not to be called beside a commit. */
  compact(): Promise<void>;
}

const placeOf = (agent: string, epoch: bigint, lane: number): string => `${agent} ${epoch} ${lane}`;

/** Rows are only ever appended: an upsert would rewrite an index at each commit. `compact` shrinks them again. */
export async function openBatchKeys(database: Database): Promise<BatchKeys> {
  await database.writer.run(
    'CREATE TABLE IF NOT EXISTS stored_batch (agent VARCHAR, epoch UBIGINT, lane UTINYINT, seq UBIGINT)',
  );
  const rows = await database.read('SELECT agent, epoch, lane, max(seq) FROM stored_batch GROUP BY ALL');
  const newest = new Map(
    rows.map(([agent, epoch, lane, seq]) => [
      placeOf(String(agent), BigInt(epoch as bigint), Number(lane)),
      BigInt(seq as bigint),
    ]),
  );
  const row = (agent: string, epoch: string, lane: string, seq: bigint): string =>
    `(${literal(agent)}, ${epoch}, ${lane}, ${seq})`;
  return {
    newest: (agent, epoch, lane) => newest.get(placeOf(agent, epoch, lane)) ?? 0n,
    remembering: (keys) =>
      `INSERT INTO stored_batch VALUES ${keys.map(({ agent, epoch, lane, seq }) => row(agent, String(epoch), String(lane), seq)).join(', ')}`,
    remembered(keys) {
      for (const { agent, epoch, lane, seq } of keys) newest.set(placeOf(agent, epoch, lane), seq);
    },
    async compact() {
      if (newest.size === 0) return;
      const all = [...newest].map(([place, seq]) => {
        const [agent = '', epoch = '', lane = ''] = place.split(' ');
        return row(agent, epoch, lane, seq);
      });
      await database.writer.run('BEGIN');
      await database.writer.run('DELETE FROM stored_batch');
      await database.writer.run(`INSERT INTO stored_batch VALUES ${all.join(', ')}`);
      await database.writer.run('COMMIT');
    },
  };
}

/** Splits writes into those that are new and those that were stored before, looking also at each other. */
export function newWrites<Write extends { key: BatchKey }>(keys: BatchKeys, writes: readonly Write[]): Write[] {
  const seen = new Map<string, bigint>();
  return writes.filter(({ key: { agent, epoch, lane, seq } }) => {
    const place = placeOf(agent, epoch, lane);
    if (seq <= (seen.get(place) ?? keys.newest(agent, epoch, lane))) return false;
    seen.set(place, seq);
    return true;
  });
}
