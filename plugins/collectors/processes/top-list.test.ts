import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Group } from './groups.ts';
import { createTopList } from './top-list.ts';

const groupsOf = (ticks: Record<string, number>): Map<string, Group> =>
  new Map(Object.entries(ticks).map(([name, used]) => [name, { name, ticks: used, residentPages: 0 }]));

test('lists the first by processor time and by memory', () => {
  const top = createTopList(1);
  const groups = groupsOf({ idle: 0, busy: 9, less: 3 });
  groups.set('large', { name: 'large', ticks: 0, residentPages: 500 });
  expect(top(groups).map(({ name }) => name)).toEqual(['large', 'busy']);
});

test('a name stays for a minute of runs after it was last among the first, in its place', () => {
  const top = createTopList(2);
  top(groupsOf({ a: 5, b: 4, c: 0 }));
  for (let run = 0; run < 60; run++) {
    expect(top(groupsOf({ a: 0, b: 4, c: 3 })).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  }
  expect(top(groupsOf({ a: 0, b: 4, c: 3 })).map(({ name }) => name)).toEqual(['b', 'c']);
});

test('the list is never longer than four times its size, whatever comes and goes', () => {
  const name = fc.constantFrom(...'abcdefghijklmnop');
  fc.assert(
    fc.property(fc.array(fc.dictionary(name, fc.nat(9))), (runs) => {
      const top = createTopList(2);
      for (const run of runs) expect(top(groupsOf(run)).length).toBeLessThanOrEqual(8);
    }),
  );
});
