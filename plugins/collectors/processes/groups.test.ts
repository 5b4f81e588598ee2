import { expect, test } from 'vitest';
import { createCounter } from './groups.ts';
import type { PidStat } from './pid-stat.ts';

const stat = (name: string, ticks: number, startTicks = 1): PidStat => ({
  name, ticks, startTicks, state: 'S', parent: 1, residentPages: 10, threads: 1, isKernelThread: false,
}); // prettier-ignore

function run(counter: ReturnType<typeof createCounter>, pids: Record<number, PidStat>): Record<string, number> {
  for (const [pid, one] of Object.entries(pids)) counter.add(Number(pid), one);
  return Object.fromEntries([...counter.finish().groups.values()].map(({ name, ticks }) => [name, ticks]));
}

test('processes of one name are added up, and the first run tells no use', () => {
  const counter = createCounter();
  expect(run(counter, { 1: stat('a', 100), 2: stat('a', 50), 3: stat('b', 7) })).toEqual({ a: 0, b: 0 });
  expect(run(counter, { 1: stat('a', 110), 2: stat('a', 55), 3: stat('b', 7) })).toEqual({ a: 15, b: 0 });
});

test('a process that started since the last run used all of its time since then', () => {
  const counter = createCounter();
  run(counter, { 1: stat('a', 100) });
  expect(run(counter, { 1: stat('a', 100), 2: stat('new', 30) })).toEqual({ a: 0, new: 30 });
});

test('a process id that is used again is another process', () => {
  const counter = createCounter();
  run(counter, { 1: stat('a', 100, 1) });
  expect(run(counter, { 1: stat('b', 4, 2) })).toEqual({ b: 4 });
  run(counter, {});
  expect(run(counter, { 1: stat('b', 9, 2) })).toEqual({ b: 9 });
});

test('a process that is told alone counts among the states, and not in its group', () => {
  const counter = createCounter();
  counter.add(1, stat('a', 5), () => true);
  counter.add(2, stat('a', 5), () => false);
  const { groups, states } = counter.finish();
  expect([groups.get('a')?.residentPages, states.get('S')]).toEqual([10, 2]);
});
