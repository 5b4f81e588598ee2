import { LRUCache } from 'lru-cache';
import { Problem } from '#sdk';
import type { SeriesIdentity, SeriesWrite } from '../../../ports/series.ts';
import { laneOf } from '../../duckdb/batch-keys.ts';
import { problems } from './errors.ts';

/** A batch whose tables are known. */
export interface KnownWrite<Column> extends SeriesWrite {
  org: string;
  /** Table id → what the store calls the columns of the table. */
  columns: ReadonlyMap<bigint, readonly Column[]>;
}

/** What appends to a store over the network are made of. */
export interface AppendsOptions<Column> {
  /** What the store calls a series; asked once for each column of a new table. */
  columnOf(identity: SeriesIdentity): Column;
  /** The newest durable seq of each lane, from the server. */
  acknowledged(org: string, agent: string, epoch: bigint): Promise<{ live: bigint; backfill: bigint }>;
  /** Resolves when the samples of all writes, and after them the keys, are durable. Else nothing counts, whatever was stored: the same will come again. */
  store(writes: readonly KnownWrite<Column>[]): Promise<void>;
  /** Samples that may wait in this process; more are refused with `series.overloaded`. */
  limit?: number;
}

/** Appends of many callers, sent together: while one group is on its way, the next gathers. */
export interface Appends {
  append(org: string, write: SeriesWrite): Promise<void>;
  /** From now on, until the end that it gives, batches that seem to be stored are stored again. */
  mistrust(): () => void;
  /** Resolves when nothing is on its way. */
  drain(): Promise<void>;
}

interface Waiting {
  write: SeriesWrite & { org: string };
  lane: string;
  size: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** Samples that may wait: some ten seconds of a hundred agents. */
const WAITING_SAMPLES = 1_000_000;
/** Samples that go together: enough for the server to be busy, few enough to be held twice. */
const GROUP_SAMPLES = 100_000;
/** Columns of tables that are remembered; what was used longest ago goes first, and agents send it again when told. */
const COLUMNS = 2_000_000;
const LANES = 100_000;

/** The tables that this process was given lately, of all resources. */
function createTables<Column>(columnOf: (identity: SeriesIdentity) => Column) {
  const known = new LRUCache<string, readonly Column[]>({
    maxSize: COLUMNS,
    sizeCalculation: (list) => list.length + 1,
  });
  return ({ org, resource, tables, blocks }: Waiting['write']): Map<bigint, readonly Column[]> => {
    const found = new Map<bigint, readonly Column[]>();
    const place = JSON.stringify([org, resource]);
    for (const { id, series } of tables) {
      const columns = known.get(`${place} ${id}`) ?? series.map(columnOf);
      known.set(`${place} ${id}`, columns);
      found.set(id, columns);
    }
    for (const { table } of blocks) {
      const columns = found.get(table) ?? known.get(`${place} ${table}`);
      if (columns === undefined) throw problems.unknownTable(`Send the table ${table} again.`);
      found.set(table, columns);
    }
    return found;
  };
}

/** The newest seq of each lane that is known to be stored. */
function createNewest(acknowledged: AppendsOptions<unknown>['acknowledged']) {
  const newest = new LRUCache<string, bigint>({ max: LANES });
  const note = (lane: string, seq: bigint): void => {
    if (seq > (newest.get(lane) ?? -1n)) newest.set(lane, seq);
  };
  return {
    note,
    async newestOf({ lane, write: { org, key } }: Waiting): Promise<bigint> {
      const known = newest.get(lane);
      if (known !== undefined) return known;
      const { live, backfill } = await acknowledged(org, key.agent, key.epoch);
      const found = key.lane === 2 ? backfill : live;
      note(lane, found);
      return found;
    },
  };
}

/** Makes the appends of a store. */
export function createAppends<Column>(options: AppendsOptions<Column>): Appends {
  const { acknowledged, store, limit = WAITING_SAMPLES } = options;
  const columnsOf = createTables(options.columnOf);
  const { newestOf, note } = createNewest(acknowledged);
  let waiting: Waiting[] = [];
  let samples = 0;
  let working: Promise<void> | undefined;
  let doubts = 0;

  /** A batch that overtook a refused one of its lane would make the resend of that one look like an old acquaintance. */
  const refuse = (lanes: ReadonlyMap<string, unknown>): void => {
    const behind = waiting.filter(({ lane }) => lanes.has(lane));
    waiting = waiting.filter(({ lane }) => !lanes.has(lane));
    for (const { lane, size, reject } of behind) {
      samples -= size;
      reject(lanes.get(lane));
    }
  };
  const settle = async (group: readonly Waiting[], refused = new Map<string, unknown>()): Promise<void> => {
    const fresh: { one: Waiting; known: KnownWrite<Column> }[] = [];
    const seen = new Map<string, bigint>();
    for (const one of group) {
      const { lane, write } = one;
      try {
        if (refused.has(lane)) continue;
        if (write.key.seq <= (seen.get(lane) ?? (await newestOf(one))) && doubts === 0) continue;
        fresh.push({ one, known: { ...write, columns: columnsOf(write) } });
        if (write.key.seq > (seen.get(lane) ?? 0n)) seen.set(lane, write.key.seq);
      } catch (error) {
        refused.set(lane, error);
      }
    }
    try {
      if (fresh.length > 0) await store(fresh.map(({ known }) => known));
      for (const [lane, seq] of seen) note(lane, seq);
    } catch (error) {
      // One bad write must not take the others with it; its own error comes again when it goes alone.
      if (fresh.length > 1 && !(error instanceof Problem && error.retryable)) {
        for (const one of group) await settle([one], refused);
        return;
      }
      for (const { lane } of group) refused.set(lane, error);
    }
    for (const { lane, resolve, reject } of group) {
      if (refused.has(lane)) reject(refused.get(lane));
      else resolve();
    }
    refuse(refused);
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      let size = 0;
      const end = waiting.findIndex((one) => (size += one.size) > GROUP_SAMPLES);
      const group = waiting.splice(0, end === -1 ? waiting.length : Math.max(1, end));
      await settle(group);
      for (const one of group) samples -= one.size;
    }
    working = undefined;
  };
  return {
    append: (org, write) =>
      new Promise((resolve, reject) => {
        const size = write.blocks.reduce((sum, { values }) => sum + values.length, 1);
        if (samples + size > limit && samples > 0) return reject(problems.overloaded());
        samples += size;
        waiting.push({ write: { ...write, org }, lane: laneOf({ org, key: write.key }), size, resolve, reject });
        working ??= work();
      }),
    mistrust() {
      doubts += 1;
      return () => void (doubts -= 1);
    },
    async drain() {
      while (working !== undefined) await working;
    },
  };
}
