import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkSettings, reasonOf, silentLogger, type Clock, type CollectorDefinition, type Connection } from '#sdk';

/** What one run emitted: values by metric name and attributes, in order, and the reason if it failed. */
export interface Replayed {
  values: Record<string, number>;
  fault?: string;
  /** Names that are not of the catalogue but somebody else's. */
  foreign?: string[];
}

/** A state of the machine: a folder of captured files, or the texts of files by path. */
export type MachineState = string | Readonly<Record<string, string>>;

/** A clock that a replay moves by one second a run; its timers never fall due. */
function createStepClock(): Clock & { step(): void } {
  let ms = 0;
  return {
    now: () => ms,
    monotonic: () => ms,
    after: () => () => {},
    every: () => () => {},
    sleep: (_ms, signal) =>
      new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true })),
    step: () => {
      ms += 1000;
    },
  };
}

function lay(root: string, state: MachineState): void {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  if (typeof state === 'string') return cpSync(state, root, { recursive: true, verbatimSymlinks: true });
  for (const [path, text] of Object.entries(state)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** The file in which the answer to a question is captured: `GET /api/x?y=1` is `get-api-x-y-1`. */
export function answerFile(question: string): string {
  const words = question
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  return words === '' ? 'answer' : words;
}

/** Answers from `answers/<target>/<question>` below the root, where a collector would ask an address. */
function connectCaptured(root: string, name: string): Connection {
  return {
    ask(question) {
      const path = join(root, 'answers', name, answerFile(question));
      return existsSync(path)
        ? Promise.resolve(readFileSync(path, 'utf8'))
        : Promise.reject(new Error('the target was not there when this was captured'));
    },
    close() {},
  };
}

/** Runs one collector over states of a machine, a second apart, and tells what it emitted in each. For tests and documentation. */
export async function replay(
  definition: CollectorDefinition,
  states: readonly MachineState[],
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Replayed[]> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-replay-'));
  const root = join(folder, 'root');
  const clock = createStepClock();
  const config = checkSettings(definition.config, settings, []);
  const collector = definition.create({ config, root, clock, log: silentLogger, redact: (text) => text }, ({ name }) =>
    connectCaptured(root, name),
  );
  const runs: Replayed[] = [];
  try {
    for (const state of states) {
      lay(root, state);
      const values: Record<string, number> = {};
      const run: Replayed = { values };
      runs.push(run);
      try {
        await collector.collect((metric, value, attributes = {}) => {
          const name = typeof metric === 'string' ? metric : metric.name;
          if (typeof metric !== 'string') run.foreign = [...new Set([...(run.foreign ?? []), name])];
          const shown = Object.entries(attributes).map(([key, text]) => `${key}=${text}`);
          values[[name, ...shown].join(' ')] = value;
        }, new AbortController().signal);
      } catch (error) {
        run.fault = reasonOf(error);
      }
      clock.step();
    }
  } finally {
    collector.stop?.();
    rmSync(folder, { recursive: true });
  }
  return runs;
}
