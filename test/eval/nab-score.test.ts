import { expect, test } from 'vitest';
import { bestThreshold, nabScore, unscored } from './nab-score.ts';

const samples = 1000;
const alertsAt = (...at: number[]): Float64Array =>
  Float64Array.from({ length: samples }, (_, n) => (at.includes(n) ? 1 : 0));
const windows = [[400, 499]] as const;

test('a window that is found at once is worth all, silence nothing, and the first samples do not count', () => {
  expect(nabScore([{ scores: alertsAt(400), windows }], 0.5).score).toBeCloseTo(100, 2);
  expect(nabScore([{ scores: alertsAt(450, 480), windows }], 0.5).score).toBeCloseTo(92.97, 1);
  expect(nabScore([{ scores: alertsAt(), windows }], 0.5)).toMatchObject({ score: 0, hit: 0, falseEpisodes: 0 });
  expect(unscored(samples)).toBe(150);
  expect(nabScore([{ scores: alertsAt(149), windows }], 0.5).score).toBe(0);
});

test('false alerts cost more far from a window, and those close together are one episode', () => {
  const far = nabScore([{ scores: alertsAt(200, 400), windows }], 0.5);
  const near = nabScore([{ scores: alertsAt(400, 505), windows }], 0.5);
  expect(far.score).toBeCloseTo(94.5, 1);
  expect(near.score).toBeGreaterThan(far.score);
  expect(nabScore([{ scores: alertsAt(200, 212, 225), windows }], 0.5).falseEpisodes).toBe(2);
});

test('the best threshold leaves out what only costs', () => {
  const scores = Float64Array.from({ length: samples }, (_, n) => (n === 400 ? 0.9 : n % 50 === 0 ? 0.4 : 0));
  expect(bestThreshold([{ scores, windows }], 'standard')).toBe(0.9);
});
