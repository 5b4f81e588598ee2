import { describe, expect, test } from 'vitest';
import { beside, figuresOf, stacked } from './drawn.ts';
import { csvOf } from './copy.ts';
import { createPalette } from './colors.ts';

const line = (avg: (number | null | undefined)[]) => ({ avg, min: avg, max: avg });

describe('areas on each other', () => {
  test('come with the sum of all first', () => {
    const drawn = stacked({ times: [1, 2], lines: [line([1, 2]), line([10, 20])] });
    expect(drawn.data).toEqual([
      [1, 2],
      [11, 22],
      [1, 2],
    ]);
    expect(drawn.most).toBe(22);
  });

  test('have a gap only where nothing is known of any line', () => {
    const drawn = stacked({ times: [1, 2, 3], lines: [line([1, null, undefined]), line([null, null, undefined])] });
    expect(drawn.data[1]).toEqual([1, null, undefined]);
  });
});

test('lines with bands are followed by their most and least', () => {
  const columns = { times: [1], lines: [{ avg: [2], min: [1], max: [9] }] };
  expect(beside(columns, true)).toEqual({ data: [[1], [2], [9], [1]], low: 1, most: 9 });
  expect(beside(columns, false).most).toBe(2);
});

test('figures of a line leave its gaps out', () => {
  expect(figuresOf(line([1, null, undefined, 3]))).toEqual({ min: 1, avg: 2, max: 3 });
  expect(figuresOf(line([null])).avg).toBeUndefined();
});

test('a copy as CSV has empty fields for gaps and quotes what needs it', () => {
  const csv = csvOf([{ key: 'a', label: 'used, "real"' }], { times: [0, 1000], lines: [line([1, null])] });
  expect(csv.split('\n')).toEqual([
    'time,"used, ""real"" avg","used, ""real"" min","used, ""real"" max"',
    '1970-01-01T00:00:00.000Z,1,1,1',
    '1970-01-01T00:00:01.000Z,,,',
  ]);
});

describe('a line’s colour', () => {
  test('stays its own whatever comes and goes, and differs from its neighbours’', () => {
    const palette = createPalette();
    const first = palette.assign('c', ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(new Set(first).size).toBe(7);
    expect(palette.assign('c', ['x', 'c', 'a'])[2]).toBe(first[0]);
  });

  test('is the same in every chart, unless two of one chart would share it', () => {
    const palette = createPalette();
    const names = Array.from({ length: 40 }, (_, index) => `program ${index}`);
    const alone = names.map((name) => palette.assign(name, [name])[0]);
    expect(palette.assign('cpu', [names[3] ?? ''])).toEqual([alone[3]]);
    const twin = alone.indexOf(alone[0], 1);
    const pair = [names[0] ?? '', names[twin] ?? ''];
    const shown = palette.assign('memory', pair);
    expect(shown[0]).toBe(alone[0]);
    expect(shown[1]).not.toBe(alone[0]);
    expect(palette.assign('memory', pair)).toEqual(shown);
    expect(palette.assign('memory', pair.toReversed())).toEqual(shown.toReversed());
  });

  test('does not depend on the order of arrival when nothing is in its way', () => {
    expect(createPalette().assign('c', ['node'])).toEqual(createPalette().assign('c', ['node']));
  });
});
