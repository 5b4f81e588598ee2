import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBuffer } from './buffer.ts';

const T0 = 1_800_000_000_000;
const points = (times: number[], values: number[]) => ({ times, avg: values, min: values, max: values, last: values });
const size = { stepMs: 5000, spanMs: 60_000 };

describe('live samples', () => {
  test('are merged into the step that they belong to, up to its boundary', () => {
    const buffer = createBuffer(size);
    for (let second = 0; second < 6; second++) buffer.add('a', T0 + second * 1000, second);
    const { times, lines } = buffer.read(['a'], T0, T0 + 5000);
    expect(times).toEqual([T0, T0 + 5000]);
    expect(lines[0]).toEqual({ avg: [2, 5], min: [0, 5], max: [4, 5] });
    expect(buffer.newest('a')).toBe(5);
  });

  test('that come late still count for their own step, and not as the newest', () => {
    const buffer = createBuffer(size);
    buffer.add('a', T0 + 1000, 10);
    buffer.add('a', T0 + 6000, 20);
    buffer.add('a', T0 + 2000, 30);
    expect(buffer.read(['a'], T0, T0 + 6000).lines[0]?.avg).toEqual([20, 20]);
    expect(buffer.newest('a')).toBe(20);
  });

  test('from before the window are left out, and those that leave it are forgotten', () => {
    const buffer = createBuffer(size);
    buffer.add('a', T0, 1);
    buffer.add('a', T0 + 600_000, 2);
    buffer.add('a', T0, 3);
    const { lines } = buffer.read(['a'], T0 + 540_000, T0 + 600_000);
    expect(lines[0]?.avg.filter((value) => typeof value === 'number')).toEqual([2]);
    expect(buffer.read(['a'], T0, T0 + 5000).lines[0]?.avg).toEqual([null, null]);
  });

  test('of a clock that jumped far ahead do not wipe the window', () => {
    const buffer = createBuffer(size);
    buffer.add('a', T0, 1);
    buffer.add('a', T0 + 86_400_000, 2);
    expect(buffer.read(['a'], T0, T0).lines[0]?.avg).toEqual([1]);
  });

  test('that are no numbers change nothing', () => {
    const buffer = createBuffer(size);
    buffer.add('a', T0, NaN);
    expect(buffer.version()).toBe(0);
  });
});

describe('history', () => {
  test('goes on with live samples: the open step weighs what it held', () => {
    const buffer = createBuffer(size);
    // Answered three seconds into the second step, which held three samples of 4.
    buffer.load('a', points([T0, T0 + 5000], [1, 4]), T0 + 8000);
    buffer.add('a', T0 + 8000, 8);
    expect(buffer.read(['a'], T0, T0 + 9000).lines[0]).toEqual({ avg: [1, 5], min: [1, 4], max: [1, 8] });
  });

  test('of a rate goes on as a rate', () => {
    const buffer = createBuffer({ stepMs: 1000, spanMs: 60_000 });
    buffer.load('rate', points([T0, T0 + 1000], [100, 120]), T0 + 1500);
    buffer.add('rate', T0 + 2000, 80);
    expect(buffer.read(['rate'], T0, T0 + 2000).lines[0]?.avg).toEqual([100, 120, 80]);
  });

  test('replaces what was live before, but not what is newer than it', () => {
    const buffer = createBuffer(size);
    buffer.add('a', T0 + 1000, 50);
    buffer.add('a', T0 + 11_000, 70);
    buffer.load('a', points([T0, T0 + 5000], [1, 2]), T0 + 9000);
    expect(buffer.read(['a'], T0, T0 + 11_000).lines[0]?.avg).toEqual([1, 2, 70]);
  });

  test('asked for again after a silence fills it', () => {
    const buffer = createBuffer(size);
    buffer.load('a', points([T0, T0 + 5000], [1, 1]), T0 + 6000);
    buffer.add('a', T0 + 50_000, 3);
    expect(buffer.read(['a'], T0, T0 + 50_000).lines[0]?.avg).toContain(null);
    const times = Array.from({ length: 11 }, (_, index) => T0 + index * 5000);
    buffer.load(
      'a',
      points(
        times,
        times.map(() => 2),
      ),
      T0 + 52_000,
    );
    expect(buffer.read(['a'], T0, T0 + 50_000).lines[0]?.avg).toEqual(times.map(() => 2));
  });
});

describe('gaps', () => {
  test('are gaps and never zero, and a single missed sample is none', () => {
    const buffer = createBuffer({ stepMs: 1000, spanMs: 60_000 });
    for (const second of [0, 1, 2, 4, 5, 6, 12, 13]) buffer.add('a', T0 + second * 1000, 1);
    const avg = buffer.read(['a'], T0, T0 + 13_000).lines[0]?.avg ?? [];
    expect(avg.slice(0, 7)).toEqual([1, 1, 1, undefined, 1, 1, 1]);
    expect(avg.slice(7, 12)).toEqual([null, null, null, null, null]);
  });

  test('are told by what is usual for a line: one that comes every ten seconds has none', () => {
    const buffer = createBuffer({ stepMs: 1000, spanMs: 60_000 });
    for (let second = 0; second <= 50; second += 10) buffer.add('slow', T0 + second * 1000, 7);
    expect(buffer.read(['slow'], T0, T0 + 50_000).lines[0]?.avg).not.toContain(null);
  });

  test('stand before a series that appears later, and after one that ended', () => {
    const buffer = createBuffer(size);
    for (let step = 0; step < 10; step++) buffer.add('old', T0 + step * 5000, 1);
    buffer.add('new', T0 + 40_000, 2);
    buffer.add('new', T0 + 45_000, 2);
    const { lines } = buffer.read(['old', 'new', 'unknown'], T0, T0 + 45_000);
    expect(lines[1]?.avg).toEqual([null, null, null, null, null, null, null, null, 2, 2]);
    expect(lines[2]?.avg.every((value) => value === null)).toBe(true);
  });
});

test('a line that fell silent has no newest value', () => {
  const buffer = createBuffer({ stepMs: 1000, spanMs: 120_000 });
  buffer.add('gone', T0, 5);
  for (let second = 0; second < 60; second++) buffer.add('there', T0 + second * 1000, 1);
  expect([buffer.newest('gone'), buffer.newest('there')]).toEqual([undefined, 1]);
});

test('means, least and most of a step are those of its samples, in any order and over any window', () => {
  const sample = fc.record({ second: fc.integer({ min: 0, max: 59 }), value: fc.integer({ min: -1000, max: 1000 }) });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 80 }), (samples) => {
      const buffer = createBuffer(size);
      for (const { second, value } of samples) buffer.add('a', T0 + second * 1000, value);
      const { times, lines } = buffer.read(['a'], T0, T0 + 59_000);
      times.forEach((at, index) => {
        const own = samples.filter(({ second }) => Math.floor(second / 5) * 5000 === at - T0).map(({ value }) => value);
        const avg = lines[0]?.avg[index];
        if (own.length === 0) return expect(typeof avg).not.toBe('number');
        expect(avg).toBeCloseTo(own.reduce((sum, value) => sum + value, 0) / own.length, 6);
        expect([lines[0]?.min[index], lines[0]?.max[index]]).toEqual([Math.min(...own), Math.max(...own)]);
      });
    }),
  );
});
