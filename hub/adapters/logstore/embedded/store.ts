import type { Clock } from '#sdk';
import type { LogAttributes, LogStore, LogWrite } from '../../../ports/logstore.ts';
import { laneOf, newWrites, openBatchKeys, type BatchKeys } from '../../duckdb/batch-keys.ts';
import { inTransaction, runAll, type Database } from '../../duckdb/database.ts';
import { bytesOf } from '../../duckdb/folder-bytes.ts';
import { createGroupCommit } from '../../duckdb/group-commit.ts';
import { openLastSeen, type LastSeen } from '../../duckdb/last-seen.ts';
import type { SealedFile } from '../../duckdb/sealed-files.ts';
import { openSealing, type HotTable, type Sealing } from '../../duckdb/sealing.ts';
import { createTurns } from '../../duckdb/turns.ts';
import { openDictionary, type AddedSources, type Dictionary } from './dictionary.ts';
import { appendLines, type NumberedLine } from './ingest.ts';
import { placesOf } from './parameters.ts';
import { createSearch } from './search.ts';

const DAY_MS = 86_400_000;
/** Lines over which the hot table is sealed, and the age at which it is in any case. */
const SEAL_ROWS = 2_000_000;
const SEAL_AGE_MS = 3_600_000;

const LINE: HotTable = {
  name: 'line',
  mark: 'id',
  owner: 'src',
  columns: 'id, src, t, level, text, truncated, template, parameters',
  order: 't, id',
};

/** The store and its upkeep, which the adapter calls now and then. */
export interface EmbeddedLogStore extends LogStore {
  /** Seals and tidies. */
  upkeep(): Promise<void>;
  /** Resolves when every append and query has been answered and no upkeep runs. */
  drain(): Promise<void>;
}

interface OrgWrite extends LogWrite {
  org: string;
}

/** What the parts of a store share. */
interface Parts {
  database: Database;
  clock: Clock;
  sealing: Sealing;
  keys: BatchKeys;
  dictionary: Dictionary;
  lastSeen: LastSeen;
  /** Runs work while no transaction of new lines runs. */
  between<T>(work: () => Promise<T>): Promise<T>;
}

const written = new WeakMap<LogAttributes, string>();

/** Attributes as JSON in the order of their names. Lines of one writer have the same object, which is written once. */
function keptAs(attributes: LogAttributes | undefined): string {
  if (attributes === undefined) return '';
  const known =
    written.get(attributes) ??
    JSON.stringify(Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))));
  written.set(attributes, known);
  return known === '{}' ? '' : known;
}

/** When the newest line of each source of a resource was written. */
function sourcesOf({ dictionary, lastSeen }: Pick<Parts, 'dictionary' | 'lastSeen'>, org: string, resource: string) {
  const newest = new Map<string, number>();
  for (const id of dictionary.find(org, { resources: [resource] })) {
    const source = dictionary.placeOf(id)?.source ?? '';
    newest.set(source, Math.max(newest.get(source) ?? 0, lastSeen.of(id)));
  }
  return [...newest].map(([source, lastMs]) => ({ source, lastMs }));
}

/** Stores a group of batches in one transaction. */
async function createCommit({ database, clock, sealing, keys, dictionary, lastSeen }: Omit<Parts, 'between'>) {
  const [highest] = await database.read('SELECT coalesce(max(id), 0) FROM line');
  // From the clock on, so that all have one length and sort as texts too.
  let nextId = BigInt(
    1 + Math.max(Number(highest?.[0]), sealing.view().marks['line'] ?? 0, Math.min(4e15, clock.now() * 1000)),
  );
  return async (writes: readonly OrgWrite[]): Promise<void> => {
    const fresh = newWrites(keys, writes);
    if (fresh.length === 0) return;
    const added: AddedSources = new Map();
    const lines: NumberedLine[] = [];
    for (const { org, resource, lines: own } of fresh) {
      // Lines of one file follow each other: its number is looked up once.
      let file: string | undefined;
      let said: LogAttributes | undefined;
      let src = 0;
      for (const { source, timeMs, level, text, truncated, attributes, template, parameters } of own) {
        if (source !== file || attributes !== said) {
          file = source;
          said = attributes;
          src = dictionary.numberOf({ org, resource, source, attributes: keptAs(attributes) }, added);
        }
        const places = placesOf(text, parameters);
        lines.push({ id: nextId++, src, timeMs, level, text, truncated, template, parameters: places });
      }
    }
    const batchKeys = fresh.map(({ org, key }) => ({ org, ...key }));
    await inTransaction(database.writer, async () => {
      await appendLines(database, lines);
      await runAll(database.writer, [...dictionary.storing(added), keys.remembering(batchKeys)]);
    });
    dictionary.stored(added);
    keys.remembered(batchKeys);
    for (const { src, timeMs } of lines) lastSeen.see(src, timeMs);
  };
}

