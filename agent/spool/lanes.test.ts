import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { spoolEntry as entry, textOf, waitingIn, waitingOf } from '../../test/kit/spooled.ts';
import { encodeFrame, FRAME } from './frames.ts';
import { segmentPath } from './segments.ts';
import { openSpool, type Spool } from './spool.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-lanes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (segmentBytes?: number): Promise<Spool> =>
  openSpool({ folder, limit: 1e9, log: silentLogger, ...(segmentBytes === undefined ? {} : { segmentBytes }) });
const putMany = async (spool: Spool, count: number, size = 0): Promise<void> => {
  for (let n = 0; n < count; n++) await spool.append(entry(`batch ${n}`, size));
};

test('what is put while little waits is live, the rest is back-fill, and each lane counts by itself', async () => {
  const spool = await open();
  await putMany(spool, 34);
  const keysOf = (lane: 'live' | 'backfill') => waitingIn(spool, lane).map(({ seq }) => seq);
  expect(keysOf('live')).toEqual(Array.from({ length: 30 }, (_, n) => BigInt(n + 1)));
  expect(keysOf('backfill')).toEqual([1n, 2n, 3n, 4n]);
  spool.acknowledge({ epoch: spool.epoch, lane: 'live', seq: 29n });
  expect(await spool.append(entry('newest'))).toMatchObject({ lane: 'live', seq: 31n });
  expect(waitingIn(spool, 'live').map(textOf)).toEqual(['batch 29', 'newest']);
  expect(waitingIn(spool, 'backfill')).toHaveLength(4);
  await spool.close();
});

test('few batches that are large fill the live lane too', async () => {
  const spool = await open();
  for (let n = 0; n < 17; n++) await spool.append(entry(`batch ${n}`, 1_000_000));
  expect(waitingIn(spool, 'live')).toHaveLength(16);
  expect(waitingIn(spool, 'backfill').map(textOf)).toEqual(['batch 16']);
  await spool.close();
});

test('after a restart the back-fill reader gives both lanes of the run before, with their keys', async () => {
  const first = await open();
  await putMany(first, 31);
  await first.close();
  const second = await open();
  await second.append(entry('new'));
  const left = waitingIn(second, 'backfill');
  expect(left).toHaveLength(31);
  expect(left[0]).toMatchObject({ epoch: first.epoch, lane: 'live', seq: 1n });
  expect(left[30]).toMatchObject({ epoch: first.epoch, lane: 'backfill', seq: 1n });
  expect(waitingIn(second, 'live').map(textOf)).toEqual(['new']);
  await second.close();
});

test('a segment goes when the hub has both lanes of it, whichever comes first', async () => {
  const spool = await open(4000);
  await putMany(spool, 60, 300);
  const segments = (): number => readdirSync(folder).filter((name) => name.startsWith('segment-')).length;
  const all = segments();
  const [live, backfill] = [waitingIn(spool, 'live').at(-1), waitingIn(spool, 'backfill').at(-1)];
  if (live === undefined || backfill === undefined) throw new Error('too little waits');
  spool.acknowledge(backfill);
  const some = segments();
  expect(some).toBeLessThan(all);
  expect(waitingOf(spool)).toHaveLength(30);
  spool.acknowledge(live);
  expect(segments()).toBe(1);
  await spool.close();
});

test('the live reader goes past segments that hold nothing live', async () => {
  const spool = await open(2000);
  await putMany(spool, 60, 300);
  const reader = spool.reader('live');
  for (let n = 0; n < 30; n++) expect(reader.next()?.seq).toBe(BigInt(n + 1));
  expect(reader.next()).toBeUndefined();
  spool.acknowledge({ epoch: spool.epoch, lane: 'live', seq: 30n });
  await spool.append(entry('newest'));
  const batch = reader.next();
  expect(batch && textOf(batch)).toBe('newest');
  reader.close();
  await spool.close();
});

