import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDetector, type Detector } from './detector.ts';
import { CHANNELS } from './layout.ts';
import { memoryOf, snapshotOf } from './snapshot.ts';
import { TUNING } from './tuning.ts';

const HOUR = 3_600_000;

/** Numbers between 0 and 1 that are the same in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Scores of a series at one sample a second. */
function scoresOf(values: readonly number[], detector = createDetector(), stepMs = 1000): number[] {
  const place = detector.add('gauge');
  return values.map((value, n) => detector.push(place, n * stepMs, value).score);
}

/** The settings with but one channel that counts. */
const only = (name: (typeof CHANNELS)[number]) => ({
  ...TUNING,
  weights: CHANNELS.map((channel) => (channel === name ? 1 : 0)),
});

/** A few hundred samples of noise with jumps, silence and things that are no numbers among them. */
const series = fc
  .array(
    fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(NaN, Infinity, -Infinity, 1e308, -1e308, 5e-324, 0) },
      { weight: 1, arbitrary: fc.double() },
    ),
    { minLength: 20, maxLength: 60 },
  )
  .map((values) => Array.from({ length: 420 }, (_, n) => values[(n * n + n) % values.length]!));

test('a metric that never changes is never surprising', () => {
  for (const value of [0, 42, -1e12]) expect(Math.max(...scoresOf(Array(3000).fill(value)))).toBe(0);
});

test('scores never change with what comes after them', () => {
  fc.assert(
    fc.property(series, series, fc.integer({ min: 200, max: 419 }), (values, others, cut) => {
      const whole = scoresOf(values);
      const forked = scoresOf([...values.slice(0, cut), ...others]);
      expect(forked.slice(0, cut)).toEqual(whole.slice(0, cut));
    }),
    { numRuns: 25 },
  );
});

test('no value breaks what is known: verdicts stay in their bounds, and the memory stays finite', () => {
  fc.assert(
    fc.property(series, fc.array(fc.double(), { minLength: 1, maxLength: 20 }), (values, times) => {
      const detector = createDetector();
      for (const kind of ['gauge', 'counter'] as const) {
        const place = detector.add(kind);
        values.forEach((value, n) => {
          const timeMs = n % 7 === 0 ? times[n % times.length]! : n * 1000;
          const { score, p, nats, channel } = detector.push(place, timeMs, value);
          expect(score >= 0 && score <= 1 && p >= 0 && p <= 1 && nats >= 0 && nats < 1e3).toBe(true);
          expect(channel >= -1 && channel < CHANNELS.length).toBe(true);
        });
      }
      expect(detector.memory().floats.every(Number.isFinite)).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test('a detector that was put away goes on bit by bit as if it had not been', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 1, max: 419 }), (values, cut) => {
      const detector = createDetector();
      const place = detector.add('gauge');
      const push = (to: Detector, n: number): object => ({ ...to.push(place, n * 600_000, values[n]!) });
      for (let n = 0; n < cut; n++) push(detector, n);
      const restored = createDetector(TUNING, memoryOf(snapshotOf(detector.memory())));
      for (let n = cut; n < values.length; n++) expect(push(restored, n)).toEqual(push(detector, n));
      expect(snapshotOf(restored.memory())).toEqual(snapshotOf(detector.memory()));
    }),
    { numRuns: 15 },
  );
});

test('where nothing is judged nothing is told of the sample before', () => {
  const detector = createDetector();
  const place = detector.add('gauge');
  for (let n = 0; n < 5; n++) detector.push(place, n * 1000, 7);
  expect(detector.push(place, 5000, NaN)).toMatchObject({ value: NaN, usual: NaN, explained: false, learning: true });
});

test('bytes that no detector wrote are refused', () => {
  const detector = createDetector();
  scoresOf([1, 2, 3], detector);
  const good = snapshotOf(detector.memory());
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const bad = good.slice();
      bad[at] = bad[at]! ^ by;
      expect(() => memoryOf(bad)).toThrow(/cannot be used/);
      expect(() => memoryOf(good.subarray(0, at))).toThrow(/cannot be used/);
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expect(() => memoryOf(bytes)).toThrow()));
  detector.memory().floats[3] = NaN;
  expect(() => memoryOf(snapshotOf(detector.memory()))).toThrow(/no detector writes/);
});