/** Sealed files past their age, then the oldest until the rest fits on the disk beside the other bytes. */
export function filesLeaving(
  files: readonly SealedFile[],
  { oldestMs, diskLimit, otherBytes }: { oldestMs: number; diskLimit: number; otherBytes: number },
): SealedFile[] {
  // A line from the future of a wrong clock must not keep its file for ever.
  const old = files.filter(({ toMs, sealedMs }) => Math.min(toMs, sealedMs) < oldestMs);
  const rest = files.filter((file) => !old.includes(file)).sort((a, b) => a.fromMs - b.fromMs);
  let bytes = rest.reduce((sum, file) => sum + file.bytes, otherBytes);
  const over = rest.filter((file) => {
    const leaves = bytes > diskLimit;
    if (leaves) bytes -= file.bytes;
    return leaves;
  });
  return [...old, ...over];
}

/** What keeps the store small; each runs alone. */
function createUpkeep({ database, clock, sealing, keys, dictionary, lastSeen, between }: Parts) {
  let sealedAt = clock.monotonic();
  const seal = async (): Promise<void> => {
    const rows = `FROM line WHERE id > ${sealing.view().marks['line'] ?? 0}`;
    const [row] = await database.read(`SELECT count(*)::DOUBLE, max(id)::DOUBLE ${rows}`);
    const count = Number(row?.[0] ?? 0);
    if (count === 0 || !(count > SEAL_ROWS || clock.monotonic() - sealedAt > SEAL_AGE_MS)) return;
    const upTo = Number(row?.[1]);
    await sealing.seal(LINE, upTo, [lastSeen.keeping(`SELECT src, t ${rows} AND id <= ${upTo}`)]);
    sealedAt = clock.monotonic();
  };
  return {
    async tidy(): Promise<void> {
      await seal();
      await sealing.cleanOne();
      await between(keys.compact);
    },
    async retain({ days, diskLimit }: { days: number; diskLimit: number }): Promise<void> {
      const oldestMs = Math.round(clock.now() - days * DAY_MS);
      const { files } = sealing.view();
      const otherBytes = bytesOf(database.folder) - files.reduce((sum, { bytes }) => sum + bytes, 0);
      await sealing.remove(filesLeaving(files, { oldestMs, diskLimit, otherBytes }));
      await database.run(`DELETE FROM line WHERE t < ${oldestMs}`);
    },
    async deleteResource(org: string, resource: string): Promise<void> {
      const owners = dictionary.find(org, { resources: [resource] });
      if (owners.length === 0) return;
      // Between transactions: one that had taken a number before would store lines that nothing names.
      await between(async () => {
        const order = sealing.forgetting(owners);
        await database.change([...dictionary.forgetting(org, resource), ...order.statements]);
        dictionary.forgotten(org, resource);
        order.committed();
      });
      await database.run(`DELETE FROM line WHERE src IN (${owners.join(', ')})`);
    },
  };
}

/**
 * Opens the store over a database. Measured on two shared cores (test/bench/logstore.ts) while 2,000 lines a second came in, over an hour of them: the newest
 * lines took 38 ms, a common substring 44 ms, one that occurs once 470 ms; 11.5 bytes a sealed line.
 */
export async function openLogStore(database: Database, clock: Clock): Promise<EmbeddedLogStore> {
  await database.run(
    'CREATE TABLE IF NOT EXISTS line (id BIGINT, src INTEGER, t BIGINT, level UTINYINT, text VARCHAR, truncated BOOLEAN)',
  );
  // What a store of an earlier release lacks; its sealed files are read as if all was NULL there.
  for (const column of ['template', 'parameters'])
    await database.run(`ALTER TABLE line ADD COLUMN IF NOT EXISTS ${column} VARCHAR`);
  const sealing = await openSealing(database, clock, [LINE]);
  const keys = await openBatchKeys(database);
  const dictionary = await openDictionary(database);
  const lastSeen = await openLastSeen(database, 'SELECT src AS number, t FROM line');
  const commit = await createCommit({ database, clock, sealing, keys, dictionary, lastSeen });
  const group = createGroupCommit<OrgWrite>({ clock, laneOf, commit });
  const parts = { database, clock, sealing, keys, dictionary, lastSeen, between: group.between };
  const keeping = createUpkeep(parts);
  const alone = createTurns();
  return {
    append: (org, write) => group.add({ ...write, org }),
    ...createSearch(parts),
    sources: (org, resource) => Promise.resolve(sourcesOf(parts, org, resource)),
    acknowledged: (org, agent, epoch) =>
      Promise.resolve({ live: keys.newest(org, agent, epoch, 1), backfill: keys.newest(org, agent, epoch, 2) }),
    deleteResource: (org, resource) => alone(() => keeping.deleteResource(org, resource)),
    retain: (retention) => alone(() => keeping.retain(retention)),
    usage: () =>
      sealing.look(async ({ files, marks }) => {
        const [row] = await database.read(
          `SELECT count(*)::DOUBLE, min(t)::DOUBLE FROM line WHERE id > ${marks['line'] ?? 0}`,
        );
        const times = [...files.map(({ fromMs }) => fromMs), ...(typeof row?.[1] === 'number' ? [row[1]] : [])];
        return {
          bytes: bytesOf(database.folder),
          lines: Number(row?.[0] ?? 0) + files.reduce((sum, { rows }) => sum + rows, 0),
          oldestMs: times.length === 0 ? undefined : times.reduce((least, ms) => Math.min(least, ms)),
        };
      }),
    check: async () => void (await database.read('SELECT 1')),
    upkeep: () => alone(keeping.tidy),
    async drain() {
      await group.drain();
      await alone(() => sealing.settled());
    },
  };
}
