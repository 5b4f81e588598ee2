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
import { basename, dirname, join, relative } from 'node:path';
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

/** A scratch file, and the glob of the settings that it stands for. */
interface ScratchFile {
  /** Its path below the scratch folder. */
  file: string;
  glob: string;
}

/** What became of the lines of one rehearsal. */
export interface Rehearsal {
  /** The entry of `logs` that was rehearsed, such as `logs.0`. */
  entry: string;
  start: TailSet['start'];
  files: ScratchFile[];
  way: Way;
  /** The agent was killed before the rotation and started again after it. */
  killed: boolean;
  written: number;
  /** Written while no agent ran, and left out as `start: end` wants it. */
  leftOut: number;
  lost: number;
  doubled: number;
  torn: number;
}

/** How the name of a scratch folder begins. */
const SCRATCH = 'outrider-rehearsal-';
const ROUNDS = 3;
const LINES = 200;
const PATIENCE_MS = 20_000;

/** A name that a glob takes in a folder, and that its exclusions leave. */
function nameFor(set: Pick<TailSet, 'include' | 'exclude'>, folder: string): string | undefined {
  const usual = ['app.log', 'app', 'app.txt', 'app.json'];
  const names = [...usual, ...set.include.map((glob) => basename(glob).replaceAll('*', 'app'))];
  const { matches } = createGlobMatcher(set);
  return names.find((name) => matches(join(folder, name)));
}

