import { expect, test } from 'vitest';
import type { SeriesWrite } from '../../../ports/series.ts';
import { createAppends, type KnownWrite } from './appends.ts';
import { problems } from './errors.ts';

const table = { id: 1n, series: [{ name: 'g', kind: 'gauge' as const, attributes: {} }] };
const write = (agent: string, seq: bigint, value = 1): SeriesWrite => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq },
  tables: [table],
  blocks: [{ table: 1n, timeMs: 1000, values: Float64Array.of(value) }],
});

/** Appends to a list of groups; `fate` may throw for a group, or wait. */
function recorded(fate: (group: readonly KnownWrite<string>[]) => Promise<void> | void = () => undefined, limit = 100) {
  const groups: string[][] = [];
  const appends = createAppends<string>({
    columnOf: ({ name }) => name,
    acknowledged: () => Promise.resolve({ live: 5n, backfill: 0n }),
    async store(group) {
      await fate(group);
      groups.push(group.map(({ key: { agent, seq } }) => `${agent}${seq}`));
    },
    limit,
  });
  return {
    groups,
    append: (one: SeriesWrite) => appends.append('org', one),
    drain: () => appends.drain(),
    mistrust: appends.mistrust,
  };
}
const fates = async (all: Promise<void>[]) =>
  (await Promise.allSettled(all)).map((one) =>
    one.status === 'fulfilled' ? 'stored' : (one.reason as { code: string }).code,
  );

test('what comes while a group is on its way goes with the next, and what is durable already goes nowhere', async () => {
  let release = (): void => undefined;
  const first = new Promise<void>((resolve) => (release = resolve));
  const { groups, append } = recorded(() => first);
  const all = [append(write('a', 5n)), append(write('a', 6n)), append(write('b', 6n)), append(write('b', 7n))];
  release();
  await Promise.all(all);
  expect(groups.flat()).toEqual(['a6', 'b6', 'b7']);
  await append(write('a', 6n));
  expect(groups.flat()).toHaveLength(3);
});

test('nothing counts when the server fails, and the same is stored when it comes again', async () => {
  let away = true;
  const { groups, append } = recorded(() => {
    if (away) throw problems.unavailable();
  });
  expect(await fates([append(write('a', 6n)), append(write('a', 7n))])).toEqual([
    'series.unavailable',
    'series.unavailable',
  ]);
  away = false;
  await Promise.all([append(write('a', 6n)), append(write('a', 7n))]);
  expect(groups.flat()).toEqual(['a6', 'a7']);
});

test('a batch that the server never takes refuses its own lane alone', async () => {
  const { groups, append } = recorded((group) => {
    if (group.some(({ key }) => key.agent === 'bad')) throw problems.badAddress();
  });
  const all = [append(write('x', 6n)), append(write('bad', 6n)), append(write('bad', 7n)), append(write('b', 6n))];
  expect(await fates(all)).toEqual(['stored', 'series.bad-address', 'series.bad-address', 'stored']);
  expect(groups.flat()).toEqual(['x6', 'b6']);
});

test('more samples than may wait are refused at once', async () => {
  const { append } = recorded(undefined, 5);
  expect(await fates([append(write('a', 6n)), append(write('b', 6n)), append(write('c', 6n))])).toEqual([
    'stored',
    'stored',
    'series.overloaded',
  ]);
  await append(write('c', 6n));
});

test('while the store is in doubt what seems to be stored is stored again, and is known again afterwards', async () => {
  const { groups, append, mistrust } = recorded();
  await append(write('a', 6n));
  await append(write('a', 7n));
  const end = mistrust();
  await Promise.all([append(write('a', 5n)), append(write('a', 6n)), append(write('a', 8n)), append(write('a', 7n))]);
  end();
  for (const seq of [5n, 6n, 7n, 8n]) await append(write('a', seq));
  expect(groups.flat()).toEqual(['a6', 'a7', 'a5', 'a6', 'a8', 'a7']);
});
