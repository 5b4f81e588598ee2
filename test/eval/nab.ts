import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { timeOf } from '../../agent/commands/time-text.ts';
import { createDetector } from '../../agent/scoring/index.ts';
import { bestThreshold, nabScore, PROFILES, type NabScore, type Profile, type ScoredSeries } from './nab-score.ts';

/** Published figures of all 58 series at each profile's own best threshold, and what must be. */
const RECORDS = [
  'ARTime (sees the range and length of the file)   standard 74.9  low FP 65.2  low FN 80.4   0.61 false/1,000',
  'Numenta HTM (sees the range)                     standard 70.1  low FP 63.1  low FN 74.3   0.44',
  'contextOSE (sees the range)                      standard 69.9  low FP 67.0  low FN 73.2   0.19',
  'best cheap causal one, threshold frozen, unseen  standard 66.1',
  'must be, causal, threshold frozen beforehand     standard 68.0                             0.35',
];

/** A series of the benchmark: its category and file, texts of time, values, windows. */
export interface Series {
  name: string;
  times: string[];
  values: number[];
  windows: [number, number][];
}

const plain = (time: string): string => time.split('.')[0]!.trim();

export function readSeries(folder: string): Series[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  return Object.keys(labels).sort().map((name) => {
    const rows = parse(readFileSync(join(folder, 'data', name)), { from: 2 });
    const times = rows.map(([time]) => plain(time!));
    const windows = labels[name]!.map(([from, to]): [number, number] => [times.indexOf(plain(from)), times.indexOf(plain(to))]);
    return { name, times, values: rows.map(([, value]) => Number(value)), windows };
  }); // prettier-ignore
}

/** Scores of one series by the agent's detector as it is set. */
export function detect({ times, values }: Series): Float64Array {
  const detector = createDetector();
  const place = detector.add('gauge');
  return Float64Array.from(values, (value, n) => detector.push(place, timeOf(times[n]!), value).score);
}

/** Scores of another detector, from `results/NAME/<category>/NAME_<file>.csv`. */
function readResults(folder: string, detector: string, name: string): Float64Array {
  const [category, file] = name.split('/');
  const rows = readFileSync(join(folder, 'results', detector, category!, `${detector}_${file}`), 'utf8').split(/\r?\n/);
  const column = rows[0]!.split(',').indexOf('anomaly_score');
  return Float64Array.from(rows.slice(1).filter((row) => row !== ''), (row) => Number(row.split(',')[column])); // prettier-ignore
}

function writeResults(out: string, { name, times }: Series, scores: Float64Array): void {
  const [category, file] = name.split('/');
  const path = join(out, 'results', 'outrider', category!, `outrider_${file}`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `timestamp,anomaly_score\n${times.map((time, n) => `${time},${scores[n]}\n`).join('')}`);
}

function row(name: string, series: readonly ScoredSeries[], thresholdOf: (profile: Profile) => number): string {
  const profiles = Object.keys(PROFILES) as Profile[];
  const found = profiles.map((profile) => nabScore(series, thresholdOf(profile), profile));
  const { hit, windows, falseEpisodes, falsePer1000 } = found[0]!;
  const figures = found.map(({ score }) => score.toFixed(4).padStart(9)).join('');
  return `${name.padEnd(44)}${figures}  ${hit}/${windows} windows, ${falseEpisodes} false episodes, ${falsePer1000.toFixed(2)} per 1,000`;
}

/** Judges the series of a folder by the agent's detector; `out` gets its scores in NAB's layout. */
export function judgeNab(folder: string, out: string | undefined): (Series & ScoredSeries)[] {
  const ours = readSeries(folder).map((one): Series & ScoredSeries => ({ ...one, scores: detect(one) }));
  if (out !== undefined) for (const one of ours) writeResults(out, one, one.scores as Float64Array);
  return ours;
}

/** The threshold of the detector's score. */
const FROZEN = 0.5;

/** How the detector did, by NAB's standard profile. */
export const nabFigures = (ours: readonly ScoredSeries[]): NabScore => nabScore(ours, FROZEN, 'standard');

/** What the agent's detector found on the series of a folder, beside the results of others that lie there. */
export function describeNab(folder: string, ours: readonly (Series & ScoredSeries)[]): string {
  const categories = [...new Set(ours.map(({ name }) => name.split('/')[0]!))];
  const results = join(folder, 'results');
  const others = existsSync(results) ? readdirSync(results).sort() : [];
  const frozen = (): number => FROZEN;
  return [
    `Numenta Anomaly Benchmark: ${ours.length} series, ${ours.reduce((sum, { values }) => sum + values.length, 0)} samples`,
    `${''.padEnd(44)} standard   low FP   low FN`,
    row('this detector, causal, at its frozen 0.5', ours, frozen),
    row('  the same, at the best threshold here', ours, (profile) => bestThreshold(ours, profile)),
    ...categories.map((category) => row(`  ${category}`, ours.filter(({ name }) => name.startsWith(`${category}/`)), frozen)),
    ...others.map((detector) => {
      const theirs = ours.map((one) => ({ ...one, scores: readResults(folder, detector, one.name) }));
      return row(`${detector}, at the best threshold here`, theirs, (profile) => bestThreshold(theirs, profile));
    }),
    ...RECORDS.map((record) => `  published: ${record}`),
  ].map((line) => `${line}\n`).join(''); // prettier-ignore
}
