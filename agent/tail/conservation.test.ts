import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBinary } from '@bufbuild/protobuf';
import { LogChunkSchema } from '#proto/agent/v1/index.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger } from '#sdk';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import type { Loss } from '../pipeline/loss.ts';
import { createLineCounts, createLines, DEFAULT_LINES, type EncodedEvents, type Lines } from '../lines/index.ts';
import { createRedactor } from '../redact/index.ts';
import { createTailer, type Tailer } from './tailer.ts';

/** What may happen to a log and to the agent that follows it. */
const STEPS = [
  'write',
  'write more',
  'write to the renamed',
  'look',
  'spool',
  'rename',
  'copytruncate',
  'pack',
  'remove',
  'hold',
  'release',
  'restart',
  'kill',
] as const;
type Step = (typeof STEPS)[number];

/** A spool that forgets what was not written when its agent is killed. */
function createSpool(folder: string) {
  const durable = {
    lines: [] as string[],
    checkpoints: new Map<string, Checkpoint>(),
    lastRunMs: undefined as number | undefined,
  };
  let gathered: Checkpoint[] = [];
  let texts: string[] = [];
  let room = true;
  let wake = (): void => undefined;
  const losses: Loss[] = [];
  return {
    durable,
    losses,
    hold: () => void (room = false),
    release: () => ((room = true), wake()),
    write() {
      if (gathered.length === 0) return;
      durable.lines.push(...texts);
      for (const checkpoint of gathered) durable.checkpoints.set(sourceOf(checkpoint), checkpoint);
      [gathered, texts] = [[], []];
      writeFileSync(join(folder, 'spool'), '');
      durable.lastRunMs = statSync(join(folder, 'spool')).mtimeMs;
    },
    drop: () => ([gathered, texts] = [[], []]),
    pipeline: {
      addEvents({ events, checkpoint }: EncodedEvents) {
        gathered.push(checkpoint);
        texts.push(...fromBinary(LogChunkSchema, events).lines.map(({ text }) => text));
      },
      addLost: (loss: Loss) => void losses.push(loss),
      hasRoom: () => room,
      room: () => (room ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve))),
    },
  };
}

/** How a log is named and rotated, and how its lines are written. */
interface Kind {
  log: string;
  /** Name of a rotated file; `age` is 1 for the one that was rotated last. */
  rotated(log: string, number: number, age: number): string;
  wrap(text: string, number: number): string;
}

const TIME = '2026-11-26T12:00:00.123456789Z';
const ID = '0f'.repeat(32);
const streamOf = (number: number): string => (number % 4 === 0 ? 'stderr' : 'stdout');

const KINDS = {
  plain: { log: 'app.log', rotated: (log, number) => `${log}.${number}`, wrap: (text) => `${text}\n` },
  logrotate: { log: 'app.log', rotated: (log, _number, age) => `${log}.${age}`, wrap: (text) => `${text}\n` },
  // The kubelet renames by time; containerd writes a long line in parts.
  kubelet: {
    log: 'pods/shop_web_6f9a/nginx/0.log',
    rotated: (log, number) => `${log}.20261126-12${String(number).padStart(4, '0')}`,
    wrap(text, number) {
      const parts = number % 3 === 0 ? [text.slice(0, 5), text.slice(5)] : [text];
      return parts
        .map((part, at) => `${TIME} ${streamOf(number)} ${at === parts.length - 1 ? 'F' : 'P'} ${part}\n`)
        .join('');
    },
  },
  // Docker gives each older file the next number.
  docker: {
    log: `containers/${ID}/${ID}-json.log`,
    rotated: (log, _number, age) => `${log}.${age}`,
    wrap(text, number) {
      const parts = number % 3 === 0 ? [text.slice(0, 5), `${text.slice(5)}\n`] : [`${text}\n`];
      return parts.map((part) => `${JSON.stringify({ log: part, stream: streamOf(number), time: TIME })}\n`).join('');
    },
  },
} satisfies Record<string, Kind>;

