import { hostname } from 'node:os';
import { createLogger, systemClock } from '#sdk';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { createCollectors } from '../collectors.ts';
import type { AgentSettings } from '../config.ts';
import { commandHint } from '../command-hint.ts';
import { problems } from '../errors.ts';
import { redact } from '../redact/index.ts';
import { createSchedule, type MetricBlock } from '../schedule.ts';
import { isRunning, readStatus, type Status } from '../status.ts';
import { notStarting } from './not-in-force.ts';
import { screenOf } from './screen.ts';

const LOOK_MS = 1000;
/** What the screen shows is read by these. */
const COLLECTORS = new Set(['cpu', 'load', 'memory', 'disk', 'filesystem', 'network']);

const ALTERNATE = '\u001b[?1049h\u001b[?25l';
const BACK = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

/** What `top` reads and draws on. */
export interface Terminal {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

function valuesOf(blocks: readonly MetricBlock[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const { table, values } of blocks)
    table.series.forEach(({ name, attributes }, index) => {
      const shown = Object.entries(attributes).map(([key, text]) => `${key}=${text}`);
      const value = values[index] ?? NaN;
      if (!Number.isNaN(value)) found.set([name, ...shown].join(' '), value);
    });
  return found;
}

/** Looks at the machine by itself, so that it works without a running agent too. */
async function createMachineView(settings: AgentSettings) {
  let blocks: MetricBlock[] = [];
  const log = createLogger('error', []);
  const definitions = (await collectorsFor(process.platform)).filter(({ name }) => COLLECTORS.has(name));
  const given = { settings: settings.collectors, root: '/', log, redact, clock: systemClock };
  const collectors = createCollectors(definitions, given);
  const schedule = createSchedule({ collectors, clock: systemClock, log, sink: (block) => blocks.push(block) });
  return {
    async look(): Promise<Map<string, number>> {
      blocks = [];
      await schedule.runOnce();
      return valuesOf(blocks);
    },
    stop: () => schedule.stop(),
  };
}

/** The settings; where they cannot be used, those that stand in for them, and why. */
interface TopGiven {
  settings: AgentSettings;
  file: string | undefined;
  faults: readonly string[];
}

/** Resolves when a person wants no more: q, Escape or Ctrl-C. */
function quit(input: NodeJS.ReadStream, ending: AbortController): void {
  input.setRawMode(true);
  input.resume();
  input.on('data', (keys: Buffer) => {
    if (/^[qQ\u001b\u0003\u0004]$/.test(keys.toString('latin1'))) ending.abort();
  });
}

async function watch({ settings, file, faults }: TopGiven, { output }: Terminal, signal: AbortSignal): Promise<void> {
  const machine = await createMachineView(settings);
  let values = await machine.look();
  let atMs = systemClock.monotonic();
  let status = readStatus(settings.data);
  let before: Status | undefined;
  const unfit = faults.length === 0 ? [] : notStarting(file, faults);
  while (!signal.aborted) {
    const valuesBefore = values;
    values = await machine.look();
    const seconds = Math.max(0.001, (systemClock.monotonic() - atMs) / 1000);
    atMs = systemClock.monotonic();
    const newest = readStatus(settings.data);
    if (newest?.writtenMs !== status?.writtenMs) [before, status] = [status, newest];
    const nowMs = systemClock.now();
    const running = isRunning(status, nowMs);
    const view = { nowMs, hostname: hostname(), status, running, before, values, valuesBefore, seconds, unfit };
    const lines = screenOf(view, output.columns, output.rows);
    output.write(`${HOME}${lines.map((line) => `${line}${REST_OF_LINE}`).join('\r\n')}${REST_OF_SCREEN}`);
    await systemClock.sleep(LOOK_MS, signal);
  }
  await machine.stop();
}

/** Shows this machine and its agent, anew each second, until a key or a signal ends it. */
export async function showTop(given: TopGiven, terminal: Terminal): Promise<void> {
  const { input, output } = terminal;
  if (!input.isTTY || !output.isTTY)
    throw problems.noTerminal(
      `top draws on a terminal. For a program, use: ${commandHint('status --json', given.settings.data)}`,
    );
  const ending = new AbortController();
  const end = (): void => ending.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  output.write(ALTERNATE);
  try {
    quit(input, ending);
    await watch(given, terminal, ending.signal);
  } finally {
    input.setRawMode(false);
    input.pause();
    output.write(BACK);
  }
}
