import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buildTrainingProgram } from '#kit/training-program.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '#sdk';
import { scoreFile, type ScoreGiven } from './score.ts';
import { timeOf } from './time-text.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-score-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Scores a text given on standard input; answers what came out. */
async function score(text: string, given: Partial<ScoreGiven> = {}): Promise<string> {
  const output = new PassThrough();
  let out = '';
  output.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const fixed = { path: '-', out: undefined, json: false, counters: [], progress: undefined, clock: systemClock };
  await scoreFile({ ...fixed, input: Readable.from([Buffer.from(text)]), output, ...given });
  return out;
}
const minutes = (n: number): string => new Date(n * 60_000).toISOString();
const jumping = Array.from({ length: 900 }, (_, n) => `${minutes(n)},${n < 800 ? (n * 7) % 11 : 400 + (n % 3)}`);

test('a series gets a score a row, in order, and a jump gets one above a half', async () => {
  const rows = (await score(`timestamp,value\n${jumping.join('\n')}\n`)).trimEnd().split('\n');
  expect(rows[0]).toBe('timestamp,anomaly_score');
  expect(rows.length).toBe(901);
  expect(rows.slice(1).map((row) => row.split(',')[0])).toEqual(jumping.map((row) => row.split(',')[0]));
  const scores = rows.slice(1).map((row) => Number(row.split(',')[1]));
  expect(Math.max(...scores.slice(0, 800))).toBeLessThan(0.5);
  expect(Math.max(...scores.slice(800))).toBeGreaterThan(0.5);
});

test('each column of a wide table has a score of its own, as if it were alone', async () => {
  const wide = jumping.map((row, n) => `${row},${n % 5},`).join('\r\n');
  const both = (await score(`\uFEFFtime,a,"b, c",d\r\n${wide}`)).trimEnd().split('\n');
  const alone = (await score(`  \n${jumping.join('\n\t \n\n')}`)).trimEnd().split('\n');
  expect(both[0]).toBe('timestamp,a,"b, c",d');
  expect(both.slice(1).map((row) => row.split(',').slice(0, 2).join(','))).toEqual(alone.slice(1));
  expect(both.at(-1)?.split(',')[3]).toBe('0');
});

test('with --json a sample says what was found, and a counter is judged by its rate', async () => {
  const rows = Array.from(
    { length: 700 },
    (_, n) => `${1_700_000_000 + n},${n * 100 + (n > 600 ? (n - 600) * 9000 : 0)}`,
  );
  const lines = (await score(`t,sent\n${rows.join('\n')}`, { json: true, counters: ['sent'] })).trimEnd().split('\n');
  const found = lines.map((line) => JSON.parse(line) as { score: number; direction: number; metric: string });
  expect(found[10]).toMatchObject({ metric: 'sent', score: 0, learning: true, channel: null });
  expect(found.find((one) => one.score >= 0.5)).toMatchObject({ direction: 1 });
});

test.each([false, true])(
  'rows that go back in time are told of, and columns of one name refused (wide: %s)',
  async (wide) => {
    const notes: string[] = [];
    const note = (text: string): number => notes.push(text);
    await score(`t,a\n${jumping.slice(0, 9).join('\n')}\n`, { wide, note });
    expect(notes).toEqual([]);
    await score(`t,a\n${jumping.slice(0, 9).reverse().join('\n')}\n${jumping[8]}\n`, { wide, note });
    expect(notes.join('')).toMatch(/^standard input: 8 rows go back in time, the first on line 3; sort it/);
    await expect(score(`t,a,a\n${minutes(1)},1,2\n`, { wide })).rejects.toThrow('standard input has two columns "a"');
    if (wide) await expect(score('t,a\n', { wide })).rejects.toThrow('standard input has no rows');
  },
);

test('what cannot be read is said with its line, and leaves no file behind', async () => {
  const out = join(folder, 'scores.csv');
  const cases: [string, RegExp][] = [
    ['', /is empty/],
    ['t,v\n1,x', /Line 2, column v: "x" is no number/],
    ['t,v\n1,2\nsoon,3', /Line 3: "soon" is no time/],
    ['t,v\n1,2\n2,3,4', /Line 3 of standard input has 3 fields, not 2/],
    ['t\n1', /two columns at least/],
    ['t,v\n1,"2', /a quote that does not end/],
    [`t,${'v,'.repeat(10_001)}\n`, /10000 are the most/],
    ['x'.repeat(1_100_000), /longer than 1000000 characters/],
    ['t,v\n\0', /zero byte/],
  ];
  for (const [text, fault] of cases) await expect(score(text, { out })).rejects.toThrow(fault);
  await expect(score('t,v\n1,2', { counters: ['w'] })).rejects.toThrow(/no column w; there are v/);
  await expect(score('', { path: join(folder, 'none.csv') })).rejects.toThrow(/cannot be read/);
  expect(readdirSync(folder)).toEqual([]);
});

