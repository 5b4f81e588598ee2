import { basename } from 'node:path';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { until } from '#kit/programs.ts';
import { makeAdapter } from '#kit/stores.ts';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { elasticsearch8, elasticsearch9 } from '../../../../test/services/elasticsearch.ts';
import { onServer } from '../../../../test/services/index.ts';
import { logstoreContract } from '../../../ports/logstore.contract.ts';
import type { LogStore, LogWrite } from '../../../ports/logstore.ts';
import { elasticLogstore } from './index.ts';

type Adapter = Component & { port: LogStore };

const ORG = '11111111-1111-4111-8111-111111111111';
const HOST = '33333333-3333-4333-8333-333333333333';
const DAY = 86_400_000;
const ALL = { from: -8.64e15, to: 8.64e15 };

const running: Adapter[] = [];
afterEach(async () => {
  for (const adapter of running.splice(0)) await adapter.stop?.();
});
async function startOn(given: object): Promise<LogStore> {
  const adapter = makeAdapter(elasticLogstore, '', given);
  running.push(adapter);
  await adapter.start?.();
  return adapter.port;
}

const write = (seq: number, lines: readonly (readonly [timeMs: number, text: string])[], agent = HOST): LogWrite => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq: BigInt(seq) },
  lines: lines.map(([timeMs, text]) => ({ timeMs, text, level: 2, source: '/log', truncated: false })),
});
const dayName = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '.');
const texts = async (store: LogStore, page = { limit: 100, offset: 0 }): Promise<string[]> =>
  (await store.search(ORG, ALL, page)).lines.map(({ text }) => text);

