import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
  lines: 1,
});

function readAll(spool: Spool): { seq: bigint; epoch: bigint; text: string; tables: number }[] {
  const reader = spool.reader();
  const all = [];
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
    all.push({
      seq: batch.seq,
      epoch: batch.epoch,
      text: Buffer.from(batch.metrics).toString(),
      tables: batch.tables.size,
    });
  }
  reader.close();
  return all;
}

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
  const reader = spool.reader();
  expect(reader.next()).toBeUndefined();
  const appended = spool.appended();
  await spool.append(entry('a'));
  await appended;
  expect(reader.next()?.seq).toBe(1n);
  expect(reader.next()).toBeUndefined();
  reader.close();
  await spool.close();
});

test('a restart goes on with the same epoch, numbers and checkpoints', async () => {
  const first = await open();
  await first.append(entry('abc'));
  await first.close();
  const second = await open();
  expect(second.epoch).toBe(first.epoch);
  expect(second.checkpoints().get('1:2')?.offset).toBe(3);
  expect(await second.append(entry('b'))).toBe(2n);
  expect(readAll(second).map(({ text }) => text)).toEqual(['abc', 'b']);
  await second.close();
});

test('acknowledged segments are deleted, and their checkpoints stay known', async () => {
  const spool = await open();
  for (let n = 0; n < 12; n++) await spool.append(entry(`batch ${n}`, 1_000_000));
  expect(listSegments(folder).length).toBeGreaterThan(1);
  spool.acknowledge(12n);
  expect(listSegments(folder)).toHaveLength(1);
  await spool.close();
  const again = await open();
  expect(again.checkpoints().get('1:2')?.offset).toBe('batch 11'.length);
  again.acknowledge(12n);
  expect(readAll(again)).toEqual([]);
  await again.close();
});

test('segments of an earlier run are deleted once they were read and acknowledged', async () => {
  const first = await open();
  for (let n = 0; n < 20; n++) await first.append(entry(`batch ${n}`, 1_000_000));
  await first.close();
  const second = await open();
  expect(readAll(second)).toHaveLength(20);
  second.acknowledge(20n);
  expect(listSegments(folder)).toHaveLength(1);
  await second.close();
});

test('a full spool says so and is honoured to one segment', async () => {
  const spool = await open(10_000_000);
  while (!spool.isFull()) await spool.append(entry('a', 1_000_000));
  expect(spool.bytes()).toBeLessThan(10_000_000 + 9_000_000);
  await spool.close();
});

test('an unfinished write at the end is cut off and the epoch stays', async () => {
  const first = await open();
  await first.append(entry('a'));
  await first.append(entry('b', 500));
  await first.close();
  const { path } = listSegments(folder)[0] ?? { path: '' };
  writeFileSync(path, readFileSync(path).subarray(0, -100));
  const second = await open();
  expect(second.epoch).toBe(first.epoch);
  expect(second.lostBytes).toBe(0);
  expect(readAll(second).map(({ text }) => text)).toEqual(['a']);
  await second.close();
});

test('whatever happens to a byte, what came before it is read whole and in order, and a damaged end gets a new epoch', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(2000), { minLength: 1, maxLength: 12 }),
      fc.nat(),
      fc.boolean(),
      async (sizes, where, cut) => {
        rmSync(folder, { recursive: true, force: true });
        const first = await open();
        const ends: number[] = [];
        for (const [n, size] of sizes.entries()) {
          await first.append(entry(`batch ${n}`, size));
          ends.push(first.bytes());
        }
        await first.close();
        const { path } = listSegments(folder)[0] ?? { path: '' };
        const bytes = readFileSync(path);
        const at = where % bytes.length;
        if (cut) writeFileSync(path, bytes.subarray(0, at));
        else {
          bytes[at] = (bytes[at] ?? 0) ^ 0x10;
          writeFileSync(path, bytes);
        }
        const whole = ends.filter((end) => end <= at).length;
        const second = await open();
        const texts = readAll(second).map(({ text }) => text);
        expect(texts).toEqual(sizes.slice(0, whole).map((_, n) => `batch ${n}`));
        if (second.lostBytes > 0) expect(second.epoch).not.toBe(first.epoch);
        expect(await second.append(entry('later'))).toBeGreaterThan(0n);
        expect(readAll(second).at(-1)?.text).toBe('later');
        await second.close();
      },
    ),
    { numRuns: 80 },
  );
});
