import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupOf, parseAuxv, parsePidStat as parse } from './pid-stat.ts';

const parsePidStat = (text: string) => parse(Buffer.from(text));

const tail = 'S 1 1 1 0 -1 4194304 1 0 0 0 30 12 0 0 20 0 1 0 950 1000 77 18446744073709551615';

test('reads processor time, start and memory', () => {
  expect(parsePidStat(`12 (bash) ${tail}`)).toEqual({
    name: 'bash', state: 'S', parent: 1, ticks: 42, startTicks: 950, residentPages: 77, threads: 1, isKernelThread: false,
  }); // prettier-ignore
});

test('any name is read whole, also one with blanks and brackets', () => {
  fc.assert(
    fc.property(
      fc.string({ maxLength: 15 }),
      (name) => void expect(parsePidStat(`1 (${name}) ${tail}`)?.name).toBe(name),
    ),
  );
});

test('no text makes a number that is not finite', () => {
  const word = fc.oneof(fc.string(), fc.integer().map(String));
  fc.assert(
    fc.property(
      fc.array(word).map((words) => `1 (x) ${words.join(' ')}`),
      (text) => {
        const found = parsePidStat(text);
        if (found === undefined) return;
        expect(
          [found.ticks, found.startTicks, found.residentPages, found.threads].every((n) => n >= 0 && n < Infinity),
        ).toBe(true);
      },
    ),
  );
  expect(parsePidStat('')).toBeUndefined();
});

test('kernel threads of one kind are one group', () => {
  const kernel = (name: string) =>
    groupOf({
      name,
      parent: 2,
      state: 'I',
      ticks: 0,
      startTicks: 0,
      residentPages: 0,
      threads: 1,
      isKernelThread: true,
    });
  expect(['kworker/0:1-events', 'kworker/u8:2', 'ksoftirqd/0', 'rcu_preempt'].map(kernel)).toEqual([
    '[kworker]', '[kworker]', '[ksoftirqd]', '[rcu_preempt]',
  ]); // prettier-ignore
});

test('units come from the auxiliary vector, and the usual ones from any other bytes', () => {
  const vector = new BigUint64Array([6n, 65_536n, 17n, 250n, 0n, 0n]);
  expect(parseAuxv(new Uint8Array(vector.buffer))).toEqual({ pageSize: 65_536, ticksPerSecond: 250 });
  expect(parseAuxv(new Uint8Array())).toEqual({ pageSize: 4096, ticksPerSecond: 100 });
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void expect(parseAuxv(bytes).pageSize).toBeGreaterThan(0)));
});
