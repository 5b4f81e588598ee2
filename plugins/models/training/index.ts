import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem, reasonOf, type Clock } from '#sdk';
import type { TrainingProgress } from '../autoencoder.ts';
import { problems } from '../errors.ts';
import { readHostModel, type HostModel } from '../host-model.ts';
import type { LearnOptions, RowSource } from '../linear.ts';
import { MOST_ANSWER, MOST_VALUES, parseLine, type TrainingHead, type TrainingLine } from './wire.ts';

/** What a training is made from. */
export interface TrainingRequest extends Omit<TrainingHead, 'rows'> {
  /** NaN where there is no sample; as many values a row as there are series. Read twice; of more rows than a training takes each second, third … is left in. */
  rows: RowSource;
}

/** What running the program needs. */
export interface TrainingOptions {
  /** The program of `main.ts`, as built, or arguments by which this executable becomes it. */
  entry: readonly string[];
  clock: Clock;
  signal: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
  /** Longest time, in milliseconds; half an hour. */
  limitMs?: number;
}

/** Rows that are handed over in one piece. */
const ROWS_OF_PART = 512;

/** What the program is given, part by part, so that nobody holds all rows. */
async function* encode({ rows, ...head }: TrainingRequest): AsyncGenerator<Buffer> {
  const width = head.series.length + 1;
  let count = 0;
  for await (const _ of rows()) count += 1;
  if (count === 0) throw problems.notEnoughData('There are no rows to learn from.');
  const every = Math.ceil((count * width) / MOST_VALUES);
  const kept = Math.ceil(count / every);
  yield Buffer.from(`${JSON.stringify({ ...head, rows: kept } satisfies TrainingHead)}\n`);
  let part = new Float64Array(Math.min(kept, ROWS_OF_PART) * width);
  let [n, at] = [0, 0];
  for await (const { timeMs, values } of rows()) {
    if (n++ % every !== 0) continue;
    part[at] = timeMs;
    part.set(values, at + 1);
    at += width;
    if (at < part.length) continue;
    yield Buffer.from(part.buffer);
    part = new Float64Array(part.length);
    at = 0;
  }
  yield Buffer.from(part.buffer, 0, 8 * at);
}

/** Cuts what the program says into lines, the whole of it bounded. */
function lineReader(take: (line: TrainingLine) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MOST_ANSWER) throw problems.failed('The training said too much.');
    for (const line of lines) if (line !== '') take(parseLine(line));
  };
}

/**
 * Trains an autoencoder in a process of its own, which ends with it. Throws `models.aborted` on the signal, what the training threw, and
 * `models.failed` when it said nothing within the limit. The model is verified as if a stranger had sent it.
 */
export function trainInProcess(request: TrainingRequest, options: TrainingOptions): Promise<HostModel> {
  const { entry, clock, signal, onProgress, limitMs = 1_800_000 } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(problems.aborted());
    const child = spawn(process.execPath, [...process.execArgv, ...entry], {
      stdio: ['pipe', 'pipe', 'ignore'],
      windowsHide: true,
    });
    let answer: TrainingLine | undefined;
    const end = (error: Error): void => {
      done();
      child.kill('SIGKILL');
      reject(error);
    };
    const abort = (): void => end(problems.aborted());
    const cancel = clock.after(limitMs, () => end(problems.failed(`No model within ${limitMs / 1000} s.`)));
    const done = (): void => {
      cancel();
      signal.removeEventListener('abort', abort);
    };
    const read = lineReader((line) => {
      if ('epoch' in line) onProgress?.(line);
      else answer = line;
    });
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      try {
        read(chunk);
      } catch (error) {
        end(error as Error);
      }
    });
    child.on('error', (error) =>
      end(problems.failed(`The training cannot be started: ${reasonOf(error)}`, { cause: error })),
    );
    child.on('close', (code) => {
      done();
      try {
        resolve(modelOf(answer, code));
      } catch (error) {
        reject(error as Error);
      }
    });
    signal.addEventListener('abort', abort, { once: true });
    // Where the program has ended early, what it said tells why; rows that cannot be read end it.
    pipeline(Readable.from(encode(request), { objectMode: true, highWaterMark: 1 }), child.stdin).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return;
        end(
          error instanceof Problem
            ? error
            : problems.failed(`The rows cannot be read: ${reasonOf(error)}`, { cause: error }),
        );
      },
    );
  });
}

/** Chance begins here unless somebody asks for another beginning: the same rows give the same model. */
const SEED = 7;

/** Makes a `learn` that trains an autoencoder in a process of its own. */
export const learnInProcess =
  (given: Omit<TrainingOptions, 'limitMs'>) =>
  ({ series, rows, version, createdMs, seed = SEED }: LearnOptions): Promise<HostModel> =>
    trainInProcess({ series: [...series], rows, version, createdMs, seed }, given);

function modelOf(answer: TrainingLine | undefined, code: number | null): HostModel {
  if (answer !== undefined && 'model' in answer) return readHostModel(answer.model);
  if (answer === undefined || 'epoch' in answer)
    throw problems.failed(`The training ended with code ${code ?? 'none'} and said nothing.`);
  if (answer.code === 'models.not-enough-data') throw problems.notEnoughData(answer.detail);
  throw problems.failed(answer.detail);
}
