import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { Problem, reasonOf } from '#sdk';
import {
  learnInProcess,
  learnLinearModel,
  openMatrixScore,
  type HostVerdict,
  type MatrixOptions,
  type MatrixScore,
} from '../../plugins/models/index.ts';
import { problems } from '../errors.ts';
import { csvRows, isBlank } from './csv.ts';
import { createProgressLine } from './progress-line.ts';
import { createOrder, demandNames, demandWidth, namesOf, short, timeIn, valueOf } from './sample-table.ts';
import type { ScoreGiven, ScoreSummary } from './score.ts';

/** Metrics that are judged together. */
const MOST_METRICS = 2000;
/** Causes that a row of JSON names. */
const CAUSES = 5;

/** One row of a host's table; the values are the same array each time. */
interface HostRow {
  line: number;
  names: readonly string[];
  timestamp: string;
  timeMs: number;
  /** NaN: no sample. Counters as rates a second. */
  values: Float64Array;
}

/** Turns counters into rates, in place. */
function createRates(isCounter: readonly boolean[]): (timeMs: number, values: Float64Array) => void {
  const before = new Float64Array(isCounter.length).fill(NaN);
  let beforeMs = NaN;
  return (timeMs, values) => {
    isCounter.forEach((counts, n) => {
      if (!counts) return;
      const value = values[n]!;
      const grown = value - before[n]!;
      values[n] = grown >= 0 && timeMs > beforeMs ? (1000 * grown) / (timeMs - beforeMs) : NaN;
      before[n] = value;
    });
    beforeMs = timeMs;
  };
}

/** The rows of a table. */
async function* hostRows(chunks: Readable, name: string, counters: readonly string[]): AsyncGenerator<HostRow> {
  let names: string[] | undefined;
  let values = new Float64Array(0);
  let rate: ReturnType<typeof createRates> | undefined;
  for await (const row of csvRows(chunks, name)) {
    if (isBlank(row)) continue;
    if (names === undefined) {
      const found = namesOf(row);
      names = found.names.slice(1);
      demandNames(found.names, name);
      if (names.length === 0 || names.length > MOST_METRICS)
        throw problems.badTable(`${name} has ${names.length} metrics; first comes the time, then 1 to ${MOST_METRICS} columns, one for each.`); // prettier-ignore
      const known = names;
      const unknown = counters.filter((column) => !known.includes(column));
      if (unknown.length > 0) throw problems.badTable(`There is no column ${unknown.join(', ')} in ${name}.`);
      values = new Float64Array(names.length);
      rate = createRates(names.map((column) => counters.includes(column)));
      if (found.isHeader) continue;
    }
    demandWidth(row, names.length + 1, name);
    const time = timeIn(row);
    for (let n = 0; n < names.length; n++) values[n] = valueOf(row.fields[n + 1]!, row, names[n]!);
    rate?.(time.timeMs, values);
    yield { line: row.line, names, ...time, values };
  }
}

function asJson(
  { timestamp, names }: HostRow,
  { score, surprise, channel, learning }: HostVerdict,
  matrix: MatrixScore,
): string {
  const found = score >= 0.5 ? matrix.causes(CAUSES) : [];
  const causes = found.map((cause) => ({ ...cause, metric: names[cause.metric] }));
  return `${JSON.stringify({ timestamp, score, surprise, channel: learning ? null : channel, learning, causes })}\n`;
}

/** Trains a network in a process of its own; where that cannot be, what the components alone say has to do. */
function learnWith({ training, clock, progress, note }: ScoreGiven): NonNullable<MatrixOptions['learn']> {
  if (training === undefined) return learnLinearModel;
  const line = createProgressLine(progress, clock);
  const learn = learnInProcess({
    ...{ entry: training, clock, signal: new AbortController().signal },
    onProgress: ({ epoch, epochs }) => line.tell(() => `learning the normal past: round ${epoch} of at most ${epochs}`),
  });
  return async (options) => {
    try {
      return await learn(options);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'models.failed') throw error;
      note?.(`no network could be trained (${reasonOf(error)}); a linear model judges instead\n`);
      return learnLinearModel(options);
    } finally {
      line.end();
    }
  };
}

async function open(names: readonly string[], given: ScoreGiven): Promise<MatrixScore> {
  const { train, counters, clock } = given;
  const options = { columns: names, counters, nowMs: clock.now() };
  if (train === undefined) return openMatrixScore(options);
  const past = () => hostRows(createReadStream(train), train, counters);
  for await (const { names: theirs } of past()) {
    if (theirs.length !== names.length || theirs.some((name, n) => name !== names[n]))
      throw problems.badTable(`${train} has other columns than the file that is scored: ${theirs.slice(0, 20).join(', ')} and not ${names.slice(0, 20).join(', ')}.`); // prettier-ignore
    break;
  }
  return openMatrixScore({ ...options, train: past, learn: learnWith(given) });
}

/** Scores the rows of a host's table, all metrics together, and hands each row's text to `write`. */
export async function scoreWideRows(
  given: ScoreGiven & { chunks: Readable; name: string },
  write: (text: string) => Promise<void> | undefined,
): Promise<ScoreSummary> {
  const { chunks, name, json, counters } = given;
  const summary = { rows: 0, metrics: 0, alerts: 0 };
  const order = createOrder(name, given.note);
  let matrix: MatrixScore | undefined;
  if (!json) await write('timestamp,anomaly_score\n');
  for await (const row of hostRows(chunks, name, counters)) {
    const { names, timestamp, values } = row;
    order.look(row.timeMs, row.line);
    matrix ??= await open(names, given);
    summary.metrics = names.length;
    const verdict = matrix.push(values);
    if (verdict.score >= 0.5) summary.alerts += 1;
    summary.rows += 1;
    await write(json ? asJson(row, verdict, matrix) : `${timestamp},${short(verdict.score)}\n`);
  }
  if (matrix === undefined) throw problems.badTable(`${name} has no rows.`);
  order.tell();
  return summary;
}
