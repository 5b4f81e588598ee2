import { learnInProcess, readHostModel, type HostModel, type RowSource } from '../../../../plugins/models/index.ts';
import type { Clock } from '#sdk';
import { problems } from '../errors.ts';
import type { Aliases } from './aliases.ts';
import { gateOf, tryOut } from './gate.ts';
import { readPast, type Past } from './past.ts';
import type { Registry } from './registry.ts';
import type { Running } from './runner.ts';
import type { Samples } from './samples.ts';

/** Of the past the last part is left aside, so that a model is tried on what it has not seen. */
const ASIDE = 1 / 8;
/** Shares of a job's progress at which reading and learning are over. */
const READ = 0.2;
const LEARNT = 0.95;

/** What training stands on. */
export interface TrainingGiven {
  samples: Samples;
  registry: Registry;
  aliases: Aliases;
  /** The program that trains, as Node's arguments; empty: there is none. */
  program: readonly string[];
  /** This hub's version, for the lineage. */
  version: string;
  clock: Clock;
}

/** `host-20261127T221500-0f3a1c2b9d4e`: which host's, and from when. */
const versionOf = (resource: string, nowMs: number): string =>
  `host-${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}-${resource.replaceAll('-', '').slice(0, 12)}`;

/** Rows of a past up to one, of its chosen columns; the same array each time. */
const rowsOf = (past: Past, width: number, to: number): RowSource =>
  async function* () {
    const row = { timeMs: 0, values: new Float64Array(width) };
    for (let n = 0; n < to; n++) {
      row.timeMs = past.timeOf(n);
      for (let j = 0; j < width; j++) row.values[j] = past.at(n, j);
      yield row;
    }
  };

/** Makes a model of a host from what monitoring keeps of it, tries it, and hands it to the registry. Gives its version. */
export function createTraining({ samples, registry, aliases, program, version: hub, clock }: TrainingGiven) {
  const championOf = async (org: string, resource: string): Promise<HostModel | undefined> => {
    const { champion } = await aliases.of(org, resource);
    return champion === null ? undefined : readHostModel(await registry.document(org, champion.version));
  };
  return async ({ org, job, signal, progress }: Running): Promise<string> => {
    if (program.length === 0) throw problems.noTraining('It runs from source; build it with "make build".');
    const { resource, days, by } = job;
    const nowMs = clock.now();
    progress(0, 'reads the past of the host');
    const champion = await championOf(org, resource);
    const also = (champion?.document.features ?? []).map(({ metric: name, kind, attributes }) => ({ name, kind, attributes })); // prettier-ignore
    const onProgress = (share: number): void => progress(READ * share, 'reads the past of the host');
    const past = await readPast(samples, { org, resource, days, nowMs, signal, also, onProgress });
    const width = past.chosen;
    const aside = Math.floor(past.rows * (1 - ASIDE));
    progress(READ, `learns from ${aside} rows of ${width} series`);
    const learn = learnInProcess({
      ...{ entry: program, clock, signal },
      onProgress: ({ epoch, epochs }) =>
        progress(READ + (LEARNT - READ) * (epoch / epochs), `learns from ${aside} rows of ${width} series, pass ${epoch} of at most ${epochs}`), // prettier-ignore
    });
    const series = past.columns.slice(0, width).map(({ name: metric, kind, attributes }) => ({ metric, kind, attributes })); // prettier-ignore
    const version = versionOf(resource, nowMs);
    const model = await learn({ series, rows: rowsOf(past, width, aside), version, createdMs: nowMs });
    progress(LEARNT, 'tries the model on rows that it has not seen');
    const pause = (): Promise<void> => clock.sleep(0, signal);
    const canRun = (one: HostModel): boolean => one.needsTensorFlow.length === 0;
    const against = champion !== undefined && canRun(champion) ? await tryOut(champion, past, aside, pause) : undefined;
    const gate = gateOf(await tryOut(model, past, aside, pause), against);
    signal.throwIfAborted();
    await registry.add(org, { resource, document: model.document, gate, job: job.id, by, program: `outrider-hub ${hub}` }); // prettier-ignore
    return version;
  };
}
