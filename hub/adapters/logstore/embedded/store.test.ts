import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LogFilter } from '../../../ports/logstore.ts';
import { openDatabase, type Database } from '../../duckdb/database.ts';
import type { SealedFile } from '../../duckdb/sealed-files.ts';
import { filesLeaving, openLogStore, type EmbeddedLogStore } from './store.ts';

const ORG = 'org';
const HOUR_MS = 3_600_000;
const START = 1_750_000_000_000;

let folder: string;
let database: Database;
let store: EmbeddedLogStore;
let skipped: number;
let seq: bigint;

const clock: Clock = {
  ...systemClock,
  now: () => START + skipped,
  monotonic: () => systemClock.monotonic() + skipped,
};
const open = async (): Promise<void> => {
  database = await openDatabase({ folder, memoryMb: 128, threads: 2 });
  store = await openLogStore(database, clock);
};
const close = async (): Promise<void> => {
  await store.drain();
  database.close();
};
/** Seals what is there. */
const seal = async (): Promise<void> => {
  skipped += 2 * HOUR_MS;
  await store.upkeep();
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-logstore-'));
  [skipped, seq] = [0, 0n];
  await open();
});
afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Lines `n FIRST` to `n LAST`, a second apart. */
const append = (first: number, last: number, resource = 'host'): Promise<void> =>
  store.append(ORG, {
    resource,
    key: { agent: resource, epoch: 1n, lane: 1, seq: (seq += 1n) },
    lines: Array.from({ length: last - first + 1 }, (_, index) => ({
      timeMs: START + (first + index) * 1000,
      level: 2,
      source: '/log',
      text: `n ${first + index}`,
      truncated: false,
    })),
  });
const search = (filter: Partial<LogFilter> = {}, page = { limit: 1000, offset: 0 }) =>
  store.search(ORG, { from: 0, to: START + 1e10, ...filter }, page);
const numbers = async (...given: Parameters<typeof search>): Promise<number[]> =>
  (await search(...given)).lines.map(({ text }) => Number(text.slice(2)));
const descending = (from: number, to: number): number[] =>
  Array.from({ length: from - to + 1 }, (_, index) => from - index);

test('hot and sealed lines answer as one, also late ones and after reopening', async () => {
  await append(100, 199);
  await seal();
  await append(300, 399);
  await seal();
  await append(200, 299);
  await append(0, 99);
  const check = async (): Promise<void> => {
    expect(await numbers()).toEqual(descending(399, 0));
    expect(await numbers({}, { limit: 120, offset: 90 })).toEqual(descending(309, 190));
    expect(await search({ text: 'N 15' })).toMatchObject({ total: 11, complete: true });
    const [line] = (await search({ text: 'n 200' })).lines;
    const around = await store.context(ORG, line?.id ?? '', 2);
    expect(around.map(({ text }) => text)).toEqual(['n 198', 'n 199', 'n 200', 'n 201', 'n 202']);
    const buckets = await store.histogram(ORG, { from: 0, to: START + 1e10 }, 1e9);
    expect(buckets.reduce((sum, { counts }) => sum + counts[2], 0)).toBe(400);
    expect((await store.usage()).lines).toBe(400);
  };
  await check();
  await close();
  await open();
  await check();
  await seal();
  await check();
  expect(await store.sources(ORG, 'host')).toEqual([{ source: '/log', lastMs: START + 399_000 }]);
});

test('answers do not change while lines move on under them', async () => {
  await append(0, 499);
  let moving = true;
  const moves = seal().then(() => (moving = false));
  while (moving) expect(await numbers()).toEqual(descending(499, 0));
  await moves;
  expect((await database.read('SELECT count(*)::DOUBLE FROM line'))[0]).toEqual([0]);
});

test('files that the database does not name are removed at the start', async () => {
  await append(0, 9);
  await seal();
  await close();
  writeFileSync(join(folder, 'sealed', 'line-7.parquet.new'), 'half');
  await open();
  expect(readdirSync(join(folder, 'sealed'))).toEqual(['line-1.parquet']);
  expect(await numbers()).toEqual(descending(9, 0));
});

