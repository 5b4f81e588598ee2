import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { LogsSchema } from '#proto/agent/v1/index.ts';
import { silentLogger, type Clock } from '#sdk';
import type { AgentSettings } from '../config.ts';
import { createLineCounts, createLines, DEFAULT_LINES } from '../lines/index.ts';
import { createPipeline } from '../pipeline/pipeline.ts';
import { createRedactor } from '../redact/index.ts';
import { openSpool, type Spool } from '../spool/index.ts';
import type { TailSet } from '../tail/discovery.ts';
import { createGlobMatcher } from '../tail/globs.ts';
import { createTailer } from '../tail/tailer.ts';

/** Ways in which log files are rotated. */
const WAYS = ['rename', 'copytruncate', 'recreate', 'rename+gzip'] as const;
type Way = (typeof WAYS)[number];

/** What became of the lines of one rehearsal. */
export interface Rehearsal {
  /** The globs of the settings that were rehearsed. */
  globs: string;
  way: Way;
  /** The agent was killed before the rotation and started again after it. */
  killed: boolean;
  written: number;
  lost: number;
  doubled: number;
  torn: number;
}

const ROUNDS = 3;
const LINES = 200;
const PATIENCE_MS = 20_000;

/** The same globs for a scratch folder, and the name of a file there that they take. */
function transplant({ include, exclude, start }: TailSet, folder: string): { set: TailSet; file: string } {
  const here = (globs: readonly string[]): string[] => globs.map((glob) => join(folder, basename(glob)));
  const set = { include: here(include), exclude: here(exclude), start: start === 'end' ? ('saved' as const) : start };
  const names = [
    'app.log',
    'app',
    'app.txt',
    'app.json',
    ...set.include.map((glob) => basename(glob).replaceAll('*', 'app')),
  ];
  const { matches } = createGlobMatcher(set);
  return { set, file: join(folder, names.find((name) => matches(join(folder, name))) ?? 'app.log') };
}

function rotate(way: Way, file: string, n: number): void {
  if (way === 'copytruncate') {
    copyFileSync(file, `${file}.${n}`);
    return truncateSync(file);
  }
  if (way === 'recreate') unlinkSync(file);
  else renameSync(file, `${file}.${n}`);
  writeFileSync(file, '');
  if (way !== 'rename+gzip') return;
  writeFileSync(`${file}.${n}.gz`, gzipSync(readFileSync(`${file}.${n}`)));
  unlinkSync(`${file}.${n}`);
}

/** Runs the agent's own tailer, pipeline and spool in a folder; `kill` drops what is not on the disk yet. */
async function runAgent(folder: string, set: TailSet, { handles, clock, got }: Running) {
  const spool = await openSpool({ folder: join(folder, 'spool'), limit: 1e9, log: silentLogger });
  let isDead = false;
  const append: Spool['append'] = async (entry) => {
    if (isDead) throw new Error('killed');
    const seq = await spool.append(entry);
    const logs = entry.logs.length === 0 ? entry.logs : gunzipSync(entry.logs);
    for (const { lines } of fromBinary(LogsSchema, logs).chunks) got.push(...lines.map(({ text }) => text));
    return seq;
  };
  const pipeline = createPipeline({
    spool: Object.assign(Object.create(spool) as Spool, { append }),
    clock,
    log: silentLogger,
  });
  const { lastRunMs } = spool;
  const forget = (source: string): void => spool.forget(source);
  // Each line by itself, as it was written: lines are counted here.
  const lines = createLines({
    settingsOf: () => ({ ...DEFAULT_LINES, multiline: { ...DEFAULT_LINES.multiline, mode: 'off' } }),
    redactor: createRedactor({ secrets: false, email: false, ip: false, patterns: [] }),
    clock,
    counts: createLineCounts(),
    addEvents: (events) => pipeline.addEvents(events),
  });
  const sink = { ...pipeline, addLines: lines.addLines };
  const given = { sets: [set], pipeline: sink, handles, checkpoints: spool.checkpoints(), lastRunMs, forget };
  const tailer = createTailer({ ...given, clock, log: silentLogger });
  pipeline.start();
  await tailer.start();
  return {
    async kill() {
      isDead = true;
      await tailer.stop();
      await pipeline.stop();
      await spool.close();
    },
    async stop() {
      await tailer.stop();
      await pipeline.stop();
      await spool.close();
    },
  };
}

