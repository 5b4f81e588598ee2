// Pictures of where the detectors do badly, for the READMEs of their rooms; drawn from the code as it is.
//   pictures.ts FOLDER    FOLDER has the unpacked sets nab and hosts
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createHostScore } from '../../agent/anomalies/host.ts';
import { WINDOW_TUNING, createWatch } from '../../agent/anomalies/watch.ts';
import { createDetector } from '../../agent/scoring/index.ts';
import { svgOf, type Figure } from './figure.ts';
import { modelScores, readMachines, segmentsOf } from './hosts.ts';
import { detect, readSeries } from './nab.ts';
import { createQuietHost, DAY, INSTALLED, START } from './quiet.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('Name the folder that the sets nab and hosts were unpacked into.\n');
  process.exit(2);
}
const ROOT = join(import.meta.dirname, '..', '..');

function draw(path: string, figure: Figure): void {
  const file = join(ROOT, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, svgOf(figure));
  process.stdout.write(`${path}\n`);
}

const alertsOf = (scores: ArrayLike<number>): number[] =>
  Array.from(scores).flatMap((score, n) => (score >= 0.5 ? [n] : []));

/** A series of NAB with what the detector of one metric said. */
function drawSeries(name: string, path: string, title: string): void {
  const series = readSeries(join(folder!, 'nab')).find((one) => one.name === name);
  if (series === undefined) throw new Error(`${folder} has no series ${name}.`);
  const scores = detect(series);
  const marks = alertsOf(scores);
  const panels = [
    { title: `${name}, alerts below`, values: series.values, marks },
    { title: 'score, an alert from 0.5 on', values: scores, level: 0.5 },
  ];
  draw(path, { title, panels, labelled: series.windows });
}

/** A machine of SMD with the score of all its metrics together. */
async function drawMachine(name: string, path: string, title: string): Promise<void> {
  const machine = readMachines(join(folder!, 'hosts')).find((one) => one.name === name);
  if (machine === undefined) throw new Error(`${folder} has no machine ${name}.`);
  const scores = await modelScores(machine);
  const panels = [
    { title: `${name}: score, an alert from 0.5 on`, values: scores, level: 0.5, marks: alertsOf(scores) },
  ];
  draw(path, { title, panels, labelled: segmentsOf(machine.labels) });
}

/** The last half hour of two simulated days, in which a process leaks 20 MB a second. */
function drawLeak(path: string): void {
  const [at, length] = [2 * DAY, 300];
  const host = createQuietHost(1, [{ kind: 'memory leak', at, length }]);
  const used = host.table.series.findIndex(({ name, attributes }) => name === 'system.memory.usage' && attributes['system.memory.state'] === 'used'); // prettier-ignore
  const watch = createWatch({ detector: createDetector(WINDOW_TUNING), known: new Map() });
  const score = createHostScore();
  const [memory, scores, begun]: [number[], number[], number] = [[], [], at - 900];
  for (let t = INSTALLED; t < at + 600; t++) {
    const values = host.at(t)!;
    const window = watch.look({ collector: 'quiet', timeMs: (START + t) * 1000, table: host.table, values });
    if (window === undefined) continue;
    const verdict = score.judge(window);
    if (t < begun) continue;
    memory.push(values[used]! / 1e9);
    scores.push(verdict.score);
  }
  const panels = [
    { title: 'memory in use, GB, a point each ten seconds', values: memory },
    {
      title: 'score of the host, an event from 0.5 on',
      values: scores,
      level: 0.5,
      marks: alertsOf(scores).slice(0, 1),
    },
  ];
  draw(path, { title: 'A leak is told after some windows', panels, labelled: [[90, 120]] });
}

drawSeries('realAWSCloudwatch/rds_cpu_utilization_cc0c53.csv', 'agent/scoring/pictures/second-event.svg', 'What follows a great event, and is smaller, is missed'); // prettier-ignore
drawSeries('realTweets/Twitter_volume_IBM.csv', 'agent/scoring/pictures/bursts.svg', 'A metric that is mostly near 0 alerts too often'); // prettier-ignore
await drawMachine('machine-2-1', 'plugins/models/pictures/machine-2-1.svg', 'Labelled rows that look like any other are not ranked first'); // prettier-ignore
drawLeak('agent/anomalies/pictures/leak.svg');
