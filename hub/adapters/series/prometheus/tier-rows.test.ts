import { makeAdapter } from '#kit/stores.ts';
import type { Component } from '#sdk';
import { afterEach, describe, expect, test } from 'vitest';
import { onServer, ownName } from '../../../../test/services/index.ts';
import { prometheus } from '../../../../test/services/prometheus.ts';
import { victoriametrics } from '../../../../test/services/victoriametrics.ts';
import type { SeriesIdentity, SeriesStore } from '../../../ports/series.ts';
import { prometheusSeries } from './index.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const [MINUTE, HOUR] = [60_000, 3_600_000];
const gauge: SeriesIdentity = { name: 'g', kind: 'gauge', attributes: {} };
const counter: SeriesIdentity = { name: 'c', kind: 'counter', attributes: { 'disk.io.direction': 'read' } };
const begin = Math.floor(Date.now() / HOUR) * HOUR - 48 * HOUR;

const running: Component[] = [];
afterEach(async () => {
  for (const adapter of running.splice(0)) await adapter.stop?.();
});
async function startOn(given: object): Promise<SeriesStore> {
  const adapter = makeAdapter(prometheusSeries, '', given);
  await adapter.start?.();
  running.push(adapter);
  return adapter.port;
}
const ask = (store: SeriesStore, name: string, step: number) =>
  store.query(ORG, { resource: 'h', names: [name], from: begin, to: begin + HOUR, step, where: {}, by: [] });
const write = (seq: bigint, samples: readonly (readonly [second: number, g: number, c: number])[]) => ({
  resource: 'h',
  key: { agent: 'h', epoch: 1n, lane: 2, seq },
  tables: [{ id: 1n, series: [gauge, counter] }],
  blocks: samples.map(([second, g, c]) => ({
    table: 1n,
    timeMs: Math.round(begin + second * 1000),
    values: Float64Array.of(g, c),
  })),
});
const rounded = (values: readonly number[] = []): number[] => values.map((value) => Math.round(value * 1e6) / 1e6);

for (const kind of [victoriametrics, prometheus])
  await onServer(kind, ({ url }) => {
    test(`a sample at the edge of a minute counts once in ${kind.title}`, async () => {
      const store = await startOn({ url, prefix: ownName('edge').replaceAll('-', '_') });
      const edge = Math.floor(Date.now() / MINUTE) * MINUTE - 10 * MINUTE;
      const seconds = [-0.001, 0, 0.001].map((second) => [(edge - begin) / 1000 + second, 1, NaN] as const);
      await store.append(ORG, write(1n, seconds));
      expect(await store.usage()).toMatchObject({ samples: 3, oldestMs: edge - 1 });
      const range = { from: edge, to: edge + 1000, step: 1000, where: {}, by: [] };
      expect(await store.query(ORG, { resource: 'h', names: ['g'], ...range })).toMatchObject([{ times: [edge] }]);
    });

    test(`the hour that samples and rows both tell of counts once in ${kind.title}`, async () => {
      const store = await startOn({ url, prefix: ownName('hour').replaceAll('-', '_') });
      const over = Math.floor(Date.now() / HOUR) * HOUR - HOUR;
      const second = (over - begin) / 1000;
      await store.append(ORG, write(1n, [[second - 60, 1, NaN], [second + 10, 1, NaN]])); // prettier-ignore
      const range = { from: over - HOUR, to: over + HOUR, step: MINUTE, where: {}, by: [] };
      expect(await store.query(ORG, { resource: 'h', names: ['g'], ...range })).toHaveLength(1);
      expect(await store.usage()).toMatchObject({ samples: 2, oldestMs: over - HOUR });
    });

    describe(`coarser tiers in ${kind.title}`, () => {
      test('tell of what was filled in two days late, and again when more of it comes', async () => {
        const prefix = ownName('late').replaceAll('-', '_');
        const store = await startOn({ url, prefix });
        await store.append(ORG, write(1n, [[10, 5, 30], [59, 7, 177], [61, 1, 183], [130, 4, 390]])); // prettier-ignore
        expect((await ask(store, 'g', MINUTE))[0]).toMatchObject({
          times: [begin, begin + MINUTE, begin + 2 * MINUTE],
          avg: [6, 1, 4],
          max: [7, 1, 4],
          last: [7, 1, 4],
        });
        expect(rounded((await ask(store, 'c', MINUTE))[0]?.avg)).toEqual([3, 3, 3]);
        await store.append(ORG, write(2n, [[20, 0, 60], [3000, 8, 9000]])); // prettier-ignore
        expect((await ask(store, 'g', MINUTE))[0]).toMatchObject({ avg: [4, 1, 4, 8], min: [0, 1, 4, 8] });
        await store.append(ORG, write(3n, [[30, 4, 90]]));
        const [hour] = await ask(store, 'g', HOUR);
        expect(hour).toMatchObject({ times: [begin], avg: [29 / 7], min: [0], max: [8], last: [8] });
        const listed = await store.list(ORG, 'h');
        expect(listed).toMatchObject([{ lastMs: begin + 3_000_000 }, { lastMs: begin + 3_000_000 }]);
        // Fourteen samples in hours that are over, each counted once however often its row was written.
        expect(await store.usage()).toMatchObject({ samples: 14, oldestMs: begin });
      });

      test('are filled after a kill by whoever starts next', async () => {
        const prefix = ownName('left').replaceAll('-', '_');
        const first = await startOn({ url, prefix });
        await first.append(ORG, write(1n, [[0, 5, 1]]));
        // Nothing is gathered when a hub is asked for nothing: it might as well have been killed.
        const second = await startOn({ url, prefix });
        expect((await ask(second, 'g', MINUTE))[0]?.avg).toEqual([5]);
        // The piece was gathered, and is open once more.
        await second.append(ORG, write(2n, [[1, 7, 2]]));
        const third = await startOn({ url, prefix });
        expect((await ask(third, 'g', MINUTE))[0]?.avg).toEqual([6]);
      });
    });
  });