/** A log, the program that writes it, what rotates it, and the agent that follows it. */
async function play(
  steps: readonly Step[],
  { handles, glob, kind }: { handles: number; glob: string; kind: keyof typeof KINDS },
) {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-conservation-'));
  const { rotated: rotatedName, wrap, ...given }: Kind = KINDS[kind];
  const log = join(folder, given.log);
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, '');
  const manual = createManualClock(Date.now());
  const clock = { ...manual, now: () => Date.now() }; // Files have their times from the real one.
  const spool = createSpool(folder);
  const rotated: { path: string; isRenamed: boolean; isPacked: boolean }[] = [];
  let written = 0;
  let rotations = 0;
  let tailer: Tailer;
  let lines: Lines;
  const start = async (): Promise<void> => {
    // A last event is held back, and its place with it.
    lines = createLines({
      settingsOf: () => DEFAULT_LINES,
      redactor: createRedactor({ secrets: true, email: false, ip: false, patterns: [] }),
      clock,
      counts: createLineCounts(),
      addEvents: spool.pipeline.addEvents,
    });
    tailer = createTailer({
      sets: [{ include: [join(folder, glob)], exclude: [], start: 'saved' }],
      pipeline: { ...spool.pipeline, addLines: lines.addLines },
      handles,
      checkpoints: new Map(spool.durable.checkpoints),
      lastRunMs: spool.durable.lastRunMs,
      forget: (source) => void spool.durable.checkpoints.delete(source),
      clock,
      log: silentLogger,
    });
    await tailer.start();
  };
  const look = async (): Promise<void> => {
    for (let n = 0; n < 4; n++) {
      await manual.advance(1000);
      // Unpacking is left to other threads: its end is not in the hands of the clock.
      for (let turn = 0; turn < 12; turn++) await new Promise(setImmediate);
    }
  };
  const write = (path: string, count: number): void => {
    for (let n = 0; n < count; n++) {
      const number = written++;
      appendFileSync(path, wrap(`line ${number} ${'x'.repeat(written % 40)}`, number));
    }
  };
  /** Makes room for another rotated file and gives its name. */
  const nextRotated = (): string => {
    rotations++;
    rotated.forEach((file, place) => {
      const path = rotatedName(log, place + 1, rotated.length - place + 1);
      if (kind !== 'docker' && kind !== 'logrotate') return;
      renameSync(file.path, file.isPacked ? `${path}.gz` : path);
      file.path = file.isPacked ? `${path}.gz` : path;
    });
    return rotatedName(log, rotations, 1);
  };
  const readAll = async (): Promise<void> => {
    spool.release();
    for (let n = 0; n < 100 && spool.durable.lines.length < written; n++) {
      await look();
      spool.write();
      if (n > 10) await pause(5); // The threads that unpack have their turn.
    }
  };
  const acts: Record<Step, () => Promise<void> | void> = {
    write: () => write(log, 3),
    'write more': () => write(log, 60),
    'write to the renamed'() {
      const last = rotated.at(-1);
      if (last?.isRenamed === true && !last.isPacked) write(last.path, 2);
    },
    look,
    spool: () => spool.write(),
    rename() {
      const path = nextRotated();
      renameSync(log, path);
      writeFileSync(log, '');
      rotated.push({ path, isRenamed: true, isPacked: false });
    },
    copytruncate() {
      const path = nextRotated();
      copyFileSync(log, path);
      truncateSync(log);
      rotated.push({ path, isRenamed: false, isPacked: false });
    },
    pack() {
      const last = rotated.findLast(({ isPacked }) => !isPacked);
      if (last === undefined) return;
      writeFileSync(`${last.path}.gz`, gzipSync(readFileSync(last.path)));
      unlinkSync(last.path);
      Object.assign(last, { path: `${last.path}.gz`, isPacked: true });
    },
    async remove() {
      // A file that nobody has read is nobody's any more once it is removed.
      await readAll();
      const oldest = rotated.shift();
      if (oldest !== undefined) unlinkSync(oldest.path);
    },
    hold: () => spool.hold(),
    release: () => spool.release(),
    async restart() {
      await tailer.stop();
      lines.stop();
      spool.write();
      await start();
    },
    async kill() {
      spool.drop();
      await tailer.stop();
      lines.stop();
      spool.drop();
      await start();
    },
  };
  try {
    await start();
    await look();
    spool.write();
    for (const step of steps) await acts[step]();
    await readAll();
    await acts.restart(); // Nothing may come twice.
    for (let n = 0; n < 5; n++) await look();
    spool.write();
    return {
      got: spool.durable.lines.map((line) => Number(line.split(' ')[1])),
      written,
      losses: spool.losses,
      open: tailer!.open(),
    };
  } finally {
    await tailer!.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Sequences that once lost or doubled something. */
const FOUND: readonly (readonly Step[])[] = [
  ['write', 'remove', 'rename', 'pack', 'kill', 'rename', 'restart'],
  ['write', 'remove', 'copytruncate', 'pack', 'write', 'write', 'copytruncate', 'hold'],
  ['write', 'kill', 'copytruncate', 'write', 'rename', 'pack', 'write'],
  ['rename', 'rename', 'write to the renamed', 'write', 'remove', 'pack', 'copytruncate', 'spool'],
  ['remove', 'write', 'rename', 'write', 'restart', 'pack', 'write', 'hold', 'write'],
  ['write', 'rename', 'pack', 'kill', 'kill', 'rename', 'remove', 'kill', 'write to the renamed'],
  [
    'write',
    'remove',
    'copytruncate',
    'kill',
    'copytruncate',
    'write',
    'copytruncate',
    'write more',
    'look',
    'spool',
    'pack',
  ],
  [
    'copytruncate',
    'write',
    'copytruncate',
    'rename',
    'remove',
    'write',
    'restart',
    'copytruncate',
    'write',
    'write',
    'write',
  ],
  [
    'hold',
    'rename',
    'spool',
    'write',
    'remove',
    'copytruncate',
    'write more',
    'restart',
    'rename',
    'pack',
    'pack',
    'remove',
    'copytruncate',
    'restart',
    'hold',
  ],
  ['write', 'look', 'copytruncate', 'write', 'restart', 'pack', 'restart'],
  ['write', 'look', 'copytruncate', 'rename', 'pack', 'write', 'write', 'write', 'restart'],
  [
    'write',
    'rename',
    'write to the renamed',
    'spool',
    'write',
    'copytruncate',
    'pack',
    'hold',
    'hold',
    'look',
    'copytruncate',
    'remove',
    'hold',
  ],
];

test.each([
  { kind: 'plain', glob: 'app.log', handles: 512 },
  { kind: 'plain', glob: 'app.log*', handles: 512 },
  { kind: 'plain', glob: '*.log', handles: 1 },
  { kind: 'logrotate', glob: 'app.log', handles: 512 },
  { kind: 'kubelet', glob: 'pods/*/*/*.log', handles: 512 },
  { kind: 'docker', glob: 'containers/*/*-json.log', handles: 512 },
] as const)(
  'whatever happens to a log and its agent, each line arrives once: %o',
  { timeout: 240_000 },
  async (how) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 4, maxLength: 24 }), async (steps) => {
        const { got, written, losses } = await play(steps, how);
        expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, n) => n));
        // What was removed while no agent ran is told without a number, read or not.
        expect(losses.filter(({ bytes }) => bytes > 0)).toEqual([]);
      }),
      {
        numRuns: Number(process.env['RUNS'] ?? 60),
        seed: Number(process.env['SEED'] ?? 20261126),
        examples: FOUND.map((steps) => [[...steps]]),
      },
    );
  },
);