/** The same globs for a scratch folder, each in a folder of its own, with a file that it takes. */
function transplant({ include, exclude, start }: TailSet, folder: string): { set: TailSet; files: ScratchFile[] } {
  const set = { include: [] as string[], exclude: [] as string[], start };
  const files = include.flatMap((glob, index): ScratchFile[] => {
    const own = join(folder, String(index + 1));
    const here = (globs: readonly string[]): string[] => globs.map((one) => join(own, basename(one)));
    // Exclusions of other folders say nothing of this one.
    const moved = { include: here([glob]), exclude: here(exclude.filter((one) => dirname(one) === dirname(glob))) };
    const name = nameFor(moved, own);
    if (name === undefined) return [];
    set.include.push(...moved.include);
    set.exclude.push(...moved.exclude);
    mkdirSync(own, { recursive: true });
    return [{ file: join(own, name), glob }];
  });
  return { set, files };
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
async function runAgent(folder: string, set: TailSet, { handles, clock, got }: Omit<Running, 'signal'>) {
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
  signal: AbortSignal;
  /** Texts of lines that the spool took. */
  got: string[];
}

/** What one rehearsal writes, and what came of it. */
function createScript(files: readonly ScratchFile[], got: readonly string[]) {
  let written = 0;
  const excused = new Set<string>();
  const all = (): string[] => Array.from({ length: written }, (_, n) => `rehearsal line ${n} end`);
  const missing = (): string[] => {
    const seen = new Set(got);
    return all().filter((line) => !seen.has(line) && !excused.has(line));
  };
  return {
    write() {
      for (const { file } of files) {
        let text = '';
        for (let n = 0; n < LINES; n++) text += `rehearsal line ${written++} end\n`;
        appendFileSync(file, text);
      }
    },
    missing,
    /** What nobody has read so far may be left out. */
    excuse: () => missing().forEach((line) => excused.add(line)),
    counts() {
      const [seen, whole] = [new Set(got), new Set(all())];
      return {
        written,
        leftOut: [...excused].filter((line) => !seen.has(line)).length,
        lost: missing().length,
        doubled: got.length - seen.size,
        torn: got.filter((text) => !whole.has(text)).length,
      };
    },
  };
}

/** One case: an entry of the settings, a way of rotation, and whether the agent is killed meanwhile. */
interface Case {
  entry: string;
  from: TailSet;
  way: Way;
  killed: boolean;
}

async function rehearse({ entry, from, way, killed }: Case, running: Omit<Running, 'got'>): Promise<Rehearsal> {
  const folder = mkdtempSync(join(tmpdir(), SCRATCH));
  const { clock, signal } = running;
  const got: string[] = [];
  const { set, files } = transplant(from, join(folder, 'logs'));
  const { write, missing, excuse, counts } = createScript(files, got);
  const arrive = async (): Promise<void> => {
    const until = clock.monotonic() + PATIENCE_MS;
    while (missing().length > 0 && clock.monotonic() < until && !signal.aborted) await clock.sleep(20);
  };
  try {
    for (const { file } of files) writeFileSync(file, '');
    const first = from.start === 'end' ? 'end' : 'beginning';
    let agent = await runAgent(folder, { ...set, start: first }, { ...running, got });
    for (let n = 1; n <= ROUNDS && !signal.aborted; n++) {
      write();
      // What is removed before anyone has read it is nobody's.
      if (way === 'recreate' || n === 1 || from.start === 'end') await arrive();
      if (way !== 'recreate') write();
      if (killed) await agent.kill();
      for (const { file } of files) rotate(way, file, n);
      write();
      if (!killed) continue;
      if (from.start === 'end') excuse();
      agent = await runAgent(folder, set, { ...running, got });
    }
    await arrive();
    await agent.stop();
    const shown = files.map(({ file, glob }) => ({ file: relative(folder, file), glob }));
    return { entry, start: from.start, files: shown, way, killed, ...counts() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Hears of each rehearsal as it begins and when it has ended. */
export interface RotationProgress {
  begins?(name: string, number: number, of: number): void;
  ended?(name: string, rehearsal: Rehearsal): void;
}

/** What rehearsing stands on. */
export interface RotationGiven {
  clock: Clock;
  /** Ends it after the rehearsal that is under way, whose folder is removed. */
  signal: AbortSignal;
  progress?: RotationProgress;
}

const nameOf = ({ way, killed }: Pick<Rehearsal, 'way' | 'killed'>): string => `${way}${killed ? ', killed' : ''}`;

/** Rehearses every way of rotation with the globs and the budget of the settings, each in a scratch folder of its own, which is removed. */
export async function rehearseRotations(
  settings: Pick<AgentSettings, 'logs' | 'openFiles'>,
  { clock, signal, progress }: RotationGiven,
): Promise<Rehearsal[]> {
  const cases = settings.logs.flatMap((from, index) =>
    WAYS.flatMap((way) => [false, true].map((killed): Case => ({ entry: `logs.${index}`, from, way, killed }))),
  );
  const done: Rehearsal[] = [];
  for (const [index, one] of cases.entries()) {
    if (signal.aborted) break;
    const name = `${one.entry}: ${nameOf(one)}`;
    progress?.begins?.(name, index + 1, cases.length);
    const rehearsal = await rehearse(one, { handles: settings.openFiles, clock, signal });
    if (signal.aborted) break;
    progress?.ended?.(name, rehearsal);
    done.push(rehearsal);
  }
  return done;
}

/** True where every line came once and whole, but for those that the settings leave out. */
const isSound = ({ lost, doubled, torn }: Rehearsal): boolean => lost + doubled + torn === 0;

/** Tells on a stream how far it is: on a terminal in one line that is written anew, else in a line for each rehearsal. */
export function progressOn(stream: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>): RotationProgress {
  let width = 0;
  return {
    begins(name, number, of) {
      const text = `rehearsing ${number} of ${of}: ${name} …`;
      width = text.length;
      if (stream.isTTY) stream.write(`\r${text}\u001b[K`);
    },
    ended(name, rehearsal) {
      if (stream.isTTY) stream.write(`\r${' '.repeat(width)}\r`);
      if (!stream.isTTY || !isSound(rehearsal)) stream.write(`${name}: ${isSound(rehearsal) ? 'fine' : 'NOT fine'}\n`);
    },
  };
}

/** Which scratch files stood for which globs, an entry a paragraph. */
function legend(rehearsals: readonly Rehearsal[]): string[] {
  const entries = new Map(rehearsals.map(({ entry, start, files }) => [entry, { start, files }]));
  const lines = [...entries].flatMap(([entry, { start, files }]) => [
    `${entry} (start: ${start})${files.length === 0 ? ': not rehearsed, its exclude leaves out all that it names' : ''}`,
    ...files.map(({ file, glob }) => `  ${file} stands for ${glob}`),
  ]);
  const isEnd = [...entries.values()].some(({ start }) => start === 'end');
  return [
    'Nothing was written to the files of this machine. In a scratch folder, which is removed:',
    ...lines,
    ...(isEnd ? ['left out: written while no agent ran, which start: end wants not to be read'] : []),
  ];
}

/** The rehearsals as a table or as JSON; not fine where anything was lost, doubled or torn. */
export async function describeRotations(
  settings: Pick<AgentSettings, 'logs' | 'openFiles'>,
  { json, ...given }: RotationGiven & { json: boolean },
): Promise<{ text: string; isFine: boolean }> {
  const rehearsals = await rehearseRotations(settings, given);
  const isFine = rehearsals.every(isSound) && !given.signal.aborted;
  if (json) return { text: `${JSON.stringify({ isFine, rehearsals }, null, 2)}\n`, isFine };
  const row = (name: string, entry: string, cells: readonly (string | number)[]): string =>
    `${name.padEnd(22)}${entry.padEnd(9)}${cells.map((cell) => String(cell).padStart(9)).join('')}`;
  const rows = rehearsals.map((one) =>
    row(nameOf(one), one.entry, [one.written, one.leftOut, one.lost, one.doubled, one.torn]),
  );
  const head = row('rotation', 'entry', ['written', 'left out', 'lost', 'doubled', 'torn']);
  const ended = given.signal.aborted ? ['It was ended before all were rehearsed.'] : [];
  return { text: `${[head, ...rows, '', ...legend(rehearsals), ...ended].join('\n')}\n`, isFine };
}
