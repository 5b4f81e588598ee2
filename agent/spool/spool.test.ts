import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { waitingOf } from '../../test/kit/spooled.ts';
import { LANES } from './records.ts';
import { listSegments } from './segments.ts';
import { openSpool, type Spool } from './spool.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (limit = 1e9): Promise<Spool> => openSpool({ folder, limit, log: silentLogger });
const table = (id: bigint): [bigint, Uint8Array] => [id, Buffer.from(`table ${id}`)];
const checkpoint = (offset: number) => ({
  path: '/a',
  device: 1,
  inode: 2,
  fingerprint: 'f',
  fingerprintLength: 1,
  offset,
});
const entry = (text: string, size = 0) => ({
  metrics: Buffer.from(text),
  logs: Buffer.alloc(size, 'x'),
  tables: new Map([table(7n)]),
  checkpoints: [checkpoint(text.length)],
  sources: new Map([['/a', [1, text.length] as const]]),
});

function readAll(spool: Spool): { seq: bigint; epoch: bigint; text: string; tables: number }[] {
  const all = [];
  for (const batch of waitingOf(spool)) {
    all.push({
      seq: batch.seq,
      epoch: batch.epoch,
      text: Buffer.from(batch.metrics).toString(),
      tables: batch.tables.size,
    });
  }
  return all;
}

const acknowledge = (spool: Spool, seq: bigint, epoch = spool.epoch): void =>
  LANES.forEach((lane) => spool.acknowledge({ epoch, lane, seq }));

test('batches come out in order with their tables', async () => {
  const spool = await open();
  await Promise.all(['a', 'b', 'c'].map((text) => spool.append(entry(text))));
  expect(readAll(spool)).toEqual(
    ['a', 'b', 'c'].map((text, n) => ({ seq: BigInt(n + 1), epoch: spool.epoch, text, tables: 1 })),
  );
  await spool.close();
});

test('a reader at the end sees what is appended later', async () => {
  const spool = await open();
  const reader = spool.reader('live');
  expect(reader.next()).toBeUndefined();
  const appended = spool.appended();
  await spool.append(entry('a'));
  await appended;
  expect(reader.next()?.seq).toBe(1n);
  expect(reader.next()).toBeUndefined();
  reader.close();
  await spool.close();
});

test('a restart knows the checkpoints, and goes on in an epoch of its own', async () => {
  const first = await open();
  await first.append(entry('abc'));
  await first.close();
  const second = await open();
  expect(second.checkpoints().get('1:2')).toMatchObject({ offset: 3 });
  expect((await second.append(entry('b'))).seq).toBe(1n);
  expect(readAll(second).map(({ epoch, seq, text }) => [epoch, seq, text])).toEqual([
    [first.epoch, 1n, 'abc'],
    [second.epoch, 1n, 'b'],
  ]);
  await second.close();
});

test('a copy of a machine never takes its numbers', async () => {
  const first = await open();
  await first.append(entry('a'));
  await first.close();
  const copy = mkdtempSync(join(tmpdir(), 'outrider-spool-'));
  cpSync(folder, copy, { recursive: true });
  const [one, other] = [await open(), await openSpool({ folder: copy, limit: 1e9, log: silentLogger })];
  for (const spool of [one, other]) await spool.append(entry('b'));
  const keysOf = (spool: Spool): string[] => readAll(spool).map(({ epoch, seq, text }) => `${epoch} ${seq} ${text}`);
  expect(keysOf(one)[0]).toBe(keysOf(other)[0]);
  expect(one.epoch).not.toBe(other.epoch);
  for (const spool of [one, other]) await spool.close();
  rmSync(copy, { recursive: true });
});

test('starts without an end leave no heap of empty segments', async () => {
  for (let n = 0; n < 20; n++) await (await open()).close();
  expect(listSegments(folder).length).toBeLessThanOrEqual(2);
});

test('acknowledged segments are deleted, and their checkpoints stay known', async () => {
  const spool = await open();
  for (let n = 0; n < 12; n++) await spool.append(entry(`batch ${n}`, 1_000_000));
  expect(listSegments(folder).length).toBeGreaterThan(1);
  acknowledge(spool, 12n);
  expect(listSegments(folder)).toHaveLength(1);
  await spool.close();
  const again = await open();
  expect(again.checkpoints().get('1:2')).toMatchObject({ offset: 'batch 11'.length });
  expect(readAll(again)).toEqual([]);
  await again.close();
});