interface Running {
  handles: number;
  clock: Clock;
  /** Texts of lines that the spool took. */
  got: string[];
}

async function rehearse(from: TailSet, way: Way, killed: boolean, running: Omit<Running, 'got'>): Promise<Rehearsal> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-rehearsal-'));
  const { clock } = running;
  const got: string[] = [];
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  const { set, file } = transplant(from, logs);
  let written = 0;
  const write = (): void => {
    let text = '';
    for (let n = 0; n < LINES; n++) text += `rehearsal line ${written++} end\n`;
    appendFileSync(file, text);
  };
  const arrive = async (): Promise<void> => {
    const until = clock.monotonic() + PATIENCE_MS;
    while (new Set(got).size < written && clock.monotonic() < until) await clock.sleep(20);
  };
  try {
    writeFileSync(file, '');
    let agent = await runAgent(folder, { ...set, start: 'beginning' }, { ...running, got });
    for (let n = 1; n <= ROUNDS; n++) {
      write();
      // What is removed before anyone has read it is nobody's.
      if (way === 'recreate' || n === 1) await arrive();
      if (way !== 'recreate') write();
      if (killed) await agent.kill();
      rotate(way, file, n);
      write();
      if (killed) agent = await runAgent(folder, set, { ...running, got });
    }
    await arrive();
    await agent.stop();
    const whole = new Set(Array.from({ length: written }, (_, n) => `rehearsal line ${n} end`));
    const torn = got.filter((text) => !whole.has(text)).length;
    const seen = new Set(got);
    const lost = [...whole].filter((text) => !seen.has(text)).length;
    return { globs: from.include.join(', '), way, killed, written, lost, doubled: got.length - seen.size, torn };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rehearses every way of rotation with the globs and the budget of the settings, in a scratch folder. */
export async function rehearseRotations(
  settings: Pick<AgentSettings, 'logs' | 'openFiles'>,
  clock: Clock,
): Promise<Rehearsal[]> {
  const running = { handles: settings.openFiles, clock };
  const done: Rehearsal[] = [];
  for (const set of settings.logs)
    for (const way of WAYS) for (const killed of [false, true]) done.push(await rehearse(set, way, killed, running));
  return done;
}

/** The rehearsals as a table or as JSON; not fine where anything was lost, doubled or torn. */
export async function describeRotations(
  settings: Pick<AgentSettings, 'logs' | 'openFiles'>,
  clock: Clock,
  json: boolean,
): Promise<{ text: string; isFine: boolean }> {
  const rehearsals = await rehearseRotations(settings, clock);
  const isFine = rehearsals.every(({ lost, doubled, torn }) => lost + doubled + torn === 0);
  if (json) return { text: `${JSON.stringify({ isFine, rehearsals }, null, 2)}\n`, isFine };
  const rows = rehearsals.map(({ way, killed, written, lost, doubled, torn, globs }) =>
    [
      `${way}${killed ? ', killed' : ''}`.padEnd(22),
      ...[written, lost, doubled, torn].map((n) => String(n).padStart(8)),
      `  ${globs}`,
    ].join(''),
  );
  const head = [
    'rotation'.padEnd(22),
    ...['written', 'lost', 'doubled', 'torn'].map((name) => name.padStart(8)),
    '  files',
  ].join('');
  return { text: `${[head, ...rows].join('\n')}\n`, isFine };
}
