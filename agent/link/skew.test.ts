import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSkew } from './skew.ts';

/** A machine whose wall clock is `offMs` ahead of the hub's, which is at `hubMs` when the monotonic clock is at 0. */
function machine(offMs: number, hubMs = 1e12) {
  const at = { monotonicMs: 0, offMs };
  const clock = { monotonic: () => at.monotonicMs, now: () => hubMs + at.monotonicMs + at.offMs };
  const skew = createSkew(clock);
  return {
    skew,
    /** A question that is on its way for so long in each direction. */
    ask(thereMs: number, backMs: number): void {
      const sentMs = at.monotonicMs;
      const answer = hubMs + sentMs + thereMs;
      at.monotonicMs += thereMs + backMs;
      skew.measured({ sentMs, receivedMs: at.monotonicMs, hubMs: answer });
    },
    pass: (ms: number) => void (at.monotonicMs += ms),
    /** Sets the wall clock. */
    set: (ms: number) => void (at.offMs = ms),
    /** The monotonic clock stands still meanwhile, as on Linux. */
    sleep(ms: number): void {
      hubMs += ms;
    },
    moment: () => ({ wallMs: clock.now(), monotonicMs: clock.monotonic() }),
  };
}

test('nobody knows before the hub was asked', () => {
  expect(machine(5).skew.now()).toBeUndefined();
});

test('it is never further from the truth than half of the shortest round trip', () => {
  const way = fc.integer({ min: 0, max: 500 });
  const ways = fc.array(fc.tuple(way, way), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), ways, (offMs, trips) => {
      const { skew, ask, moment } = machine(offMs);
      for (const trip of trips) ask(...trip);
      const best = Math.min(...trips.map(([there, back]) => there + back));
      expect(Math.abs((skew.at(moment()) ?? NaN) - offMs)).toBeLessThanOrEqual(best / 2);
    }),
  );
});

test('a wall clock that is set is not known until the hub is asked again, and what was put before is', () => {
  const { skew, ask, set, pass, moment } = machine(7_200_000);
  const early = moment();
  ask(10, 10);
  expect(skew.now()).toBe(7_200_000);
  pass(1000);
  set(0);
  expect(skew.now()).toBeUndefined();
  ask(10, 10);
  expect(skew.now()).toBe(0);
  expect(skew.at(early)).toBe(7_200_000);
});

test('a machine that slept asks again and forgets what it had measured', () => {
  const { skew, ask, sleep } = machine(100);
  ask(1, 1);
  sleep(3_600_000);
  expect(skew.now()).toBeUndefined();
  ask(40, 40);
  expect(skew.now()).toBe(100);
});

test('small changes are not told, so that samples of one clock are put right by the same', () => {
  const { skew, ask, set } = machine(1000);
  ask(1, 1);
  const told = [skew.now()];
  for (const offMs of [1010, 1030, 1040, 1060, 1070]) {
    set(offMs);
    ask(1, 1);
    told.push(skew.now());
  }
  expect(told).toEqual([1000, 1000, 1000, 1000, 1060, 1060]);
});
