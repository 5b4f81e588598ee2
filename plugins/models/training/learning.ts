import type { Clock } from '#sdk';
import type { TrainingProgress } from '../autoencoder.ts';
import type { HostModel } from '../host-model.ts';
import type { LearnOptions, RowSource } from '../linear.ts';
import { trainInProcess } from './index.ts';
import { MOST_VALUES } from './wire.ts';

/** Chance begins here unless somebody asks for another beginning: the same rows give the same model. */
const SEED = 7;

/** What a training in a process of its own needs to begin. */
export interface LearningGiven {
  /** The program of `main.ts`, as built, or arguments by which this executable becomes it. */
  entry: readonly string[];
  clock: Clock;
  signal: AbortSignal;
  onProgress?: (progress: TrainingProgress) => void;
}

async function countOf(rows: RowSource): Promise<number> {
  let count = 0;
  for await (const _ of rows()) count += 1;
  return count;
}

/** Makes a `learn` that trains an autoencoder in a process of its own. Of more rows than it takes each second, third … is left in. */
export const learnInProcess =
  (given: LearningGiven) =>
  async ({ series, rows, version, createdMs, seed = SEED }: LearnOptions): Promise<HostModel> => {
    const width = series.length;
    const every = Math.ceil(((await countOf(rows)) * (width + 1)) / MOST_VALUES);
    const [times, values]: [number[], number[]] = [[], []];
    let n = 0;
    for await (const row of rows()) {
      if (n++ % every !== 0) continue;
      times.push(row.timeMs);
      values.push(...row.values);
    }
    const request = { series: [...series], version, createdMs, seed };
    return trainInProcess({ ...request, times: Float64Array.from(times), values: Float64Array.from(values) }, given);
  };
