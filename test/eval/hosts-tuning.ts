/**
 * How far the constants of the host's score hang on the machines that they are looked at with: leaves one machine out at a time, lets the others
 * choose among the neighbours of the constants, and scores the one that was left out by their choice. `npx tsx test/eval/hosts-tuning.ts FOLDER`.
 */
import { createHostScore } from '../../plugins/models/host-score.ts';
import { pastOf, type HostModel } from '../../plugins/models/host-model.ts';
import { learnLinearModel } from '../../plugins/models/linear.ts';
import { TUNING, type Tuning } from '../../plugins/models/tuning.ts';
import { figuresOf, readMachines, scoresBy, type HostFigures, type Machine } from './hosts.ts';

const CHOICES: readonly Partial<Tuning>[] = [
  {},
  { gateRows: 1 },
  { gateRows: 3 },
  { topMetrics: 4 },
  { topMetrics: 7 },
  { alertShare: 0.009 },
  { alertShare: 0.011 },
  { levelPart: 0.8 },
  { levelPart: 1 },
];

async function modelOf({ width, train, name }: Machine): Promise<HostModel> {
  const series = Array.from({ length: width }, (_, j) => ({ metric: `m${j}`, attributes: {}, kind: 'gauge' as const }));
  const rows = async function* () {
    for (let n = 0; n < train.length / width; n++)
      yield { timeMs: n * 60_000, values: Float64Array.from(train.subarray(n * width, (n + 1) * width)) };
    await Promise.resolve();
  };
  return learnLinearModel({ series, rows, version: name, createdMs: 0 });
}

/** What is wanted of a choice: segments found and area, as long as not more than one quiet row in a hundred alerts. */
function worth(all: readonly HostFigures[]): number {
  const mean = (of: (figures: HostFigures) => number): number =>
    all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return (
    mean(({ found, segments }) => found / segments) +
    mean(({ aucPr }) => aucPr) -
    100 * Math.max(0, mean((f) => f.falseShare) - 0.01)
  );
}

async function main(folder: string): Promise<void> {
  const machines = readMachines(folder);
  const figures: HostFigures[][] = [];
  for (const machine of machines) {
    const past = pastOf(await modelOf(machine));
    const row = CHOICES.map((choice) => {
      const before = { ...TUNING };
      Object.assign(TUNING, choice);
      const found = figuresOf(scoresBy(createHostScore(machine.width, past), machine), machine.labels, 0.5);
      Object.assign(TUNING, before);
      return found;
    });
    figures.push(row);
    process.stderr.write(`${machine.name} …\n`);
  }
  process.stdout.write('| left out | chosen by the others | AUC-PR | segments | false rows |\n|---|---|---|---|---|\n');
  machines.forEach(({ set, name }, out) => {
    const values = CHOICES.map((_, c) => worth(figures.filter((_row, n) => n !== out).map((row) => row[c]!)));
    const best = values.indexOf(Math.max(...values));
    const { aucPr, found, segments, falseShare } = figures[out]![best]!;
    const chosen = JSON.stringify(CHOICES[best]).replace('{}', 'as they are');
    const line = [
      `${set}/${name}`,
      chosen,
      aucPr.toFixed(3),
      `${found}/${segments}`,
      `${(100 * falseShare).toFixed(2)} %`,
    ];
    process.stdout.write(`| ${line.join(' | ')} |\n`);
  });
}

await main(process.argv[2] ?? '');