test('each source balances while lanes are acknowledged out of order, over restarts and unknown acknowledgements', async () => {
  const sourcesOf = (n: number) =>
    new Map([
      ['/a', [n, 10 * n]],
      [`/b${n % 3}`, [1, 7]],
    ] as const);
  const demandBalance = (spool: Spool): void => {
    const waiting = new Map<string, [number, number]>();
    for (const { sources } of waitingOf(spool))
      for (const [source, [lines, bytes]] of Object.entries(sources)) {
        const [sum, size] = waiting.get(source) ?? [0, 0];
        waiting.set(source, [sum + lines, size + bytes]);
      }
    for (const [source, { carried, put, waiting: left, acknowledged, lost }] of spool.ledger()) {
      const [lines, bytes] = waiting.get(source) ?? [0, 0];
      expect([source, left]).toEqual([source, { lines, bytes }]);
      for (const unit of ['lines', 'bytes'] as const)
        expect(carried[unit] + put[unit]).toBe(left[unit] + acknowledged[unit] + lost[unit]);
    }
  };
  for (let life = 0; life < 4; life++) {
    const spool = await open(3000);
    demandBalance(spool);
    for (let n = 0; n < 50; n++) await spool.append(entry(`batch ${n}`, 100, sourcesOf(n)));
    demandBalance(spool);
    const reader = spool.reader('backfill');
    for (let n = 0; n < 4; n++) {
      const batch = reader.next();
      if (batch !== undefined) spool.acknowledge(batch);
    }
    reader.close();
    demandBalance(spool);
    spool.acknowledge({ epoch: spool.epoch, lane: 'live', seq: 11n }); // Nobody has read them: the hub says so.
    demandBalance(spool);
    const kept = readFileSync(join(folder, 'acknowledged.json'));
    spool.acknowledge({ epoch: spool.epoch, lane: 'backfill', seq: 3n });
    demandBalance(spool);
    await spool.close();
    writeFileSync(join(folder, 'acknowledged.json'), kept); // A crash came before the last ones were written down.
  }
});

test('the ledger tells a thousand sources apart and counts the rest as others', async () => {
  const spool = await open();
  for (let n = 0; n < 1100; n += 100) {
    const sources = new Map(Array.from({ length: 100 }, (_, at) => [`/log/${n + at}`, [1, 5]] as const));
    await spool.append(entry('many', 0, sources));
  }
  expect(spool.ledger().size).toBe(1001);
  expect(spool.ledger().get('others')?.waiting).toEqual({ lines: 100, bytes: 500 });
  for (const batch of waitingOf(spool)) spool.acknowledge(batch);
  expect(spool.ledger().get('others')?.waiting).toEqual({ lines: 0, bytes: 0 });
  expect(spool.lines()).toEqual({ carried: 0, put: 1100, waiting: 0, acknowledged: 1100, lost: 0 });
  await spool.close();
});

test('a spool of the first form, without lanes, is read', async () => {
  const head = { epoch: '5', seq: '1', tables: [], checkpoints: [], lines: 3, total: 3 };
  const json = Buffer.from(JSON.stringify(head));
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(json.length, 0);
  const snapshot = JSON.stringify({ epoch: '5', next: '1', before: '9', total: 0, checkpoints: [] });
  const frames = [
    encodeFrame(FRAME.snapshot, Buffer.from(snapshot)),
    encodeFrame(FRAME.batch, Buffer.concat([sizes, json, Buffer.from('logs')])),
  ];
  writeFileSync(segmentPath(folder, 1), Buffer.concat(frames));
  copyFileSync(segmentPath(folder, 1), segmentPath(folder, 2));
  writeFileSync(join(folder, 'acknowledged.json'), JSON.stringify({ '5': '0', lines: '0' }));
  const spool = await open();
  expect(waitingOf(spool).map(({ epoch, lane, seq }) => [epoch, lane, seq])).toContainEqual([5n, 'live', 1n]);
  await spool.close();
});
