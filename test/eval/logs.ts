import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { pathToFileURL } from 'node:url';
import { createMiner, plainTextOf, rootOf } from '../../agent/templates/index.ts';
import { scoreTemplates, type LogMetrics } from './log-metrics.ts';

/**
 * Runs the agent's miner, as it is set by default, over systems of Loghub-2k in one streaming pass each: in the order of the file and shuffled.
 * usage: logs.ts FOLDER, where FOLDER or its folder `loghub` has a folder for each system
 */

/** How far shuffled lines may be off those in order. */
const SEEDS = [1, 2, 3];

/** Published figures on Loghub-2k, and where from; all but the last use patterns of their own for each system. */
const RECORDS = [
  'Brain (patterns per system), 16 systems   GA .983 FGA .936 PA .264 FTA .327; corrected labels .984 .931 .322 .340',
  'Drain (patterns per system), 14 systems   GA .85  FGA .74  PA .32  FTA .28',
  'ByteBrain-LogParser (SIGMOD 2025)         GA .98 on loghub',
  'must be, one configuration, corrected     GA .950 FGA .900 PA .500 FTA .450, shuffled within .010',
];

/** What was measured of one system against one set of labels. */
export interface LogResult {
  system: string;
  labels: 'raw' | 'corrected';
  inOrder: LogMetrics;
  /** The largest difference of any metric between a shuffled order and that of the file. */
  shuffledOff: number;
}

function columnOf(file: string, column: string): string[] {
  const rows = parse<Record<string, string>>(readFileSync(file), { bom: true, columns: true });
  return rows.map((row) => row[column] ?? '');
}

/** The templates of lines that come in an order, in the order of the lines. */
function mine(lines: readonly string[], order: readonly number[]): string[] {
  const miner = createMiner();
  const taken = new Map(
    order.map((at) => {
      const bytes = Buffer.from(lines[at] ?? '');
      return [at, miner.take(bytes, 0, bytes.length)] as const;
    }),
  );
  miner.settle();
  return lines.map((_line, at) => {
    const template = taken.get(at);
    return template === undefined ? '' : plainTextOf(rootOf(template));
  });
}

/** The numbers below `count` in an order that the seed decides. */
function shuffled(count: number, seed: number): number[] {
  let state = seed * 7919;
  const random = (): number => {
    state = Math.imul(state ^ (state >>> 15), state | 1);
    state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
    return ((state ^ (state >>> 14)) >>> 0) / 2 ** 32;
  };
  const order = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
  }
  return order;
}

const METRICS = ['ga', 'fga', 'pa', 'fta'] as const;

function measure(system: string, folder: string): LogResult[] {
  const file = (end: string): string => join(folder, system, `${system}_2k.log_structured${end}.csv`);
  const lines = columnOf(file(''), 'Content');
  const found = mine(
    lines,
    lines.map((_line, at) => at),
  );
  const others = SEEDS.map((seed) => mine(lines, shuffled(lines.length, seed)));
  return (['raw', 'corrected'] as const)
    .filter((labels) => labels === 'raw' || existsSync(file('_corrected')))
    .map((labels) => {
      const truth = columnOf(file(labels === 'raw' ? '' : '_corrected'), 'EventTemplate');
      const inOrder = scoreTemplates(truth, found);
      const off = others.flatMap((other) => {
        const scored = scoreTemplates(truth, other);
        return METRICS.map((metric) => Math.abs(scored[metric] - inOrder[metric]));
      });
      return { system, labels, inOrder, shuffledOff: Math.max(...off) };
    });
}

const average = (results: readonly LogResult[], of: (result: LogResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;

function line(name: string, values: readonly number[], counts = ''): string {
  return `${name.padEnd(14)}${values.map((value) => value.toFixed(4).padStart(8)).join('')}${counts}`;
}

/** Corrected labels where a system has any. */
const best = (results: readonly LogResult[]): LogResult[] =>
  results.filter(
    ({ labels, system }) =>
      labels === 'corrected' || !results.some((other) => other.system === system && other.labels === 'corrected'),
  );

/** Averages over all systems, with the labels that count; `off`: what a shuffled order changed at most. */
export function averages(results: readonly LogResult[]): Record<(typeof METRICS)[number] | 'off', number> {
  const of = best(results);
  const means = METRICS.map((metric) => [metric, average(of, ({ inOrder }) => inOrder[metric])] as const);
  const off = Math.max(...of.map(({ shuffledOff }) => shuffledOff));
  return { ...(Object.fromEntries(means) as Record<(typeof METRICS)[number], number>), off };
}

/** The table of what was measured: the systems, their average (corrected labels where there are any), and the records. */
export function describeLogs(results: readonly LogResult[]): string {
  const rows: string[] = [];
  for (const labels of ['raw', 'corrected'] as const) {
    const of = results.filter((result) => result.labels === labels);
    if (of.length === 0) continue;
    rows.push(`${`${labels} labels`.padEnd(14)}      GA     FGA      PA     FTA     off   templates (labelled)`);
    for (const { system, inOrder, shuffledOff } of of) {
      const values = [...METRICS.map((metric) => inOrder[metric]), shuffledOff];
      rows.push(line(system, values, `   ${inOrder.found} (${inOrder.labelled})`));
    }
    rows.push(averageLine('average', of), '');
  }
  rows.push(averageLine('counts', best(results)), ...RECORDS.map((record) => `  ${record}`), '');
  return rows.join('\n');
}

const averageLine = (name: string, results: readonly LogResult[]): string =>
  line(name, [
    ...METRICS.map((metric) => average(results, ({ inOrder }) => inOrder[metric])),
    Math.max(...results.map(({ shuffledOff }) => shuffledOff)),
  ]);

/** Measures every system in a folder; none where there is no such folder. */
export function evaluateLogs(folder: string): LogResult[] {
  const root = existsSync(join(folder, 'loghub')) ? join(folder, 'loghub') : folder;
  return readdirSync(root)
    .filter((name) => existsSync(join(root, name, `${name}_2k.log_structured.csv`)))
    .sort()
    .flatMap((system) => measure(system, root));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  process.stdout.write(describeLogs(evaluateLogs(process.argv[2] ?? '.')));
