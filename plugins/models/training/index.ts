import { spawn } from 'node:child_process';
import { reasonOf, type Clock } from '#sdk';
import type { TrainingProgress } from '../autoencoder.ts';
import { problems } from '../errors.ts';
import { readHostModel, type HostModel } from '../host-model.ts';
import { MOST_ANSWER, MOST_VALUES, parseLine, type TrainingHead, type TrainingLine } from './wire.ts';

/** What a training is made from. */
export interface TrainingRequest extends Omit<TrainingHead, 'rows'> {
  /** The time of each row, in milliseconds. */
  times: Float64Array;
  /** Row by row, NaN where there is no sample; as many a row as there are series. */
  values: Float64Array | Float32Array;
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

function encode({ times, values, ...head }: TrainingRequest): Buffer[] {
  const width = head.series.length;
  if (times.length < 1 || values.length !== times.length * width || times.length * (width + 1) > MOST_VALUES)
    throw problems.refused(`A training cannot be given ${times.length} rows of ${width} metrics.`);
  const numbers = new Float64Array(times.length * (width + 1));
  times.forEach((time, n) => {
    numbers[n * (width + 1)] = time;
    for (let j = 0; j < width; j++) numbers[n * (width + 1) + 1 + j] = values[n * width + j]!;
  });
  const text = JSON.stringify({ ...head, rows: times.length } satisfies TrainingHead);
  return [Buffer.from(`${text}\n`), Buffer.from(numbers.buffer)];
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
  const input = encode(request);
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
    child.stdin.on('error', () => undefined); // It has ended early; what it said tells why.
    for (const part of input) child.stdin.write(part);
    child.stdin.end();
  });
}

function modelOf(answer: TrainingLine | undefined, code: number | null): HostModel {
  if (answer !== undefined && 'model' in answer) return readHostModel(answer.model);
  if (answer === undefined || 'epoch' in answer)
    throw problems.failed(`The training ended with code ${code ?? 'none'} and said nothing.`);
  if (answer.code === 'models.not-enough-data') throw problems.notEnoughData(answer.detail);
  throw problems.failed(answer.detail);
}
