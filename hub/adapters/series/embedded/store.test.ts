import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '#sdk';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SeriesIdentity } from '../../../ports/series.ts';
import { openDatabase, type Database } from '../../duckdb/database.ts';
import { openSeriesStore, type EmbeddedSeriesStore } from './store.ts';

const ORG = 'org';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START = 1_750_000_000_000 - (1_750_000_000_000 % DAY_MS);
const KEEP = { raw: 1e4, tenSeconds: 1e4, minute: 1e4, hour: 1e4, diskLimit: 1e12 };

let folder: string;
let database: Database;
let store: EmbeddedSeriesStore;
let skipped: number;
let seq: bigint;

/** Time stands still but for what the test skips; waits are real. */
const clock: Clock = {
  ...systemClock,
  now: () => START + skipped,
  monotonic: () => systemClock.monotonic() + skipped,
};
const open = async (): Promise<void> => {
  database = await openDatabase({ folder, memoryMb: 256, threads: 2 }); // As it comes: half of it was too little for a million rows now and then.
  store = await openSeriesStore(database, clock);
};
const close = async (): Promise<void> => {
  await store.drain();
  database.close();
};
/** Upkeep after so long a time. */
const later = async (ms: number): Promise<void> => {
  skipped += ms;
  await store.upkeep();
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-series-'));
  [skipped, seq] = [0, 0n];
  await open();
});
afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true, force: true });
});

const SERIES: SeriesIdentity[] = [
  { name: 'g', kind: 'gauge', attributes: { part: 'a' } },
  { name: 'g', kind: 'gauge', attributes: { part: 'b' } },
];

/** [milliseconds after the start, values] */
type Row = readonly [number, readonly number[]];

const append = (rows: readonly Row[], resource = 'host'): Promise<void> =>
  store.append(ORG, {
    resource,
    key: { agent: resource, epoch: 1n, lane: 1, seq: (seq += 1n) },
    tables: [{ id: 1n, series: SERIES }],
    blocks: rows.map(([at, values]) => ({ table: 1n, timeMs: START + at, values: Float64Array.from(values) })),
  });
const ask = (step: number, range = { from: START, to: START + DAY_MS }, resource = 'host') =>
  store.query(ORG, { resource, names: ['g'], ...range, step, where: {}, by: ['part'] });
const sealedOf = async (table: string): Promise<number> =>
  Number((await database.read(`SELECT count(*) FROM sealed WHERE tbl = '${table}'`))[0]?.[0]);

/** What a query must answer, from all samples of a series. */
function naive(samples: readonly (readonly [number, number])[], step: number) {
  const steps = new Map<number, (readonly [number, number])[]>();
  for (const sample of samples) {
    const t = START + Math.floor(sample[0] / step) * step;
    steps.set(t, [...(steps.get(t) ?? []), sample]);
  }
  const times = [...steps.keys()].sort((a, b) => a - b);
  const column = (pick: (values: number[], own: (readonly [number, number])[]) => number): number[] =>
    times.map((t) => {
      const own = [...(steps.get(t) ?? [])].sort((a, b) => a[0] - b[0]);
      return pick(own.map(([, value]) => value), own); // prettier-ignore
    });
  return {
    times,
    avg: column((values) => values.reduce((sum, value) => sum + value, 0) / values.length),
    min: column((values) => Math.min(...values)),
    max: column((values) => Math.max(...values)),
    last: column((_, own) => own.at(-1)?.[1] ?? NaN),
  };
}

const rowsOf = fc.uniqueArray(
  fc.tuple(
    fc.integer({ min: 0, max: 3 * HOUR_MS }),
    fc.tuple(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: -1000, max: 1000 })),
  ),
  { selector: ([at]) => at, minLength: 1, maxLength: 60 },
);
const skips = fc.constantFrom(0, 9_000, 60_000, HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS, 400 * HOUR_MS);

