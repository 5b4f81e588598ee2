import { expect, test } from 'vitest';
import { scoreTemplates } from './log-metrics.ts';

test('scores groups of lines and texts of templates', () => {
  const labels = ['a <*>', 'a <*>', 'b', 'c <*>', 'c <*>', 'd'];
  const found = ['a  <*>', 'a  <*>', 'B', 'c 1', 'c <*>', 'd'];
  // Groups: a and B and d are right, c is torn in two. Texts: a (but for white space) and d.
  const { ga, fga, pa, fta, ...counts } = scoreTemplates(labels, found);
  expect(counts).toEqual({ labelled: 4, found: 5 });
  expect(ga).toBeCloseTo(4 / 6);
  expect(fga).toBeCloseTo((2 * 3) / 9);
  expect(pa).toBeCloseTo(4 / 6);
  expect(fta).toBeCloseTo((2 * 2) / 9);
});

test('nothing right is nought, not a division by it', () => {
  expect(scoreTemplates(['a', 'a'], ['x', 'y'])).toMatchObject({ ga: 0, fga: 0, pa: 0, fta: 0 });
});