test('segments of an earlier run are deleted once they were read and acknowledged', async () => {
  const first = await open();
  for (let n = 0; n < 20; n++) await first.append(entry(`batch ${n}`, 1_000_000));
  await first.close();
  const second = await open();
  expect(readAll(second)).toHaveLength(20);
  acknowledge(second, 20n, first.epoch);
  expect(listSegments(folder)).toHaveLength(1);
  await second.close();
});

test('a full spool says so and is honoured to one segment', async () => {
  const spool = await open(10_000_000);
  while (!spool.isFull()) await spool.append(entry('a', 1_000_000));
  expect(spool.bytes()).toBeLessThan(10_000_000 + 9_000_000);
  await spool.close();
});

/** What lies in the files of the spool, newest last. */
const filesOf = (): { path: string; bytes: Buffer }[] =>
  listSegments(folder).map(({ path }) => ({ path, bytes: readFileSync(path) }));

test('a spool whose end was cut off goes on under a new epoch', async () => {
  const first = await open();
  await first.append(entry('a'));
  await first.append(entry('b', 500));
  await first.close();
  const { path, bytes } = filesOf()[0] ?? { path: '', bytes: Buffer.alloc(0) };
  writeFileSync(path, bytes.subarray(0, -100));
  const second = await open();
  expect(second.epoch).not.toBe(first.epoch);
  expect(second.lostBytes).toBeGreaterThan(0);
  expect((await second.append(entry('c'))).seq).toBe(1n);
  expect(readAll(second).map(({ text, epoch }) => [text, epoch])).toEqual([
    ['a', first.epoch],
    ['c', second.epoch],
  ]);
  await second.close();
});

test('a spool that lost an end which the hub has acknowledged goes on under a new epoch', async () => {
  const first = await open();
  await first.append(entry('a'));
  const whole = filesOf()[0]?.bytes ?? Buffer.alloc(0);
  await first.append(entry('b'));
  acknowledge(first, 2n);
  await first.close();
  writeFileSync(filesOf()[0]?.path ?? '', whole); // Cut between two frames: nothing in the file tells.
  const second = await open();
  expect(second.epoch).not.toBe(first.epoch);
  await second.close();
});

test('numbers that only the hub knows make the next batch begin a new epoch', async () => {
  const spool = await open();
  await spool.append(entry('a'));
  const before = spool.epoch;
  acknowledge(spool, 9n, before);
  expect((await spool.append(entry('b'))).seq).toBe(1n);
  expect(spool.epoch).not.toBe(before);
  expect(readAll(spool).map(({ text }) => text)).toEqual(['b']);
  await spool.close();
});

test('what was acknowledged stays so after a restart, for each epoch by itself', async () => {
  const first = await open();
  await first.append(entry('a'));
  await first.append(entry('b'));
  acknowledge(first, 1n);
  await first.close();
  const second = await open();
  expect(readAll(second).map(({ text }) => text)).toEqual(['b']);
  acknowledge(second, 5n, 77n);
  expect(readAll(second).map(({ text }) => text)).toEqual(['b']);
  await second.close();
});

test('batches that are damaged in the middle of the spool are counted', async () => {
  const first = await openSpool({ folder, limit: 1e9, log: silentLogger, segmentBytes: 1000 });
  for (let n = 0; n < 12; n++) await first.append(entry(`batch ${n}`, 300));
  await first.close();
  const damaged = filesOf()[1] ?? { path: '', bytes: Buffer.alloc(0) };
  damaged.bytes.fill(0, damaged.bytes.length - 400);
  writeFileSync(damaged.path, damaged.bytes);
  const second = await open();
  const read = readAll(second).length;
  expect(read).toBeLessThan(12);
  expect(readAll(second)).toHaveLength(read); // Counted once, however often it is read.
  expect(second.lostBatches).toBe(12 - read);
  expect(second.lines()).toEqual({ carried: 12, put: 0, waiting: read, acknowledged: 0, lost: 12 - read });
  await second.close();
});