for (const kind of [elasticsearch8, elasticsearch9]) {
  await onServer(kind, ({ url }) => {
    const call = async (method: string, path: string, body?: object): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(`${url}/${path}`, { method, headers, body: body && JSON.stringify(body) })).json();
    };
    const indices = async (prefix: string): Promise<string[]> =>
      ((await call('GET', `_cat/indices/${prefix}-*?h=index&format=json`)) as { index: string }[])
        .map(({ index }) => index)
        .sort();
    /** A name that no other test uses; the server refuses to delete by a pattern. */
    const made: string[] = [];
    const prefixOf = (name: string): string => {
      made.push(name.toLowerCase());
      return name.toLowerCase();
    };
    let number = 0;
    const fresh = (): string => prefixOf(`o${process.pid}-${(number += 1)}`);
    afterAll(async () => {
      for (const prefix of made) {
        for (const index of await indices(prefix)) await call('DELETE', index);
        await call('DELETE', `_index_template/${prefix}-*`);
      }
    });

    logstoreContract(`elastic on ${kind.title}`, (folder) =>
      makeAdapter(elasticLogstore, '', { urls: [url], prefix: prefixOf(basename(folder)) }),
    );

    describe(`a log store on ${kind.title}`, () => {
      test('is made once when several hubs start at once, and none stores what another has', async () => {
        const given = { urls: [url], prefix: fresh() };
        const hubs = await Promise.all([1, 2, 3].map(() => startOn(given)));
        const now = Date.now();
        const writes = Array.from({ length: 30 }, (_, seq) => write(seq + 1, [[now - 2 * DAY, `a${seq}`], [now, `b${seq}`]])); // prettier-ignore
        await Promise.all(hubs.map(async (hub) => Promise.all(writes.map((one) => hub.append(ORG, one)))));
        for (const hub of hubs) {
          expect(await hub.acknowledged(ORG, HOST, 1n)).toEqual({ live: 30n, backfill: 0n });
          await expect.poll(() => hub.usage(), { timeout: 30_000 }).toMatchObject({ lines: 60 });
        }
        expect(await indices(given.prefix)).toEqual([
          `${given.prefix}-keys`,
          `${given.prefix}-lines-${dayName(now - 2 * DAY)}`,
          `${given.prefix}-lines-${dayName(now)}`,
        ]);
      });

      test('meets a line again whose hub was killed before it wrote the key, whatever the day', async () => {
        const given = { urls: [url], prefix: fresh() };
        const now = Date.now();
        const both = write(1, [[now - DAY, 'yesterday'], [now, 'today']]); // prettier-ignore
        const first = await startOn(given);
        await first.append(ORG, both);
        const before = (await first.search(ORG, ALL, { limit: 9, offset: 0 })).lines;
        await call('DELETE', `${given.prefix}-keys`);
        const second = await startOn(given);
        await second.append(ORG, { ...both, lines: both.lines.map((line) => ({ ...line })) });
        expect((await second.search(ORG, ALL, { limit: 9, offset: 0 })).lines).toEqual(before);
        expect(await second.acknowledged(ORG, HOST, 1n)).toEqual({ live: 1n, backfill: 0n });
      });

      test('counts lines that are new, sent again, and past the retention', async () => {
        const prefix = fresh();
        const metrics = new Registry();
        const config = checkSettings(elasticLogstore.config, { urls: [url], prefix }, []);
        const rest = { config, dataFolder: '', log: silentLogger, clock: systemClock, fail: () => undefined };
        const adapter = elasticLogstore.create({ ...rest, metrics });
        running.push(adapter);
        await adapter.start?.();
        await adapter.port.retain({ days: 3, diskLimit: 1e12 });
        const now = Date.now();
        await (await startOn({ urls: [url], prefix })).append(ORG, write(1, [[now, 'a']]));
        await call('DELETE', `${prefix}-keys`);
        await adapter.port.append(ORG, write(1, [[now, 'a'], [now, 'b'], [now - 9 * DAY, 'c']])); // prettier-ignore
        const told = await metrics.metrics();
        for (const outcome of ['new', 'resent', 'past'])
          expect(told).toContain(`outrider_logstore_lines_total{outcome="${outcome}"} 1\n`);
        expect(told).toContain('outrider_logstore_waiting_characters 0\n');
      });

      test('never takes a key back', async () => {
        const given = { urls: [url], prefix: fresh() };
        const [ahead, behind] = [await startOn(given), await startOn(given)];
        await behind.append(ORG, write(1, []));
        await ahead.append(ORG, write(9, []));
        await behind.append(ORG, write(2, []));
        expect(await behind.acknowledged(ORG, HOST, 1n)).toEqual({ live: 9n, backfill: 0n });
      });

      test('pages deeper than the server gives at once', async () => {
        const store = await startOn({ urls: [url], prefix: fresh() });
        const now = Date.now() - 60_000;
        const count = 12_000;
        await store.append(
          ORG,
          write(
            1,
            Array.from({ length: count }, (_, at) => [now + (at >> 3), `${at}`] as const),
          ),
        );
        const wanted = (offset: number, limit: number): string[] =>
          Array.from({ length: Math.max(0, Math.min(limit, count - offset)) }, (_, at) => `${count - 1 - offset - at}`);
        for (const offset of [9_950, 10_005, 11_990, 12_000, 30_000]) {
          // A slow server may not get there in time, and says so.
          const page = await until('a whole page', async () => {
            const found = await store.search(ORG, ALL, { limit: 100, offset });
            return found.complete ? found : undefined;
          });
          expect(page.lines.map(({ text }) => text)).toEqual(wanted(offset, 100));
          expect(page).toMatchObject({ total: count, complete: true });
        }
      });

      test('counts as many steps as may be asked for, whatever their levels', async () => {
        const store = await startOn({ urls: [url], prefix: fresh(), timeoutSeconds: 60 });
        const [steps, from] = [11_000, Math.floor(Date.now() / 1000) * 1000 - 11_000_000];
        for (const level of [0, 1, 2, 3, 4, 5] as const) {
          const { lines, ...rest } = write(level + 1, Array.from({ length: steps }, (_, at) => [from + at * 1000, ''] as const)); // prettier-ignore
          await store.append(ORG, { ...rest, lines: lines.map((line) => ({ ...line, level })) });
        }
        // The oldest are absent when the server is slow.
        const counted = async () => (await store.histogram(ORG, { from, to: from + steps * 1000 }, 1000)).length;
        await expect.poll(counted, { timeout: 60_000 }).toBe(steps);
        const some = await store.histogram(ORG, { from: from + 2000, to: from + 4000 }, 1000);
        expect(some).toEqual([2000, 3000].map((at) => ({ timeMs: from + at, counts: [1, 1, 1, 1, 1, 1] })));
      }, 120_000);

      test('keeps lines of wrong clocks in one index, and finds them', async () => {
        const given = { urls: [url], prefix: fresh() };
        const store = await startOn(given);
        const times = [-5, Date.now() + 40 * DAY, 4_102_444_800_000, 9.2e18];
        await store.append(ORG, write(1, times.map((ms, at) => [ms, `t${at}`] as const))); // prettier-ignore
        expect(await texts(store)).toEqual(['t2', 't1', 't0']);
        expect(await indices(given.prefix)).toEqual([`${given.prefix}-keys`, `${given.prefix}-lines-undated`]);
        const [line] = (await store.search(ORG, ALL, { limit: 1, offset: 0 })).lines;
        expect(await store.context(ORG, line?.id ?? '', 5)).toEqual([line]);
        await store.retain({ days: 1, diskLimit: 1e12 });
        expect((await store.usage()).lines).toBe(4);
        await store.retain({ days: 1e-9, diskLimit: 1e12 });
        expect((await store.usage()).lines).toBe(0);
      });

      test('leaves out what is past the retention, and over the limit of bytes the oldest days go', async () => {
        const given = { urls: [url], prefix: fresh() };
        const store = await startOn(given);
        const now = Date.now();
        await store.retain({ days: 3, diskLimit: 1e12 });
        const times = [now - 6 * DAY, now - 2 * DAY, now - DAY, now];
        await store.append(ORG, write(1, times.map((ms, at) => [ms, `t${at}`] as const))); // prettier-ignore
        expect(await texts(store)).toEqual(['t3', 't2', 't1']);
        await store.retain({ days: 3, diskLimit: 1 });
        expect(await texts(store)).toEqual(['t3']);
        expect(await indices(given.prefix)).toEqual([`${given.prefix}-keys`, `${given.prefix}-lines-${dayName(now)}`]);
      });

      test('goes on when somebody deletes an index or a template under it', async () => {
        const given = { urls: [url], prefix: fresh() };
        const store = await startOn(given);
        const now = Date.now();
        await store.append(ORG, write(1, [[now, 'Lost']]));
        await call('DELETE', `_index_template/${given.prefix}-lines`);
        await call('DELETE', `${given.prefix}-lines-${dayName(now)}`);
        expect(await texts(store)).toEqual([]);
        await store.retain({ days: 9, diskLimit: 1e12 });
        await store.append(ORG, write(2, [[now, 'Here']]));
        expect((await store.search(ORG, { ...ALL, text: 'ERE' }, { limit: 1, offset: 0 })).total).toBe(1);
      });

      describe('names what is wrong', () => {
        const host = new URL(url).host;
        const telling = (code: string, ...words: string[]): object => ({
          code: `logstore.${code}`,
          message: expect.toSatisfy((message: string) => [host, ...words].every((word) => message.includes(word))),
        });

        test('an index template of a newer hub, or of somebody else', async () => {
          const prefix = fresh();
          await startOn({ urls: [url], prefix });
          const template = { index_patterns: [`${prefix}-lines-*`], priority: 500, _meta: { outrider: 1000 } };
          await call('PUT', `_index_template/${prefix}-lines`, template);
          const start = startOn({ urls: [url], prefix });
          await expect(start).rejects.toMatchObject(telling('other-schema', `${prefix}-lines`, 'update the hub'));
          await call('PUT', `_index_template/${prefix}-lines`, { ...template, _meta: {} });
          const again = startOn({ urls: [url], prefix });
          await expect(again).rejects.toMatchObject(telling('other-schema', 'not ours', 'logstore.prefix'));
        });

        test('an index that somebody else laid out', async () => {
          const prefix = fresh();
          await call('PUT', `${prefix}-lines-2020.01.01`, { mappings: { properties: { text: { type: 'long' } } } });
          const start = startOn({ urls: [url], prefix });
          await expect(start).rejects.toMatchObject(telling('other-schema', `${prefix}-lines-2020.01.01`, 'not ours'));
        });

        test('a template of somebody else that is stronger than ours', async () => {
          const prefix = fresh();
          const store = await startOn({ urls: [url], prefix });
          await call('PUT', `_index_template/${prefix}-other`, { index_patterns: [`${prefix}-l*`], priority: 900 });
          const append = store.append(ORG, write(1, [[Date.now(), 'one']]));
          await expect(append).rejects.toMatchObject({ ...telling('other-schema', 'not ours'), retryable: true });
        });

        test('a red index: others are still found, and all goes on when it is well', async () => {
          const prefix = fresh();
          const store = await startOn({ urls: [url], prefix, timeoutSeconds: 8 });
          const now = Date.now();
          await store.append(ORG, write(1, [[now - DAY, 'yesterday']]));
          const today = `${prefix}-lines-${dayName(now)}`;
          const nowhere = { 'index.routing.allocation.require._name': 'nobody' };
          await call('PUT', `${today}?wait_for_active_shards=0&timeout=1s`, { settings: nowhere });
          await expect(store.check()).rejects.toMatchObject(telling('red', today, 'allocation/explain'));
          const append = store.append(ORG, write(2, [[now, 'today']]));
          await expect(append).rejects.toMatchObject({ ...telling('red'), retryable: true });
          // Another hub begins all the same, and its searches do not wait for the red part.
          const other = await startOn({ urls: [url], prefix, timeoutSeconds: 600 });
          const page = await other.search(ORG, ALL, { limit: 9, offset: 0 });
          expect(page).toMatchObject({ lines: [{ text: 'yesterday' }], complete: false });
          await call('PUT', `${today}/_settings`, { 'index.routing.allocation.require._name': null });
          await call('GET', `_cluster/health/${today}?wait_for_status=yellow&timeout=30s`);
          await store.append(ORG, write(2, [[now, 'today']]));
          expect(await texts(store)).toEqual(['today', 'yesterday']);
          await store.check();
        });

        test.each([
          ['read_only_allow_delete', 'full', 'flood-stage'],
          ['read_only', 'read-only', 'index.blocks.read_only'],
          ['write', 'read-only', 'index.blocks.write'],
        ])('an index with the block %s', async (block, code, word) => {
          const prefix = fresh();
          const store = await startOn({ urls: [url], prefix });
          const now = Date.now();
          await store.append(ORG, write(1, [[now, 'one']]));
          const today = `${prefix}-lines-${dayName(now)}`;
          await call('PUT', `${today}/_settings`, { [`index.blocks.${block}`]: true });
          const append = store.append(ORG, write(2, [[now, 'two']]));
          await expect(append).rejects.toMatchObject({ ...telling(code, today, word), retryable: true });
          await expect(store.check()).rejects.toMatchObject({ ...telling(code, today, word), retryable: true });
          expect(await texts(store)).toEqual(['one']);
          // The key of a batch comes after its lines.
          expect((await store.acknowledged(ORG, HOST, 1n)).live).toBe(1n);
          await call('PUT', `${today}/_settings`, { [`index.blocks.${block}`]: null });
          await store.append(ORG, write(2, [[now, 'two']]));
          expect(await texts(store)).toEqual(['two', 'one']);
        });

        test('an index that may lose what it acknowledged', async () => {
          const prefix = fresh();
          const store = await startOn({ urls: [url], prefix });
          await call('PUT', `${prefix}-keys/_settings`, { 'index.translog.durability': 'async' });
          await expect(store.check()).rejects.toMatchObject(telling('unsafe', 'index.translog.durability'));
        });
      });
    });
  });
}