test('a level shift, a stuck value and a burst of noise are found, and say which way', () => {
  const cases = [
    { after: (noise: number) => 20 + noise, direction: 1 },
    { after: (noise: number) => noise - 20, direction: -1 },
    { after: () => 0.25, direction: -1 },
    { after: (noise: number) => noise * 15, direction: undefined },
  ];
  for (const { after, direction } of cases) {
    const roll = dice(7);
    const detector = createDetector();
    const place = detector.add('gauge');
    let found: number | undefined;
    for (let n = 0; n < 2300; n++) {
      const noise = roll() + roll() + roll() - 1.5;
      const verdict = detector.push(place, n * 1000, n < 2000 ? noise : after(noise));
      if (n >= 2000 && verdict.score >= 0.5) found ??= verdict.direction;
    }
    expect(found).toBeDefined();
    if (direction !== undefined) expect(found).toBe(direction);
  }
});

test('steps that go on say more than each alone, which is nothing new, and say which way', () => {
  const ramp = CHANNELS.indexOf('ramp');
  const deaf = { ...TUNING, weights: TUNING.weights.map((weight, channel) => (channel === ramp ? 0 : weight)) };
  for (const way of [1, -1]) {
    const [found, without] = [TUNING, deaf].map((tuning) => {
      const roll = dice(5);
      const detector = createDetector(tuning);
      const place = detector.add('gauge');
      const push = (n: number, value: number) => detector.push(place, n * 1000, way * (value + 0.2 * roll()));
      for (let n = 0; n < 3000; n++) push(n, n % 150 < 20 ? 3 : 0); // There and back again each few minutes.
      return Array.from({ length: 5 }, (_, n) => ({ ...push(3000 + n, 3 + 3 * n) }));
    });
    expect(found?.[2]?.nats).toBeGreaterThan((without?.[2]?.nats ?? NaN) + 1);
    expect(found?.[4]).toMatchObject({ direction: way });
  }
});

test('steps before a gap are no part of those after it', () => {
  const after = (gapMs: number): number => {
    const roll = dice(5);
    const detector = createDetector(only('ramp'));
    const place = detector.add('gauge');
    for (let n = 0; n < 1000; n++) detector.push(place, n * 1000, roll());
    for (const step of [2, 4]) detector.push(place, (1000 + step / 2) * 1000, step);
    detector.push(place, 1_003_000 + gapMs, 6);
    return detector.push(place, 1_004_000 + gapMs, 8).nats;
  };
  expect(after(0)).toBeGreaterThan(3);
  expect(after(60_000)).toBeLessThan(1);
});

test('what lies beyond all that was ever seen is told, however great events were before, but not again', () => {
  const record = CHANNELS.indexOf('record');
  const deaf = { ...TUNING, weights: TUNING.weights.map((weight, channel) => (channel === record ? 0 : weight)) };
  for (const way of [1, -1]) {
    const [heard, without] = [TUNING, deaf].map((tuning) => {
      const roll = dice(17);
      const detector = createDetector(tuning);
      const place = detector.add('gauge');
      const push = (n: number, value: number) => ({ ...detector.push(place, n * 1000, way * value) });
      for (let n = 0; n < 3000; n++) push(n, roll() + (n % 170 < 6 ? 50 + 10 * roll() : 0));
      const first = push(3000, 80);
      for (let n = 3001; n < 3200; n++) push(n, roll());
      return { first, again: push(3200, 80) };
    });
    expect(heard?.first).toMatchObject({ direction: way, channel: record });
    expect(heard?.first.score).toBeGreaterThan(0.5);
    expect(without?.first.score).toBeLessThan(0.5);
    expect(heard?.again.nats).toBe(without?.again.nats);
  }
});

test('what stays where nothing ever stayed is told, also where single samples were far beyond it', () => {
  for (const way of [1, -1]) {
    const after = (length: number, gapMs = 0) => {
      const roll = dice(23);
      const detector = createDetector(only('stay'));
      const place = detector.add('gauge');
      const push = (n: number, value: number, later = 0) => ({
        ...detector.push(place, n * 1000 + later, way * value),
      });
      for (let n = 0; n < 3000; n++) push(n, roll() + (n % 170 < 3 ? 50 + 10 * roll() : 0));
      push(3000, 20);
      return Array.from({ length }, (_, n) => push(3001 + n, 20 + roll(), gapMs)).at(-1);
    };
    expect(after(2)?.nats).toBe(0);
    expect(after(3)).toMatchObject({ direction: way, channel: CHANNELS.indexOf('stay') });
    expect(after(3)?.nats).toBeGreaterThan(9);
    expect(after(3, 60_000)?.nats).toBe(0); // Nobody saw what lies in a gap: the first one after it is not judged.
  }
});