test('a named output is written whole, and never over the file that is read', async () => {
  const [from, out] = [join(folder, 'in.csv'), join(folder, 'out.csv')];
  writeFileSync(from, jumping.join('\n'));
  expect(await score('', { path: from, out })).toBe('');
  expect(readFileSync(out, 'utf8').split('\n').length).toBe(902);
  await expect(score('', { path: from, out: from })).rejects.toThrow(/is the file that is read/);
  await expect(score('1,2', { out: join(folder, 'no/out.csv') })).rejects.toThrow(/cannot be written/);
  expect(existsSync(from)).toBe(true);
});

test('times are read in the forms that people write', () => {
  const at = Date.UTC(2026, 4, 1, 12, 0, 30);
  for (const text of [
    '2026-05-01 12:00:30',
    '2026-05-01T12:00:30Z',
    '2026-05-01T14:00:30+02:00',
    `${at / 1000}`,
    `${at}`,
    `${at}000000`,
  ])
    expect(timeOf(text)).toBe(at);
  expect(timeOf('2026-05-01T12:00:30.25Z')).toBe(at + 250);
  for (const text of ['', 'x', '2026-02-30', '2026-13-01', '2026-01-01T25:00', '-5', '1e5'])
    expect(timeOf(text)).toBeNaN();
});

/** A host's table: three metrics that go together and a counter. */
function hostTable(from: number, rows: number, lift = 0): string {
  const lines = Array.from({ length: rows }, (_, n) => {
    const t = from + n;
    const load = 10 + 3 * Math.sin(t / 40) + Math.sin(t * 12.9898) * Math.cos(t * 78.233);
    return `${minutes(t)},${load},${2 * load + Math.cos(t * 3.7)},${5 + Math.sin(t * 5.1) + (n >= rows - 20 ? lift : 0)},${t * 600}`;
  });
  return ['time,cpu,net,disk,sent', ...lines].join('\n');
}

test('with --wide a row has one score, from all columns and a normal past', async () => {
  const train = join(folder, 'past.csv');
  writeFileSync(train, hostTable(0, 1500));
  const given = { wide: true, train, counters: ['sent'] };
  const rows = (await score(hostTable(1500, 300, 60), given)).trimEnd().split('\n');
  expect(rows[0]).toBe('timestamp,anomaly_score');
  expect(rows).toHaveLength(301);
  const scores = rows.slice(1).map((row) => Number(row.split(',')[1]));
  expect(scores.slice(0, 280).filter((one) => one >= 0.5).length).toBeLessThan(15);
  expect(scores[280]).toBeGreaterThanOrEqual(0.5);
  const json = (await score(hostTable(1500, 300, 60), { ...given, json: true })).trimEnd().split('\n');
  const first = JSON.parse(json[280] ?? '') as { score: number; causes: { metric: string }[] };
  expect(first.causes[0]).toMatchObject({ metric: 'disk' });
});

test('a network learns the normal past in a process of its own; where it cannot, that is said, and components judge', async () => {
  const train = join(folder, 'past.csv');
  writeFileSync(train, hostTable(0, 400));
  const program = await buildTrainingProgram(folder);
  const notes: string[] = [];
  const given = { wide: true, train, counters: ['sent'], note: (text: string) => void notes.push(text) };
  const linear = await score(hostTable(400, 100, 60), given);
  const network = await score(hostTable(400, 100, 60), { ...given, training: [program] });
  expect(network).not.toBe(linear);
  expect(network.trimEnd().split('\n')).toHaveLength(101);
  expect(Number(network.trimEnd().split('\n')[81]?.split(',')[1])).toBeGreaterThanOrEqual(0.5);
  expect(notes).toEqual([]);
  expect(await score(hostTable(400, 100, 60), { ...given, training: [join(folder, 'none.mjs')] })).toBe(linear);
  expect(notes.join()).toMatch(/^no network could be trained \(.*\); a linear model judges instead\n$/);
}, 60_000);

test('a past of other columns is refused, and so is a column that is not there', async () => {
  const train = join(folder, 'past.csv');
  writeFileSync(train, 'time,cpu\n0,1\n');
  await expect(score(hostTable(0, 5), { wide: true, train })).rejects.toThrow('has other columns');
  await expect(score(hostTable(0, 5), { wide: true, counters: ['no'] })).rejects.toThrow('There is no column no');
  await expect(score('time\n0\n', { wide: true })).rejects.toThrow('0 metrics');
});
