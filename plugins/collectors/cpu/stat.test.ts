import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { cpu } from './index.ts';
import { parseStat, sharesBetween } from './stat.ts';

const ticks = fc.array(fc.nat(1_000_000_000), { minLength: 7, maxLength: 7 });

test('a line that cannot be read loses no other line', () => {
  const text = 'cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 1 x 3 4\ncpu1 9 8 7 6\ncpux 1 2 3 4\ncpu2 1 2\nintr 5\n';
  expect([...parseStat(text)]).toEqual([
    ['cpu', [1, 2, 3, 4, 5, 13, 8]],
    ['cpu1', [9, 8, 7, 6, 0, 0, 0]],
  ]);
});

test('whatever the text, ticks are finite and not negative', () => {
  const line = fc.tuple(fc.constantFrom('cpu ', 'cpu0', 'cpu1', 'intr'), fc.string()).map((parts) => parts.join(' '));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(line).map((lines) => lines.join('\n')),
      ),
      (text) => {
        for (const found of parseStat(text).values()) expect(found.every((n) => n >= 0 && n < Infinity)).toBe(true);
      },
    ),
  );
});

test('the shares of the modes add up to one, and busy is what neither idled nor waited', () => {
  fc.assert(
    fc.property(ticks, ticks, (before, passed) => {
      const shares = sharesBetween(
        before,
        before.map((value, i) => value + (passed[i] ?? 0)),
      );
      if (shares === undefined) return expect(passed.every((value) => value === 0)).toBe(true);
      expect(shares.modes.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1);
      expect(shares.busy).toBeCloseTo(1 - (shares.modes[3] ?? 0) - (shares.modes[4] ?? 0));
    }),
  );
});

test('any two readings give shares between zero and one', () => {
  fc.assert(
    fc.property(ticks, ticks, (before, after) => {
      for (const share of sharesBetween(before, after)?.modes ?? []) expect(share >= 0 && share <= 1).toBe(true);
    }),
  );
});

test('the first run tells no share, and the settings decide what is told of each core', async () => {
  const states = [{ 'proc/stat': 'cpu  0 0 0 0\ncpu0 0 0 0 0\n' }, { 'proc/stat': 'cpu  1 0 0 3\ncpu0 1 0 0 3\n' }];
  const [first, second] = await replay(cpu, states, { perCore: 'busy' });
  expect(first?.values).toEqual({ 'system.cpu.logical.count': 1 });
  expect(second?.values['system.cpu.busy cpu.logical_number=0']).toBe(0.25);
  expect(second?.values['system.cpu.utilization cpu.mode=user']).toBe(0.25);
  expect(Object.keys(second?.values ?? {}).filter((key) => /number=0 cpu.mode/.test(key))).toEqual([]);
});

test('a machine without /proc/stat is a failure with a reason', async () => {
  const [run] = await replay(cpu, [{ 'proc/version': 'none' }]);
  expect(run).toEqual({ values: {}, fault: '/proc/stat tells nothing about processors' });
});
