import { expect, test } from 'vitest';
import { pastOf, readHostModel } from './host-model.ts';
import { createHostScore } from './host-score.ts';
import { learnLinearModel } from './linear.ts';
import { openMatrixScore } from './matrix.ts';
import { trainAutoencoder } from './autoencoder.ts';
import type { LearnOptions } from './linear.ts';
import { createNormal, createRandom } from './random.ts';

/** A host of six metrics that follow two hidden loads, and one that never moves. */
function host(seed: number, rows: number, disturb?: (row: Float64Array, n: number) => void): Float64Array[] {
  const noise = createNormal(createRandom(seed));
  let [a, b] = [0, 0];
  return Array.from({ length: rows }, (_, n) => {
    a = 0.9 * a + noise();
    b = 0.95 * b + noise();
    const row = Float64Array.from([50 + a, 2 * a + 0.1 * noise(), b, 1000 - 10 * b, a + b, 0.2 * noise(), 7]);
    disturb?.(row, n);
    return row;
  });
}

const series = Array.from({ length: 7 }, (_, n) => ({ metric: `m${n}`, attributes: {}, kind: 'gauge' as const }));
const source = (rows: readonly Float64Array[]) =>
  async function* () {
    for (const [n, values] of rows.entries()) yield await Promise.resolve({ timeMs: n * 10_000, values });
  };
const learned = () => learnLinearModel({ series, rows: source(host(1, 3000)), version: 'v1', createdMs: 5 });

test('a break of what belongs together is an alert, and names the metric that broke it', async () => {
  const score = createHostScore(7, pastOf(await learned()));
  for (const row of host(2, 500)) score.push(row);
  const [row] = host(2, 1);
  row![4] = 60;
  const verdict = { ...score.push(row!) };
  expect(verdict.score).toBeGreaterThanOrEqual(0.5);
  expect(verdict.learning).toBe(false);
  const causes = score.causes(3);
  expect(causes).toHaveLength(3);
  expect(causes[0]).toMatchObject({ metric: 4, direction: 'up' });
  expect(score.causes(7).reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
});

test.each([
  ['with a model', true],
  ['without one, once it has learned', false],
])('a quiet host alerts in about one row of a hundred %s', async (_what, hasModel) => {
  const score = createHostScore(7, hasModel ? pastOf(await learned()) : undefined);
  let alerts = 0;
  for (const row of host(3, 6000)) if (score.push(row).score >= 0.5) alerts += 1;
  expect(alerts / 6000).toBeLessThan(0.02);
  expect(alerts).toBeGreaterThan(6);
});

test('a state that stays is told for a while, stays known as high, and then is the new usual', async () => {
  const score = createHostScore(7, pastOf(await learned()));
  const rows = host(4, 9000, (row, n) => {
    if (n >= 500) row[4] = row[4]! + 15;
  });
  const found = rows.map((row) => ({ ...score.push(row) }));
  const alerted = found.filter(({ score: value }) => value >= 0.75).length;
  expect(alerted).toBeGreaterThan(100);
  expect(alerted).toBeLessThan(500);
  expect(found[1200]!.isHigh).toBe(true);
  expect(found.slice(-1000).filter(({ isHigh }) => isHigh).length).toBeLessThan(200);
});

test('a metric that never moved is strange when it first does, and missing samples are not', async () => {
  const score = createHostScore(7, pastOf(await learned()));
  for (const row of host(5, 300)) score.push(row);
  const gone = host(5, 350)
    .slice(300)
    .map((row) => row.fill(NaN, 2, 3));
  expect(gone.filter((row) => score.push(row).score >= 0.5).length).toBeLessThan(4);
  const [row] = host(5, 1);
  row![6] = 8;
  expect(score.push(row!).score).toBeGreaterThanOrEqual(0.5);
  expect(score.causes(1)[0]).toMatchObject({ metric: 6, direction: 'up', expected: 7 });
});

test('the score of a row hangs on no later row', async () => {
  const model = await learned();
  const run = (rows: readonly Float64Array[]): number[] => {
    const score = createHostScore(7, pastOf(model));
    return rows.map((row) => score.push(row).score);
  };
  const rows = host(6, 1000);
  expect(run(rows.slice(0, 400))).toEqual(run(rows).slice(0, 400));
});

test.each([true, false])('what was learned survives a restart (with a model: %s)', async (hasModel) => {
  const past = hasModel ? pastOf(await learned()) : undefined;
  const rows = host(7, 1500);
  const whole = createHostScore(7, past);
  const first = createHostScore(7, past);
  for (const row of rows.slice(0, 1000)) {
    whole.push(row);
    first.push(row);
  }
  const state: unknown = JSON.parse(JSON.stringify(first.save()));
  const second = createHostScore(7, past, state as never);
  for (const row of rows.slice(1000)) expect(second.push(row).score).toBeCloseTo(whole.push(row).score, 9);
  expect(createHostScore(6, undefined, state as never).save()).toBeUndefined();
});

test('a model is read back as it was made, and refused once a bit of it has changed', async () => {
  const { document } = await learned();
  const text = JSON.stringify(document);
  expect(readHostModel(text).needsTensorFlow).toEqual([]);
  expect(document.window).toEqual({ fromMs: 0, toMs: 29_990_000, rows: 3000 });
  expect(() => readHostModel(text.replace('"m1"', '"mx"'))).toThrowError(/digest/);
  expect(() => readHostModel(`${text} `.padEnd(600_000))).toThrowError(/longer/);
  expect(() => readHostModel('{')).toThrowError(/not JSON/);
  expect(() => readHostModel('{}')).toThrowError(/schema/);
});

test('a matrix is scored with a normal past and without one', async () => {
  const columns = series.map(({ metric }) => metric);
  for (const learn of [(options: LearnOptions) => trainAutoencoder({ ...options, seed: 1 }), learnLinearModel]) {
    const score = await openMatrixScore({ columns, train: source(host(8, 600)), nowMs: 5, learn });
    expect(score.push(host(9, 1)[0]!).learning).toBe(false);
    const [row] = host(9, 1);
    row![4] = 60;
    expect(score.push(row!).score).toBeGreaterThanOrEqual(0.5);
  }
  const alone = await openMatrixScore({ columns, nowMs: 5 });
  expect(alone.push(host(9, 1)[0]!)).toMatchObject({ learning: true, score: 0 });
  await expect(openMatrixScore({ columns, train: source(host(8, 50)), nowMs: 5 })).rejects.toThrowError(/50 rows/);
});
