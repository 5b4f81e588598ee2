/** A program that trains one model and ends, so that TensorFlow's memory goes with it: a request in, lines of JSON out (`wire.ts`). */
import { setPriority } from 'node:os';
import { Problem, reasonOf } from '#sdk';
import { trainAutoencoder } from '../autoencoder.ts';
import { problems } from '../errors.ts';
import { MOST_VALUES, parseRequest, type TrainingLine } from './wire.ts';

const LIMIT_MS = 3_600_000;

setTimeout(() => process.exit(1), LIMIT_MS).unref(); // Also when nobody is left to stop it.

const say = (line: TrainingLine): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);

async function readInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > 8 * MOST_VALUES + 1_000_000) throw problems.refused('The training was given too many rows.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function train(): Promise<void> {
  try {
    setPriority(15); // It must not take the processor from what the machine is there for.
  } catch {
    // Where that is not allowed it runs as others do.
  }
  const { head, numbers } = parseRequest(await readInput());
  const width = head.series.length;
  const rows = async function* () {
    for (let at = 0; at < numbers.length; at += width + 1) {
      yield { timeMs: numbers[at]!, values: numbers.subarray(at + 1, at + 1 + width) };
    }
    await Promise.resolve();
  };
  const model = await trainAutoencoder({ ...head, rows, onProgress: say });
  say({ model: JSON.stringify(model.document) });
}

train().then(
  () => process.stdout.end(),
  (error: unknown) => {
    const code = error instanceof Problem ? error.code : 'models.failed';
    process.exitCode = 2;
    say({ code, detail: reasonOf(error).slice(0, 2000) });
  },
);
