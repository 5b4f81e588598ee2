/**
 * Scores the machines of SMD and ASD (data/hosts) as the agent would: a model of each machine's normal half, then its test half row by row,
 * alerts from 0.5 on, nothing fitted to the test half. `npx tsx test/eval/hosts.ts FOLDER [--linear] [--tune]`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainAutoencoder } from '../../plugins/models/autoencoder.ts';
import { createCovariance, normalise } from '../../plugins/models/components.ts';
import { pastOf } from '../../plugins/models/host-model.ts';
import { createHostScore, type HostScore } from '../../plugins/models/host-score.ts';
import { learnLinearModel } from '../../plugins/models/linear.ts';
import { createMoments } from '../../plugins/models/scales.ts';

/** One machine: rows of `width` metrics; a label for each row of the test half. */
export interface Machine {
  set: 'smd' | 'asd';
  name: string;
  width: number;
  train: Float32Array;
  test: Float32Array;
  labels: Uint8Array;
}

/** How well one way of scoring did on one machine, or on several. */
export interface HostFigures {
  aucPr: number;
  segments: number;
  found: number;
  /** Share of rows outside the segments that alerted at the causal threshold; NaN for a score that has none. */
  falseShare: number;
  /** Segments found at the threshold that gives one false row in a hundred, which only who knows the labels can choose. */
  foundOffLine: number;
}

/** What `evaluateHosts` gives for one set. */
export interface SetFigures {
  set: string;
  scores: Record<string, HostFigures>;
  machines: { name: string; scores: Record<string, HostFigures> }[];
}

export const ANCHORS = { smd: 0.571, asd: 0.257 } as const;

/** Reads the unpacked archive `hosts`. */
export function readMachines(folder: string): Machine[] {
  return (['smd', 'asd'] as const).flatMap((set) => {
    const text = readFileSync(join(folder, set, 'meta.json'), 'utf8');
    const meta = JSON.parse(text) as Record<string, { train: [number, number] }>;
    return Object.entries(meta).map(([name, { train }]) => {
      const floats = (part: string): Float32Array => {
        const bytes = readFileSync(join(folder, set, `${name}_${part}.f32`));
        return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      };
      const labels = new Uint8Array(readFileSync(join(folder, set, `${name}_test_label.u8`)));
      return { set, name, width: train[1], train: floats('train'), test: floats('test'), labels };
    });
  });
}

/** Area under the precision-recall curve, as average precision; equal scores are one step. */
export function averagePrecision(scores: Float64Array, labels: Uint8Array): number {
  const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  let [hits, area, before] = [0, 0, 0];
  for (let i = 0; i < order.length;) {
    const score = scores[order[i]!]!;
    for (; i < order.length && scores[order[i]!] === score; i++) hits += labels[order[i]!]!;
    area += (hits / positives - before) * (hits / i);
    before = hits / positives;
  }
  return area;
}

/** Runs of labelled rows: first row, and the one after the last. */
export function segmentsOf(labels: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] === 0) continue;
    const from = i;
    while (i < labels.length && labels[i] === 1) i++;
    found.push([from, i]);
  }
  return found;
}

export function figuresOf(scores: Float64Array, labels: Uint8Array, threshold: number | undefined): HostFigures {
  const segments = segmentsOf(labels);
  const foundAt = (from: number): number =>
    segments.filter(([a, b]) => scores.subarray(a, b).some((s) => s >= from)).length;
  const quiet = scores.filter((_, i) => labels[i] === 0).sort();
  const offLine = quiet[Math.max(0, quiet.length - 1 - Math.floor(quiet.length / 100))]!;
  return {
    aucPr: averagePrecision(scores, labels),
    segments: segments.length,
    found: threshold === undefined ? NaN : foundAt(threshold),
    falseShare: threshold === undefined ? NaN : quiet.filter((s) => s >= threshold).length / quiet.length,
    foundOffLine: foundAt(offLine + Math.abs(offLine) * 1e-9 + 1e-12),
  };
}

const rowAt = (values: Float32Array, width: number, n: number, row: Float64Array): Float64Array => {
  for (let j = 0; j < width; j++) row[j] = values[n * width + j]!;
  return row;
};

/** The anchor of the records: squared distance to the components that hold nine tenths of the variance. */
function anchorScores({ train, test, width }: Machine): Float64Array {
  const row = new Float64Array(width);
  const moments = createMoments(width);
  for (let n = 0; n < train.length / width; n++) moments.add(rowAt(train, width, n, row));
  const scales = moments.scales();
  const normal = new Float64Array(width);
  const covariance = createCovariance(width);
  for (let n = 0; n < train.length / width; n++) {
    normalise(rowAt(train, width, n, row), scales, normal);
    covariance.add(normal);
  }
  const components = covariance.components();
  return Float64Array.from({ length: test.length / width }, (_, n) => {
    for (let j = 0; j < width; j++) normal[j] = (test[n * width + j]! - scales.mean[j]!) / scales.scale[j]!;
    let square = normal.reduce((sum, value) => sum + value * value, 0);
    for (const component of components) square -= component.reduce((sum, value, j) => sum + value * normal[j]!, 0) ** 2;
    return square;
  });
}

export function scoresBy(score: HostScore, { train, test, width }: Machine): Float64Array {
  const row = new Float64Array(width);
  for (let n = 0; n < train.length / width; n++) score.push(rowAt(train, width, n, row));
  return Float64Array.from({ length: test.length / width }, (_, n) => score.push(rowAt(test, width, n, row)).score);
}

