import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { DetectionDocument, DETECTION_LIMIT, GREATEST_OFFSET, LEAST_OFFSET } from './detection.ts';

const series = (more: object = {}) => ({ metric: 'system.cpu.busy', attributes: { a: 'b' }, offset: 2, ...more });

test.each([
  ['nothing moved', { offset: 0, series: [] }],
  ['both ends', { offset: LEAST_OFFSET, series: [series({ offset: GREATEST_OFFSET })] }],
])('a document with %s is taken', (_what, document) => {
  expect(Value.Check(DetectionDocument, document)).toBe(true);
  expect(JSON.stringify(document).length).toBeLessThan(DETECTION_LIMIT);
});

test.each([
  ['a host made deaf', { offset: GREATEST_OFFSET + 1, series: [] }],
  ['a host that never rests', { offset: LEAST_OFFSET - 1, series: [] }],
  ['something else', { offset: 0, series: [], run: 'a program' }],
  ['too many series', { offset: 0, series: Array.from({ length: 201 }, () => series()) }],
  ['a series without a name', { offset: 0, series: [series({ metric: '' })] }],
  ['no number', { offset: NaN, series: [] }],
])('a document with %s is none', (_what, document) => {
  expect(Value.Check(DetectionDocument, document)).toBe(false);
});