test('a range is none until it was looked at for a while, nor where nothing ever changed', () => {
  const after = (early: (n: number) => number): number => {
    const roll = dice(19);
    const detector = createDetector(only('record'));
    const place = detector.add('gauge');
    for (let n = 0; n < 1000; n++) detector.push(place, n * 1000, n < 90 ? early(n) : roll());
    return detector.push(place, 1_000_000, 1.2).nats;
  };
  // Each of the first ones is a record, and teaches nothing.
  expect(after((n) => 2 ** (n - 90))).toBeGreaterThan(after(() => 0.5));

  const detector = createDetector(only('record'));
  const place = detector.add('gauge');
  for (let n = 0; n < 1000; n++) detector.push(place, n * 1000, 7);
  expect(detector.push(place, 1_000_000, 8).nats).toBe(0);
});

test('plain noise is quiet, and its p-values are a bound', () => {
  const roll = dice(3);
  const detector = createDetector();
  const place = detector.add('gauge');
  let [alerts, rare] = [0, 0];
  const samples = 40_000;
  for (let n = 0; n < samples; n++) {
    const { score, p, learning } = detector.push(place, n * 1000, roll() + roll() + roll() + roll());
    if (score >= 0.5) alerts++;
    if (!learning && p < 0.01) rare++;
  }
  expect(alerts / samples).toBeLessThan(1 / 1000);
  expect(rare / samples).toBeLessThan(0.01);
});

test('nothing is said before a metric is known', () => {
  const roll = dice(5);
  const scores = scoresOf(Array.from({ length: TUNING.warmUp - 1 }, (_, n) => (n > 100 ? 1e6 : roll())));
  expect(Math.max(...scores)).toBe(0);
});

test('what follows an alert is held back until it escalates', () => {
  const roll = dice(9);
  const quiet = Array.from({ length: 2000 }, () => roll());
  const jump = (by: number, length: number): number[] => Array.from({ length }, () => by + roll());
  const scores = scoresOf([...quiet, ...jump(20, 60), ...jump(4e8, 10)]);
  const alerts = scores.flatMap((score, n) => (score >= 0.5 ? [n] : []));
  expect(alerts.filter((n) => n >= 2000 && n < 2060).length).toBeGreaterThan(0);
  expect(alerts.filter((n) => n >= 2000 && n < 2060).length).toBeLessThan(4);
});

test('the job of each night is no anomaly on its third night', () => {
  const roll = dice(11);
  const detector = createDetector();
  const place = detector.add('gauge');
  const alerts = [0, 0, 0, 0, 0, 0];
  for (let n = 0; n < 6 * 1440; n++) {
    const minute = n % 1440;
    const night = minute >= 205 && minute < 230 ? 60 : 0;
    const { score } = detector.push(place, n * 60_000, 10 + roll() * 2 + night + (night === 0 ? 0 : roll() * 8));
    if (score >= 0.5) alerts[Math.floor(n / 1440)]! += 1;
  }
  expect(alerts[0]).toBeGreaterThan(0);
  expect(alerts.slice(2)).toEqual([0, 0, 0, 0]);
});

test('a counter is judged by its rate; a reset and a gap are no anomalies', () => {
  const roll = dice(13);
  const detector = createDetector();
  const place = detector.add('counter');
  let [count, timeMs] = [1e9, 0];
  const alerts: number[] = [];
  for (let n = 0; n < 4000; n++) {
    count += 1000 + roll() * 100;
    timeMs += 1000;
    if (n === 2500) count = 0;
    if (n === 3000) [timeMs, count] = [timeMs + HOUR, count + 3600 * 1050];
    if (detector.push(place, timeMs, count).score >= 0.5) alerts.push(n);
  }
  expect(alerts.filter((n) => n % 500 < 50)).toEqual([]);
  let found = 0;
  for (let n = 0; n < 60; n++) {
    count += 9000;
    timeMs += 1000;
    found = Math.max(found, detector.push(place, timeMs, count).score);
  }
  expect(found).toBeGreaterThan(0.5);
});

test('a place that was freed is given again and knows nothing of before', () => {
  const detector = createDetector();
  const places = Array.from({ length: 40 }, () => detector.add('gauge'));
  for (let n = 0; n < 300; n++) for (const place of places) detector.push(place, n * 1000, n % 5);
  detector.remove(places[7]!);
  expect(detector.size()).toBe(39);
  expect(detector.add('gauge')).toBe(places[7]);
  expect(detector.push(places[7]!, 300_000, 5)).toMatchObject({ learning: true, score: 0 });
  expect(detector.push(places[8]!, 300_000, 0).learning).toBe(false);
});
