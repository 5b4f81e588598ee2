import {
  appendFileSync,
  copyFileSync,
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
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBinary } from '@bufbuild/protobuf';
import { LogChunkSchema } from '#proto/agent/v1/index.ts';
import { createManualClock } from '#kit';
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

/** A log, the program that writes it, what rotates it, and the agent that follows it. */
async function play(steps: readonly Step[], { handles, glob }: { handles: number; glob: string }) {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-conservation-'));
  const log = join(folder, 'app.log');
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
    for (let n = 0; n < count; n++) appendFileSync(path, `line ${written++} ${'x'.repeat(written % 40)}\n`);
  };
  const readAll = async (): Promise<void> => {
    spool.release();
    for (let n = 0; n < 100 && spool.durable.lines.length < written; n++) {
      await look();
      spool.write();
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
      const path = `${log}.${++rotations}`;
      renameSync(log, path);
      writeFileSync(log, '');
      rotated.push({ path, isRenamed: true, isPacked: false });
    },
    copytruncate() {
      const path = `${log}.${++rotations}`;
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

test.each([
  { glob: 'app.log', handles: 512 },
  { glob: 'app.log*', handles: 512 },
  { glob: '*.log', handles: 1 },
])('whatever happens to a log and its agent, each line arrives once: %o', { timeout: 240_000 }, async (how) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { minLength: 4, maxLength: 24 }), async (steps) => {
      const { got, written, losses } = await play(steps, how);
      expect(got.sort((a, b) => a - b)).toEqual(Array.from({ length: written }, (_, n) => n));
      expect(losses).toEqual([]);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60), seed: Number(process.env['SEED'] ?? 20261126) },
  );
});
