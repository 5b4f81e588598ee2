import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Component } from '#sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type {
  SeriesIdentity,
  SeriesPoints,
  SeriesQuery,
  SeriesStore,
  SeriesTable,
  SeriesTraits,
  SeriesWrite,
} from './series.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const OTHER_ORG = '22222222-2222-4222-8222-222222222222';
const HOST = '33333333-3333-4333-8333-333333333333';
const AGENT = HOST;
const EPOCH = 2n ** 63n + 5n;
const DAY_MS = 86_400_000;

const gauge = (name: string, attributes: Record<string, string> = {}): SeriesIdentity => ({
  name,
  kind: 'gauge',
  attributes,
});
const counter = (name: string, attributes: Record<string, string> = {}): SeriesIdentity => ({
  name,
  kind: 'counter',
  attributes,
});
const table = (id: bigint, ...series: SeriesIdentity[]): SeriesTable => ({ id, series });

/** What every series store must do. `make` gives one, not started, whose data lie in or are named by the folder. */
export function seriesContract(
  name: string,
  make: (folder: string) => Component & { port: SeriesStore },
  traits: SeriesTraits,
): void {
  describe(`series store ${name}`, () => {
    let folder: string;
    let adapter: Component & { port: SeriesStore };
    let store: SeriesStore;
    let seq: bigint;
    /** The beginning of a minute that is over, not long ago. */
    const start = Math.floor(systemClock.now() / 60_000) * 60_000 - 600_000;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'outrider-series-'));
      adapter = make(folder);
      await adapter.start?.();
      store = adapter.port;
      seq = 0n;
    });
    afterEach(async () => {
      await adapter.stop?.();
      rmSync(folder, { recursive: true, force: true });
    });

    const keyed = (given: Partial<SeriesWrite['key']> = {}): SeriesWrite['key'] => ({
      agent: AGENT,
      epoch: EPOCH,
      lane: 1,
      seq: (seq += 1n),
      ...given,
    });
    /** Appends rows of one table: [seconds after start, a value for each series]. */
    const append = (given: SeriesTable, rows: readonly (readonly number[])[], org = ORG): Promise<void> =>
      store.append(org, {
        resource: HOST,
        key: keyed(),
        tables: [given],
        blocks: rows.map(([at = 0, ...values]) => ({
          table: given.id,
          timeMs: start + at * 1000,
          values: Float64Array.from(values),
        })),
      });
    const ask = (query: Partial<SeriesQuery> & { names: string[] }, org = ORG): Promise<SeriesPoints[]> =>
      store.query(org, { resource: HOST, from: start, to: start + 60_000, step: 10_000, where: {}, by: [], ...query });
    const steps = (points: SeriesPoints | undefined): number[] =>
      (points?.times ?? []).map((ms) => (ms - start) / 1000);

    describe('storing', () => {
      test('a step holds average, smallest, largest and last sample', async () => {
        await append(table(1n, gauge('g')), [[0, 1], [5, 7], [9, 4], [10, 2]]); // prettier-ignore
        expect(await ask({ names: ['g'] })).toEqual([
          { name: 'g', kind: 'gauge', attributes: {}, times: [start, start + 10_000], avg: [4, 2], min: [1, 2], max: [7, 2], last: [4, 2] },
        ]); // prettier-ignore
      });

      test('a resent batch is stored once, and resolves', async () => {
        const write = {
          resource: HOST,
          key: keyed(),
          tables: [table(1n, gauge('g'))],
          blocks: [{ table: 1n, timeMs: start, values: Float64Array.of(4) }],
        };
        await Promise.all([store.append(ORG, write), store.append(ORG, write)]);
        await store.append(ORG, { ...write, blocks: [{ ...write.blocks[0]!, values: Float64Array.of(8) }] });
        expect((await ask({ names: ['g'] }))[0]?.avg).toEqual([4]);
        expect((await store.usage()).samples).toBe(1);
      });

      test('lanes and epochs count for themselves', async () => {
        const tables = [table(1n, gauge('g'))];
        const one = (key: Partial<SeriesWrite['key']>) =>
          store.append(ORG, { resource: HOST, key: keyed(key), tables, blocks: [] });
        await one({ seq: 7n });
        await one({ seq: 3n, lane: 2 });
        await one({ seq: 1n, epoch: 9n });
        expect(await store.acknowledged(ORG, AGENT, EPOCH)).toEqual({ live: 7n, backfill: 3n });
        expect(await store.acknowledged(ORG, AGENT, 9n)).toEqual({ live: 1n, backfill: 0n });
        expect(await store.acknowledged(ORG, 'unknown', EPOCH)).toEqual({ live: 0n, backfill: 0n });
        expect(await store.acknowledged(OTHER_ORG, AGENT, EPOCH)).toEqual({ live: 0n, backfill: 0n });
      });

      test('a block of a table that was never given is refused, and nothing of its batch is stored', async () => {
        const block = (id: bigint) => ({ table: id, timeMs: start, values: Float64Array.of(4) });
        const write = { resource: HOST, tables: [table(1n, gauge('g'))], blocks: [block(1n), block(2n)] };
        await expect(store.append(ORG, { ...write, key: keyed() })).rejects.toMatchObject({
          code: 'series.unknown-table',
        });
        expect(await ask({ names: ['g'] })).toEqual([]);
        expect(await store.acknowledged(ORG, AGENT, EPOCH)).toEqual({ live: 0n, backfill: 0n });
      });

      test('a batch behind a refused one is refused too, so that the resend of both counts', async () => {
        const tables = [table(1n, gauge('g'))];
        const blocks = (id: bigint, value: number) => [
          { table: id, timeMs: start + value, values: Float64Array.of(value) },
        ];
        const bad = { resource: HOST, key: keyed(), tables: [], blocks: blocks(2n, 1) };
        const good = { resource: HOST, key: keyed(), tables, blocks: blocks(1n, 2) };
        const other = { resource: HOST, key: keyed({ agent: 'b', seq: 1n }), tables, blocks: blocks(1n, 3) };
        const fates = await Promise.allSettled([bad, good, other].map((write) => store.append(ORG, write)));
        expect(fates.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
        expect((await store.acknowledged(ORG, AGENT, EPOCH)).live).toBe(0n);
        await store.append(ORG, { ...bad, tables: [table(2n, gauge('h'))] });
        await store.append(ORG, good);
        expect((await ask({ names: ['g', 'h'] })).map(({ max }) => max)).toEqual([[3], [1]]);
      });

      test('everything is there after a restart, tables too where they are kept', async () => {
        const given = table(1n, gauge('g', { a: 'x' }));
        await append(given, [[0, 4]]);
        await adapter.stop?.();
        adapter = make(folder);
        await adapter.start?.();
        store = adapter.port;
        expect((await store.acknowledged(ORG, AGENT, EPOCH)).live).toBe(1n);
        const blocks = [{ table: 1n, timeMs: start + 1000, values: Float64Array.of(6) }];
        const next = { resource: HOST, key: keyed(), blocks };
        const bare = store.append(ORG, { ...next, tables: [] });
        if (traits.keepsTables) await bare;
        else {
          await expect(bare).rejects.toMatchObject({ code: 'series.unknown-table' });
          await store.append(ORG, { ...next, tables: [given] });
        }
        expect((await ask({ names: ['g'] }))[0]).toMatchObject({ avg: [5], last: [6] });
        expect(await store.list(ORG, HOST)).toEqual([{ ...gauge('g', { a: 'x' }), lastMs: start + 1000 }]);
      });

      test('many batches at once all arrive', async () => {
        const agents = Array.from({ length: 40 }, (_, index) => `agent-${index}`);
        await Promise.all(
          agents.flatMap((agent) =>
            [1n, 2n, 3n].map((own) =>
              store.append(ORG, {
                resource: agent,
                key: keyed({ agent, seq: own }),
                tables: [table(1n, gauge('g'), counter('c'))],
                blocks: [{ table: 1n, timeMs: start + Number(own) * 1000, values: Float64Array.of(Number(own), 1) }],
              }),
            ),
          ),
        );
        expect((await store.usage()).samples).toBe(240);
        for (const resource of agents)
          expect((await ask({ resource, names: ['g'] }))[0]).toMatchObject({ avg: [2], last: [3] });
      });
    });

    describe('asking', () => {
      test('a missing value and a gap are absent, never zero', async () => {
        await append(table(1n, gauge('g'), gauge('h')), [[0, 1, NaN], [30, NaN, 2], [41, 3, 4]]); // prettier-ignore
        const [g, h] = await ask({ names: ['g', 'h'] });
        expect(steps(g)).toEqual([0, 40]);
        expect(steps(h)).toEqual([30, 40]);
      });

      test('points lie at multiples of the step, and a range outside has none', async () => {
        await append(table(1n, gauge('g')), [[3, 1], [59, 2], [60, 3]]); // prettier-ignore
        const [g] = await ask({ names: ['g'], from: start + 3000, to: start + 59_001, step: 30_000 });
        expect(steps(g)).toEqual([0, 30]);
        expect(await ask({ names: ['g'], from: start - 60_000, to: start })).toEqual([]);
        expect(await ask({ names: ['g'], from: start + 61_000, to: start + 61_000 })).toEqual([]);
        expect(await ask({ names: ['nothing'] })).toEqual([]);
      });

      test('series are merged as the catalogue or the query says: first each, then together', async () => {
        const usage = (state: string) => gauge('system.memory.usage', { 'system.memory.state': state });
        await append(table(1n, usage('used'), usage('free')), [[0, 10, 1], [1, 30, 3]]); // prettier-ignore
        const merged = async (merge?: 'sum' | 'avg' | 'max') =>
          (await ask({ names: ['system.memory.usage'], merge }))[0];
        expect(await merged()).toMatchObject({ avg: [22], min: [11], max: [33], last: [33] });
        expect(await merged('avg')).toMatchObject({ avg: [11], min: [5.5], max: [16.5], last: [16.5] });
        expect(await merged('max')).toMatchObject({ avg: [20], min: [10], max: [30], last: [30] });
      });

      test('by splits, where picks, and both leave out series without the attribute', async () => {
        const disk = (device: string, direction?: string) =>
          gauge('d', direction === undefined ? { device } : { device, direction });
        await append(table(1n, disk('a', 'r'), disk('a', 'w'), disk('b', 'r'), gauge('d', { x: '1' })), [
          [0, 1, 2, 4, 8],
        ]);
        const found = await ask({ names: ['d'], by: ['device'], merge: 'sum' });
        expect(found.map(({ attributes, avg }) => [attributes, avg])).toEqual([
          [{ device: 'a' }, [3]],
          [{ device: 'b' }, [4]],
        ]);
        expect((await ask({ names: ['d'], where: { direction: 'r' }, merge: 'sum' }))[0]?.avg).toEqual([5]);
        expect((await ask({ names: ['d'], where: { device: '' } }))[0]?.avg).toEqual([8]);
        expect(await ask({ names: ['d'], where: { device: 'c' } })).toEqual([]);
      });

      test('a total answers for its parts unless they are asked for', async () => {
        const cpu = (core?: string) =>
          gauge('system.cpu.busy', core === undefined ? {} : { 'cpu.logical_number': core });
        await append(table(1n, cpu(), cpu('0'), cpu('1')), [[0, 0.5, 0.1, 0.8]]);
        const parts = await ask({ names: ['system.cpu.busy'], by: ['cpu.logical_number'] });
        expect(parts.map(({ avg }) => avg[0])).toEqual([0.1, 0.8]);
        expect((await ask({ names: ['system.cpu.busy'] }))[0]?.avg).toEqual([0.5]);
        expect((await ask({ names: ['system.cpu.busy'], where: { 'cpu.logical_number': '1' } }))[0]?.avg).toEqual([
          0.8,
        ]);
        // And for no parts of another group.
        await append(table(2n, gauge('s', { of: 'load' }), gauge('s', { of: 'cpu', x: '1' }), gauge('s', { of: 'cpu', x: '2' })), [[0, 5, 7, 6]]); // prettier-ignore
        expect((await ask({ names: ['s'], by: ['of'], merge: 'max' })).map(({ avg }) => avg[0]).sort()).toEqual([5, 7]);
      });
    });

    describe('counters', () => {
      test('come as rates per second, also in the first step of a range', async () => {
        await append(table(1n, counter('c')), [[-1, 100], [4, 200], [9, 300], [19, 400]]); // prettier-ignore
        expect((await ask({ names: ['c'] }))[0]).toMatchObject({ kind: 'counter', avg: [20, 10], max: [20, 10] });
      });

      test('that restart count from zero', async () => {
        await append(table(1n, counter('c')), [[-1, 1000], [9, 1100], [19, 50], [24, 90], [29, 20]]); // prettier-ignore
        // 50 since the restart; then 40 more, a restart, and 20 more.
        expect((await ask({ names: ['c'] }))[0]?.avg).toEqual([10, 5, 6]);
      });

      test('have no rate across a long silence', async () => {
        const dense = (from: number) => Array.from({ length: 10 }, (_, index) => [from + index, from + index]);
        await append(table(1n, counter('c')), [...dense(-500), ...dense(30)]);
        const [c] = await ask({ names: ['c'] });
        expect(steps(c)).toEqual([30]);
        expect(c?.avg).toEqual([1]);
        expect((await ask({ names: ['c'], from: start - 600_000, step: 60_000 }))[0]?.avg).toEqual([1, 1]);
      });
    });

    describe('keeping', () => {
      test('late samples count like all others', async () => {
        await append(table(1n, gauge('g')), [[10, 5]]);
        await append(table(1n, gauge('g')), [[5, 1], [9, 3], [11, 7]]); // prettier-ignore
        expect((await ask({ names: ['g'] }))[0]).toMatchObject({ avg: [2, 6], last: [3, 7] });
        expect((await ask({ names: ['g'], step: 60_000 }))[0]).toMatchObject({
          avg: [4],
          min: [1],
          max: [7],
          last: [7],
        });
      });

      test('another org sees nothing and touches nothing', async () => {
        await append(table(1n, gauge('g')), [[0, 1]]);
        expect(await ask({ names: ['g'] }, OTHER_ORG)).toEqual([]);
        expect(await store.list(OTHER_ORG, HOST)).toEqual([]);
        const foreign = {
          resource: HOST,
          tables: [],
          blocks: [{ table: 1n, timeMs: start, values: Float64Array.of(9) }],
        };
        await expect(store.append(OTHER_ORG, { ...foreign, key: keyed({ seq: 1n }) })).rejects.toMatchObject({
          code: 'series.unknown-table',
        });
        await store.deleteResource(OTHER_ORG, HOST);
        expect((await ask({ names: ['g'] }))[0]?.avg).toEqual([1]);
      });

      test('a deleted resource is gone and may come again', async () => {
        await append(table(1n, gauge('g')), [[0, 1]]);
        await store.deleteResource(ORG, HOST);
        expect(await ask({ names: ['g'] })).toEqual([]);
        expect(await store.list(ORG, HOST)).toEqual([]);
        await append(table(1n, gauge('g')), [[1, 5]]);
        expect((await ask({ names: ['g'] }))[0]?.avg).toEqual([5]);
      });

      test('what is past the retention goes, what is not stays', async () => {
        await append(table(1n, gauge('g')), [[-10 * 86_400, 1], [0, 2]]); // prettier-ignore
        await store.retain({ raw: 3, tenSeconds: 3, minute: 3, hour: 3, diskLimit: 1e12 });
        const range = { from: start - 11 * DAY_MS, to: start + DAY_MS, step: DAY_MS };
        expect((await ask({ names: ['g'], ...range }))[0]?.avg).toEqual([2]);
      });

      test('usage tells bytes, samples and the oldest', async () => {
        expect(await store.usage()).toMatchObject({ samples: 0, oldestMs: undefined });
        await append(table(1n, gauge('g'), gauge('h')), [[0, 1, 2], [1, 1, NaN]]); // prettier-ignore
        const usage = await store.usage();
        expect(usage).toMatchObject({ samples: 3, oldestMs: start });
        expect(usage.bytes).toBeGreaterThan(0);
        await store.check();
      });

      test('names and attributes may hold anything', async () => {
        const evil = `a'b"; DROP TABLE raw; --%_\\\0\u{1f525}`;
        await append(table(1n, gauge(evil, { [evil]: evil, __proto__: 'x' })), [[0, 1]]);
        await adapter.stop?.();
        adapter = make(folder);
        await adapter.start?.();
        store = adapter.port;
        const [found] = await ask({ names: [evil], by: [evil], where: { [evil]: evil } });
        expect(found).toMatchObject({ name: evil, avg: [1] });
        expect(found?.attributes[evil]).toBe(evil);
      });
    });
  });
}