/** The rows of a machine's normal half, as a model learns them; a row is the same array each time. */
const normalRows = ({ train, width }: Machine) =>
  async function* () {
    const row = new Float64Array(width);
    for (let n = 0; n < train.length / width; n++) yield { timeMs: n * 60_000, values: rowAt(train, width, n, row) };
    await Promise.resolve();
  };

function learnOptions(machine: Machine) {
  const series = Array.from({ length: machine.width }, (_, j) => ({ metric: `m${j}`, attributes: {}, kind: 'gauge' as const })); // prettier-ignore
  return { series, rows: normalRows(machine), version: machine.name, createdMs: 0, seed: 7 };
}

/** Scores of a machine by the autoencoder of its normal half. */
export const modelScores = async (machine: Machine): Promise<Float64Array> =>
  scoresBy(createHostScore(machine.width, pastOf(await trainAutoencoder(learnOptions(machine)))), machine);

/** The ways of scoring: the anchor, no model, the closed form, the autoencoder. */
async function scoresOf(machine: Machine, withAutoencoder: boolean): Promise<Record<string, Float64Array>> {
  const { width } = machine;
  const options = learnOptions(machine);
  const found: Record<string, Float64Array> = {
    'PCA anchor': anchorScores(machine),
    'no model': scoresBy(createHostScore(width), machine),
    linear: scoresBy(createHostScore(width, pastOf(await learnLinearModel(options))), machine),
  };
  if (withAutoencoder) found['autoencoder'] = await modelScores(machine);
  return found;
}

/** Of several machines: areas are averaged over them, segments and rows counted together. */
function together(all: readonly HostFigures[], quietRows: readonly number[]): HostFigures {
  const sum = (key: keyof HostFigures): number => all.reduce((whole, figures) => whole + figures[key], 0);
  const quiet = quietRows.reduce((whole, rows) => whole + rows, 0);
  return {
    aucPr: sum('aucPr') / all.length,
    segments: sum('segments'),
    found: sum('found'),
    foundOffLine: sum('foundOffLine'),
    falseShare: all.reduce((whole, { falseShare }, n) => whole + falseShare * quietRows[n]!, 0) / quiet,
  };
}

/** Evaluates all machines of a folder; `onMachine` hears how far it is. */
export async function evaluateHosts(
  folder: string,
  { withAutoencoder = true, onMachine = (_name: string): void => undefined } = {},
): Promise<SetFigures[]> {
  const machines = readMachines(folder);
  const found: SetFigures[] = [];
  for (const set of ['smd', 'asd'] as const) {
    const figures: SetFigures = { set, scores: {}, machines: [] };
    const own = machines.filter((machine) => machine.set === set);
    for (const machine of own) {
      onMachine(`${set}/${machine.name}`);
      const scores = Object.entries(await scoresOf(machine, withAutoencoder)).map(([name, values]) => [
        name,
        figuresOf(values, machine.labels, name === 'PCA anchor' ? undefined : 0.5),
      ]);
      figures.machines.push({ name: machine.name, scores: Object.fromEntries(scores) as Record<string, HostFigures> });
    }
    const quietRows = own.map(({ labels }) => labels.reduce((sum, label) => sum + 1 - label, 0));
    for (const name of Object.keys(figures.machines[0]?.scores ?? {}))
      figures.scores[name] = together(
        figures.machines.map(({ scores }) => scores[name]!),
        quietRows,
      );
    found.push(figures);
  }
  return found;
}

/** One line of a table. */
export function figuresLine(name: string, { aucPr, segments, found, falseShare, foundOffLine }: HostFigures): string {
  const causal = Number.isNaN(found) ? '–' : `${found}/${segments} at ${(100 * falseShare).toFixed(2)} %`;
  return `| ${name} | ${aucPr.toFixed(3)} | ${causal} | ${foundOffLine}/${segments} |`;
}

const HEAD =
  '| score | AUC-PR | segments found at the realised share of false rows | at 1 %, off line |\n|---|---|---|---|';

/** Says which machine is judged. */
export const onMachine = (name: string): boolean => process.stderr.write(`${name} …\n`);

/** Tables of sets. */
export function describeHosts(sets: readonly SetFigures[]): string {
  const tables = sets.map(({ set, scores, machines }) =>
    [
      `${set}: ${machines.length} machines; AUC-PR of PCA over the public set ${ANCHORS[set as 'smd']}`,
      HEAD,
      ...Object.entries(scores).map(([name, figures]) => figuresLine(name, figures)),
    ].join('\n'),
  );
  return tables.join('\n\n');
}

async function main([folder, ...flags]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new Error('npx tsx test/eval/hosts.ts FOLDER [--linear] [--machines]');
  const sets = await evaluateHosts(folder, { withAutoencoder: !flags.includes('--linear'), onMachine });
  for (const { set, scores, machines } of sets) {
    process.stdout.write(
      `\n${set}: ${machines.length} machines; PCA over the public set ${ANCHORS[set as 'smd']}\n${HEAD}\n`,
    );
    for (const [name, figures] of Object.entries(scores)) process.stdout.write(`${figuresLine(name, figures)}\n`);
    if (!flags.includes('--machines')) continue;
    for (const machine of machines)
      for (const [name, figures] of Object.entries(machine.scores))
        process.stdout.write(`${figuresLine(`${machine.name}, ${name}`, figures)}\n`);
  }
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