test('lines of a deleted resource leave the sealed files too', async () => {
  await append(0, 9);
  await append(0, 4, 'other');
  await seal();
  await append(5, 9, 'other');
  await seal();
  await store.deleteResource(ORG, 'host');
  for (let pass = 0; pass < 4; pass++) await store.upkeep();
  expect((await store.usage()).lines).toBe(10);
  expect(await numbers()).toEqual(descending(9, 0));
  await append(20, 20);
  expect(await numbers({ resources: ['host'] })).toEqual([20]);
});

test('numbers go on behind sealed lines when the clock has gone back', async () => {
  await append(0, 0);
  const [before] = (await search()).lines;
  await seal();
  await close();
  skipped = -1000 * HOUR_MS;
  await open();
  await append(0, 0);
  const [after] = (await search()).lines;
  expect((after?.id ?? '') > (before?.id ?? '')).toBe(true);
});

test('files past the age go, and over the disk limit the oldest until the rest fits', () => {
  const file = (day: number, more: Partial<SealedFile> = {}): SealedFile => ({
    name: String(day),
    table: 'line',
    fromMs: day,
    toMs: day,
    rows: 1,
    bytes: 100,
    sealedMs: day,
    clean: 0,
    ...more,
  });
  const files = [file(5), file(3), file(1), file(2, { toMs: 99 }), file(4)];
  const names = (given: Parameters<typeof filesLeaving>[1]) => filesLeaving(files, given).map(({ name }) => name);
  expect(names({ oldestMs: 3, diskLimit: 1e9, otherBytes: 0 })).toEqual(['1', '2']);
  expect(names({ oldestMs: 0, diskLimit: 350, otherBytes: 50 })).toEqual(['1', '2']);
  expect(names({ oldestMs: 0, diskLimit: 500, otherBytes: 0 })).toEqual([]);
});

test('what an earlier release stored is read, found, counted, forgotten and added to', async () => {
  const older = { template: '00000000000000a1', parameters: ['1'] };
  await append(0, 9);
  await append(10, 19, 'other');
  await seal();
  await append(20, 29);
  await store.drain();
  const [file] = await database.read("SELECT name FROM sealed WHERE tbl = 'line'");
  const path = join(folder, 'sealed', String(file?.[0]));
  await database.run(
    `COPY (SELECT id, src, t, level, text, truncated FROM read_parquet('${path}') ORDER BY t, id) TO '${path}.old' (FORMAT parquet, COMPRESSION zstd)`,
  );
  for (const column of ['template', 'parameters']) await database.run(`ALTER TABLE line DROP COLUMN ${column}`);
  database.close();
  renameSync(`${path}.old`, path);
  await open();
  expect(await numbers()).toEqual(descending(29, 0));
  const line = { timeMs: START + 30_000, level: 2 as const, source: '/log', text: 'n 1', truncated: false, ...older };
  await store.append(ORG, { resource: 'host', key: { agent: 'a', epoch: 1n, lane: 1, seq: 1n }, lines: [line] });
  expect((await search({ templates: ['00000000000000a1'] })).lines).toMatchObject([older]);
  await seal();
  expect((await search({ templates: ['00000000000000a1'] })).lines).toMatchObject([older]);
  expect(await search({ withoutTemplates: ['00000000000000a1'] })).toMatchObject({ total: 30 });
  const { patterns } = await store.patterns(ORG, { from: START, to: START + HOUR_MS }, HOUR_MS);
  expect(patterns.map(({ template, counts }) => [template, counts[2]])).toEqual([
    [undefined, 30],
    ['00000000000000a1', 1],
  ]);
  await store.deleteResource(ORG, 'other');
  for (let turn = 0; turn < 4; turn += 1) await store.upkeep();
  expect(await numbers({ withoutTemplates: ['00000000000000a1'] })).toEqual([
    ...descending(29, 20),
    ...descending(9, 0),
  ]);
});
