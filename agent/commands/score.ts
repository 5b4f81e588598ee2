import { createReadStream, createWriteStream, existsSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { reasonOf, type Clock } from '#sdk';
import { problems } from '../errors.ts';
import { CHANNELS, createDetector, type Detector, type Verdict } from '../scoring/index.ts';
import { csvRows, isBlank, quoted } from './csv.ts';
import { createProgressLine } from './progress-line.ts';
import { scoreWideRows } from './score-wide.ts';
import { createOrder, demandNames, demandWidth, namesOf, short, timeIn, valueOf } from './sample-table.ts';

/** What `score` is asked and what it may use. */
export interface ScoreGiven {
  /** A CSV file, or `-` for standard input. */
  path: string;
  /** Where the scores go; standard output when undefined. */
  out: string | undefined;
  /** One JSON document a sample instead of CSV. */
  json: boolean;
  /** Names of columns that hold counters. */
  counters: readonly string[];
  /** All metrics of a host are judged together: one score a row. */
  wide?: boolean;
  /** A file of the same columns that holds a normal past; only where `wide`. */
  train?: string | undefined;
  /** How to start the program that trains a network of it; without one a linear model is made at once. */
  training?: readonly string[] | undefined;
  input: Readable;
  output: Writable;
  /** Where progress is told; undefined to tell none. */
  progress: Writable | undefined;
  /** Takes what a person should know besides. */
  note?: (text: string) => void;
  clock: Clock;
}

/** What was scored. */
export interface ScoreSummary {
  rows: number;
  metrics: number;
  alerts: number;
}

const WRITE_BYTES = 65_536;
/** The clock is asked once in so many rows. */
const ROWS = 256;

function asJson(timestamp: string, metric: string, verdict: Verdict): string {
  const { score, p, nats, direction, channel, learning } = verdict;
  const facts = { timestamp, metric, score: Number(short(score)), p: Number(short(p)), nats: Number(short(nats)) };
  return `${JSON.stringify({ ...facts, direction, channel: CHANNELS[channel] ?? null, learning })}\n`;
}

/** The metrics of one table, each with a place in the detector. */
interface Table {
  names: string[];
  places: number[];
  detector: Detector;
}

function tableOf(names: string[], counters: readonly string[]): Table {
  if (names.length < 2)
    throw problems.badTable('A table needs two columns at least: first the time, then a column for each metric.');
  const unknown = counters.filter((name) => !names.slice(1).includes(name));
  if (unknown.length > 0)
    throw problems.badTable(`There is no column ${unknown.join(', ')}; there are ${names.slice(1, 20).join(', ')}.`);
  const detector = createDetector();
  const places = names.slice(1).map((name) => detector.add(counters.includes(name) ? 'counter' : 'gauge'));
  return { names, places, detector };
}

/** Scores the table of a stream row by row and hands each row's text to `write`. */
async function scoreRows(
  given: Pick<ScoreGiven, 'json' | 'counters' | 'note'> & { chunks: Readable; name: string },
  write: (text: string) => Promise<void> | undefined,
): Promise<ScoreSummary> {
  const { chunks, name, json, counters } = given;
  const summary = { rows: 0, metrics: 0, alerts: 0 };
  const order = createOrder(name, given.note);
  let table: Table | undefined;
  for await (const row of csvRows(chunks, name)) {
    if (isBlank(row)) continue;
    if (table === undefined) {
      const { names, isHeader } = namesOf(row);
      demandNames(names, name);
      table = tableOf(names, counters);
      summary.metrics = table.places.length;
      if (!json)
        await write(`timestamp,${names.length === 2 ? 'anomaly_score' : names.slice(1).map(quoted).join(',')}\n`);
      if (isHeader) continue;
    }
    const { names, places, detector } = table;
    demandWidth(row, names.length, name);
    const { timestamp, timeMs } = timeIn(row);
    order.look(timeMs, row.line);
    let text = json ? '' : quoted(timestamp);
    for (let n = 0; n < places.length; n++) {
      const verdict = detector.push(places[n]!, timeMs, valueOf(row.fields[n + 1]!, row, names[n + 1]!));
      if (verdict.score >= 0.5) summary.alerts += 1;
      text += json ? asJson(timestamp, names[n + 1]!, verdict) : `,${short(verdict.score)}`;
    }
    summary.rows += 1;
    await write(json ? text : `${text}\n`);
  }
  if (table === undefined) throw problems.badTable(`${name} is empty.`);
  order.tell();
  return summary;
}

/** Gathers texts and writes them in larger pieces, no faster than they are taken. */
function batchedWriter(output: Writable): {
  write: (text: string) => Promise<void> | undefined;
  end: () => Promise<void>;
} {
  let waiting = '';
  let fault: unknown;
  output.once('error', (error) => (fault = error));
  const flush = async (): Promise<void> => {
    const text = waiting;
    waiting = '';
    if (fault !== undefined) throw fault;
    if (!output.write(text)) await Promise.race([once(output, 'drain'), once(output, 'close')]);
    if (fault !== undefined) throw fault;
  };
  return {
    write(text) {
      waiting += text;
      return waiting.length > WRITE_BYTES ? flush() : undefined;
    },
    end: flush,
  };
}

const isSameFile = (a: string, b: string): boolean =>
  existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b);

/** Scores a CSV file with the agent's own detector, in one pass and constant memory. A named output appears when it is whole. */
export async function scoreFile(given: ScoreGiven): Promise<ScoreSummary> {
  const { path, out } = given;
  const fromStandardInput = path === '-';
  if (out !== undefined && !fromStandardInput && isSameFile(path, out))
    throw problems.notWritten(`${out} is the file that is read. Name another one with --out.`);
  const chunks = fromStandardInput ? given.input : createReadStream(path);
  const aside = out === undefined ? undefined : `${out}.${process.pid}.part`;
  const output = aside === undefined ? given.output : createWriteStream(aside, { flags: 'wx' });
  const { write, end } = batchedWriter(output);
  const progress = createProgressLine(given.progress, given.clock);
  let rows = 0;
  try {
    const score = given.wide === true ? scoreWideRows : scoreRows;
    const summary = await score({ ...given, chunks, name: fromStandardInput ? 'standard input' : path }, (text) => {
      if (++rows % ROWS === 0)
        progress.tell(
          (seconds) => `${rows.toLocaleString('en')} rows, ${Math.round(rows / seconds).toLocaleString('en')} a second`,
        );
      return write(text);
    });
    await end();
    progress.end();
    if (out === undefined || aside === undefined) return summary;
    output.end();
    await once(output, 'close');
    renameSync(aside, out);
    return summary;
  } catch (error) {
    progress.end();
    chunks.destroy();
    if (aside !== undefined) {
      // The file may be under way of being opened still.
      const closed = new Promise<void>((resolve) => output.once('close', () => resolve()));
      output.destroy();
      if (!output.closed) await closed;
      rmSync(aside, { force: true });
    }
    const { code, path: at } = error as NodeJS.ErrnoException;
    if (aside !== undefined && code !== undefined && at === aside)
      throw problems.notWritten(`${out} cannot be written (${reasonOf(error)}). Name another file with --out.`, {
        cause: error,
      });
    throw error;
  }
}