describe('tiers', () => {
  test('each answers as the raw samples would, whatever came late, was gathered, sealed or reopened', async () => {
    const passes = fc.array(fc.record({ skip: skips, reopen: fc.boolean() }), { minLength: 1, maxLength: 6 });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(rowsOf, passes, async (rows, plan) => {
        const resource = `host-${run++}`;
        // Rows come in any order, some between any two passes.
        for (const [index, { skip, reopen }] of plan.entries()) {
          const part = rows.filter((_, row) => row % plan.length === index);
          if (part.length > 0) await append(part, resource);
          await later(skip);
          if (reopen) {
            await close();
            await open();
          }
        }
        for (const step of [1000, 10_000, 30_000, 60_000, 300_000, HOUR_MS, DAY_MS]) {
          const found = await ask(step, undefined, resource);
          for (const [column, points] of found.entries()) {
            const expected = naive(rows.map(([at, values]) => [at, values[column] ?? NaN] as const), step); // prettier-ignore
            expect(points.times).toEqual(expected.times);
            expect(points.min).toEqual(expected.min);
            expect(points.max).toEqual(expected.max);
            expect(points.last).toEqual(expected.last);
            for (const [index, avg] of points.avg.entries()) expect(avg).toBeCloseTo(expected.avg[index] ?? NaN, 6);
          }
          expect(found).toHaveLength(2);
        }
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test('answers do not change while rows move on under them', async () => {
    for (let at = 0; at < 600; at += 60)
      await append(Array.from({ length: 60 }, (_, index): Row => [(at + index) * 1000, [1, at + index]]));
    await later(9_500);
    // Late rows: counted twice, or not at all, they would move every average.
    for (let at = 0; at < 600; at += 60)
      await append(Array.from({ length: 60 }, (_, index): Row => [(at + index) * 1000 + 500, [7, -1 - at]]));
    const expected = await ask(60_000);
    let moving = true;
    const moves = (async () => {
      for (const ms of [9_500, 60_000, HOUR_MS, 5 * HOUR_MS, 30 * HOUR_MS]) await later(ms);
      moving = false;
    })();
    // More than there are readers: some wait their turn while the rows move.
    while (moving)
      for (const answer of await Promise.all([1, 2, 3, 4, 5, 6].map(() => ask(60_000))))
        expect(answer).toEqual(expected);
    await moves;
    expect(await sealedOf('minute')).toBe(1);
  });

  test('where a finer tier has gone, a coarser one answers', async () => {
    await append([[0, [1, 1]], [15_000, [3, 3]], [70_000, [5, 5]]]); // prettier-ignore
    skipped = 5 * DAY_MS;
    await store.retain({ ...KEEP, raw: 3, tenSeconds: 4 });
    const [a] = await ask(1000);
    expect(a?.times).toEqual([START, START + 60_000]);
    expect(a?.avg).toEqual([2, 5]);
  });
});

describe('sealed files', () => {
  const fill = async (): Promise<void> => {
    await append([[0, [1, 2]], [1000, [3, 4]]]); // prettier-ignore
    await later(0);
    await later(2 * HOUR_MS);
    expect(await sealedOf('raw')).toBe(1);
  };

  test('that the database does not name are removed at the start, and rows are there once', async () => {
    await fill();
    await close();
    writeFileSync(join(folder, 'sealed', 'raw-99.parquet'), 'half');
    writeFileSync(join(folder, 'sealed', 'raw-98.parquet.new'), 'half');
    await open();
    expect(readdirSync(join(folder, 'sealed')).filter((name) => name.startsWith('raw'))).toEqual(['raw-1.parquet']);
    expect((await ask(1000))[0]?.avg).toEqual([1, 3]);
  });

  test('count once when the process was killed before their rows went', async () => {
    await append([[0, [1, 2]]]);
    await later(0);
    await database.run('CREATE TABLE copy AS SELECT * FROM raw');
    await later(2 * HOUR_MS);
    await database.run('INSERT INTO raw SELECT * FROM copy');
    expect((await store.usage()).samples).toBe(2);
    await close();
    await open();
    expect(Number((await database.read('SELECT count(*) FROM raw'))[0]?.[0])).toBe(0);
    expect((await ask(1000))[0]?.avg).toEqual([1]);
  });

  test('lose the rows of a deleted resource', async () => {
    await append([[0, [1, 2]]], 'other');
    await fill();
    await store.deleteResource(ORG, 'host');
    for (let pass = 0; pass < 4; pass++) await later(10_000);
    expect((await store.usage()).samples).toBe(2);
    expect(Number((await database.read('SELECT count(*) FROM forgotten'))[0]?.[0])).toBe(0);
    expect((await ask(1000, undefined, 'other'))[0]?.avg).toEqual([1]);
    await store.deleteResource(ORG, 'other');
    await close();
    await open();
    for (let pass = 0; pass < 4; pass++) await later(10_000);
    expect((await store.usage()).samples).toBe(0);
  });

  test('over the disk limit go, and a coarser tier answers for them', async () => {
    await fill();
    await store.retain({ ...KEEP, diskLimit: 0 });
    expect(await sealedOf('raw')).toBe(0);
    const coarser = [{ times: [START], avg: [2] }, { times: [START], avg: [3] }]; // prettier-ignore
    expect(await ask(1000)).toMatchObject(coarser);
    await close();
    await open();
    expect(await ask(1000)).toMatchObject(coarser);
  });

  test('with a sample from the future go all the same', async () => {
    await append([[0, [1, 1]], [1000 * DAY_MS, [2, 2]]]); // prettier-ignore
    await later(0);
    await later(2 * HOUR_MS);
    skipped = 4 * DAY_MS;
    await store.retain({ ...KEEP, raw: 3 });
    expect(await sealedOf('raw')).toBe(0);
  });

  test('keep when a series was seen last', async () => {
    await fill();
    await close();
    await open();
    expect((await store.list(ORG, 'host')).map(({ lastMs }) => lastMs)).toEqual([START + 1000, START + 1000]);
  });
});

test('a second opener is told who has the file', async () => {
  await expect(openDatabase({ folder, memoryMb: 128, threads: 1 })).rejects.toMatchObject({
    code: 'store.cannot-open',
    message: expect.stringContaining('is open in this process already') as string,
  });
});

test('a back-fill that heaps up rows is gathered before its time, so that no query looks through them', async () => {
  const columns = 2000;
  const table = {
    id: 9n,
    series: Array.from({ length: columns }, (_, n) => ({ name: `n${n}`, kind: 'gauge' as const, attributes: {} })),
  };
  const fill = async (blocks: number, from: number): Promise<void> => {
    seq += 1n;
    const values = new Float64Array(columns).fill(1);
    await store.append(ORG, {
      resource: 'host',
      key: { agent: 'host', epoch: 1n, lane: 2, seq },
      tables: [table],
      blocks: Array.from({ length: blocks }, (_, n) => ({ table: 9n, timeMs: START + (from + n) * 10_000, values })),
    });
  };
  const minutes = async (): Promise<number> => Number((await database.read('SELECT count(*) FROM minute'))[0]?.[0]);
  await fill(6, 0);
  await later(60_000);
  expect(await minutes()).toBe(columns);
  await fill(6, 6);
  await later(10_000);
  expect(await minutes()).toBe(columns);
  await fill(540, 12);
  await later(10_000);
  expect(await minutes()).toBe(92 * columns);
});
