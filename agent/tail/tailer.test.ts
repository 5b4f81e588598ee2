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
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger, systemClock, type Clock } from '#sdk';
import { sourceOf, isOfFile, type Checkpoint } from '../spool/index.ts';
import type { TailSet } from './discovery.ts';
import { createTailer, type Tailer } from './tailer.ts';

let folder = '';
let log = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-tail-'));
  log = join(folder, 'app.log');
});
const running = new Set<Tailer>();
afterEach(async () => {
  for (const tailer of running) await tailer.stop();
  running.clear();
  rmSync(folder, { recursive: true });
});

/** What a pipeline would have spooled: lines, and where to go on. */
function createSpooled() {
  const lines: { path: string; text: string; cut: boolean }[] = [];
  const checkpoints = new Map<string, Checkpoint>();
  let lost = 0;
  let room = true;
  let wake = (): void => undefined;
  return {
    lines,
    checkpoints,
    lost: () => lost,
    texts: (): string[] => lines.map(({ text }) => text),
    hold: () => void (room = false),
    release: () => ((room = true), wake()),
    pipeline: {
      addLines({ path, piece, checkpoint }: Parameters<Parameters<typeof createTailer>[0]['pipeline']['addLines']>[0]) {
        checkpoints.set(sourceOf(checkpoint), checkpoint);
        if (piece === undefined || piece.bytes.length === 0) return;
        const texts = piece.bytes.toString().split('\n');
        if (texts.at(-1) === '') texts.pop();
        for (const text of texts) lines.push({ path, text, cut: piece.cut });
      },
      addLost: () => void lost++,
      hasRoom: () => room,
      room: () => (room ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve))),
    },
  };
}
type Spooled = ReturnType<typeof createSpooled>;

async function follow(spooled: Spooled, set: Partial<TailSet> = {}, lastRunMs?: number, clock: Clock = systemClock) {
  const tailer = createTailer({
    sets: [{ include: [join(folder, '*.log')], exclude: [], start: 'saved', ...set }],
    pipeline: spooled.pipeline,
    handles: 512,
    checkpoints: new Map(spooled.checkpoints),
    lastRunMs,
    forget: (source) => void spooled.checkpoints.delete(source),
    clock,
    log: silentLogger,
  });
  running.add(tailer);
  await tailer.start();
  return tailer;
}
/** Waits until something is true. */
const until = (probe: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(probe()).toBe(true), { timeout: 10_000 });
const arrives = (spooled: Spooled, count: number): Promise<void> => until(() => spooled.lines.length >= count);
/** What the file system takes for the time, as the spool's own files do. */
function nowOfFiles(): number {
  const file = join(folder, 'now');
  writeFileSync(file, '');
  return statSync(file).mtimeMs;
}
const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, n) => `line ${from + n}`);
const write = (path: string, from: number, to: number): void =>
  appendFileSync(
    path,
    numbered(from, to)
      .map((line) => `${line}\n`)
      .join(''),
  );

test('a file is followed from its end, and one that appears later from its beginning', async () => {
  write(log, 0, 3);
  const spooled = createSpooled();
  await follow(spooled);
  write(log, 3, 5);
  await arrives(spooled, 2);
  write(join(folder, 'other.log'), 5, 8);
  write(join(folder, 'other.txt'), 100, 200);
  await arrives(spooled, 5);
  expect(spooled.texts()).toEqual(numbered(3, 8));
});

test('a line waits for its newline', async () => {
  writeFileSync(log, '');
  const spooled = createSpooled();
  await follow(spooled);
  appendFileSync(log, 'whole\nhal');
  await arrives(spooled, 1);
  appendFileSync(log, 'f\n\nend\n');
  await arrives(spooled, 4);
  expect(spooled.texts()).toEqual(['whole', 'half', '', 'end']);
});

test('a line of 10 MB is cut, its rest is skipped, and the next line is whole', async () => {
  writeFileSync(log, '');
  const spooled = createSpooled();
  await follow(spooled);
  appendFileSync(log, 'x'.repeat(10_000_000));
  await arrives(spooled, 1);
  appendFileSync(log, 'y\nnext\n');
  await arrives(spooled, 2);
  expect(spooled.lines.map(({ text, cut }) => [text.length, cut])).toEqual([
    [262_144, true],
    [4, false],
  ]);
});

test.each(['rename', 'copytruncate', 'recreate'] as const)(
  'no line is lost or doubled over rotations by %s',
  async (way) => {
    writeFileSync(log, '');
    const spooled = createSpooled();
    await follow(spooled);
    for (let round = 0; round < 5; round++) {
      // What was written just before a rotation is what tailers lose. A file that is removed keeps nothing for anyone.
      write(log, round * 100, round * 100 + 50);
      if (way !== 'rename') await arrives(spooled, round * 100 + 50);
      write(log, round * 100 + 50, round * 100 + 100);
      if (way === 'recreate') await arrives(spooled, round * 100 + 100);
      if (way === 'rename') renameSync(log, `${log}.${round}`);
      if (way === 'recreate') unlinkSync(log);
      if (way === 'copytruncate') {
        copyFileSync(log, `${log}.${round}`);
        truncateSync(log);
      } else writeFileSync(log, '');
    }
    write(log, 500, 600);
    await arrives(spooled, 600);
    expect(spooled.texts().sort()).toEqual(numbered(0, 600).sort());
    expect(new Set(spooled.lines.map(({ path }) => path))).toEqual(new Set([log]));
    expect(spooled.lost()).toBe(0);
  },
);

test('a program that keeps writing to the renamed file is still heard', async () => {
  write(log, 0, 1);
  const spooled = createSpooled();
  await follow(spooled, { start: 'beginning' });
  await arrives(spooled, 1);
  renameSync(log, `${log}.1`);
  write(log, 10, 12);
  await arrives(spooled, 3);
  write(`${log}.1`, 1, 3);
  await arrives(spooled, 5);
  expect(spooled.texts().sort()).toEqual([...numbered(0, 3), ...numbered(10, 12)].sort());
});

test('a file that is cut and grows beyond where it was read is not taken for the old one', async () => {
  write(log, 0, 50);
  const spooled = createSpooled();
  await follow(spooled);
  spooled.hold();
  truncateSync(log);
  write(log, 1000, 1200);
  spooled.release();
  await arrives(spooled, 200);
  expect(spooled.texts()).toEqual(numbered(1000, 1200));
});

test('a restart reads on where it was, and what came meanwhile', async () => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const first = await follow(spooled);
  await first.stop();
  running.delete(first);
  const stoppedMs = nowOfFiles();
  write(log, 10, 20);
  write(join(folder, 'new.log'), 20, 30);
  await follow(spooled, {}, stoppedMs);
  await arrives(spooled, 20);
  expect(spooled.texts().sort()).toEqual(numbered(10, 30));
});

test.each(['rename', 'copytruncate'] as const)('a rotation by %s while no agent ran loses nothing', async (way) => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const first = await follow(spooled, { start: 'beginning' });
  await arrives(spooled, 10);
  await first.stop();
  running.delete(first);
  const stoppedMs = nowOfFiles();
  write(log, 10, 20);
  if (way === 'rename') renameSync(log, `${log}.1`);
  else {
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
  }
  write(log, 20, 30);
  await follow(spooled, {}, stoppedMs);
  await arrives(spooled, 30);
  expect(spooled.texts().sort()).toEqual(numbered(0, 30).sort());
});

test('another file with the same inode is read from its beginning', async () => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const first = await follow(spooled, { start: 'beginning' });
  await arrives(spooled, 10);
  await first.stop();
  running.delete(first);
  writeFileSync(log, readFileSync(log, 'utf8').replaceAll('line', 'LINE'));
  await follow(spooled, {}, Date.now());
  await arrives(spooled, 20);
  expect(spooled.texts().slice(10)).toEqual(numbered(0, 10).map((line) => line.toUpperCase()));
});

test('nobody reads while there is no room, and a file that is rotated away meanwhile is read all the same', async () => {
  writeFileSync(log, '');
  const spooled = createSpooled();
  const tailer = await follow(spooled);
  spooled.hold();
  for (let round = 0; round < 3; round++) {
    write(log, round * 10, round * 10 + 10);
    renameSync(log, `${log}.${round}`);
    writeFileSync(log, '');
    await until(() => tailer.open() >= round + 2);
  }
  unlinkSync(`${log}.0`);
  expect(spooled.lines).toEqual([]);
  spooled.release();
  await arrives(spooled, 30);
  expect(spooled.texts().sort()).toEqual(numbered(0, 30).sort());
});

test('what a file of invalid UTF-8 and zero bytes holds arrives, and the next line is whole', async () => {
  writeFileSync(log, '');
  const spooled = createSpooled();
  await follow(spooled);
  appendFileSync(log, Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28, 0x0a]), Buffer.from('next\n')]));
  await arrives(spooled, 2);
  expect(spooled.texts()[1]).toBe('next');
});

test('a device that has got another number since the last run changes nothing', async () => {
  write(log, 0, 10);
  write(`${log}.1`, 100, 110);
  const spooled = createSpooled();
  const first = await follow(spooled, { include: [join(folder, 'app.log*')], start: 'beginning' });
  await arrives(spooled, 20);
  await first.stop();
  running.delete(first);
  const stoppedMs = nowOfFiles();
  for (const [source, checkpoint] of [...spooled.checkpoints]) {
    spooled.checkpoints.delete(source);
    const moved = { ...checkpoint, device: 9999 };
    if (isOfFile(moved)) spooled.checkpoints.set(sourceOf(moved), moved);
  }
  write(log, 10, 20);
  renameSync(`${log}.1`, `${log}.2`); // Found by what it begins with.
  write(`${log}.2`, 110, 120);
  write(log, 20, 30);
  await follow(spooled, { include: [log] }, stoppedMs);
  await arrives(spooled, 50);
  expect(spooled.texts().sort()).toEqual([...numbered(0, 30), ...numbered(100, 120)].sort());
  const left = (): Checkpoint[] => [...spooled.checkpoints.values()].filter((place) => !('gone' in place));
  await until(() => left().every((place) => isOfFile(place) && place.device !== 9999));
});

test('two truncations by copy while nobody looked lose nothing', async () => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const first = await follow(spooled, { start: 'beginning' });
  await arrives(spooled, 10);
  await first.stop();
  running.delete(first);
  const stoppedMs = nowOfFiles();
  for (let round = 1; round <= 2; round++) {
    write(log, round * 10, round * 10 + 10);
    if (round === 2) renameSync(`${log}.1`, `${log}.2`);
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    await systemClock.sleep(30); // File systems tell times apart that differ by more than a tick.
  }
  write(log, 30, 40);
  await follow(spooled, {}, stoppedMs);
  await arrives(spooled, 40);
  expect(spooled.texts().sort()).toEqual(numbered(0, 40).sort());
});

test('a deleted file is forgotten, so that its number on the disk may be used again', async () => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const clock = createManualClock(Date.now());
  const tailer = await follow(spooled, { start: 'beginning' }, undefined, clock);
  const passes = async (probe: () => boolean): Promise<void> => {
    for (let n = 0; n < 300 && !probe(); n++) {
      await clock.advance(1000);
      await new Promise(setImmediate);
    }
    expect(probe()).toBe(true);
  };
  await passes(() => spooled.lines.length === 10);
  expect(spooled.checkpoints.size).toBe(1);
  unlinkSync(log);
  await passes(() => tailer.open() === 0);
  expect(spooled.checkpoints.size).toBe(0);
  writeFileSync(log, '');
  write(log, 0, 20); // It begins as the old one did, and reaches further.
  await passes(() => spooled.lines.length === 30);
  expect(spooled.texts().slice(10)).toEqual(numbered(0, 20));
});

test('a file that was removed while no agent ran is said to be lost as far as it was not read, one that was rotated before it was removed is not', async () => {
  write(log, 0, 3);
  const spooled = createSpooled();
  const first = await follow(spooled, { start: 'beginning' });
  await arrives(spooled, 3);
  renameSync(log, `${log}.1`);
  write(log, 3, 5);
  await arrives(spooled, 5);
  await first.stop();
  const lastRunMs = nowOfFiles();
  unlinkSync(`${log}.1`);
  const second = await follow(spooled, {}, lastRunMs);
  write(log, 5, 6);
  await arrives(spooled, 6);
  expect(spooled.lost()).toBe(0);
  await second.stop();
  write(log, 6, 9); // Nobody will ever read these.
  unlinkSync(log);
  write(log, 9, 11);
  await follow(spooled, { start: 'beginning' }, lastRunMs);
  await arrives(spooled, 8);
  await until(() => spooled.lost() === 1);
  expect(spooled.texts()).toEqual([...numbered(0, 6), ...numbered(9, 11)]);
});

test('places of files that others removed are forgotten within hours', async () => {
  write(log, 0, 10);
  const spooled = createSpooled();
  const clock = createManualClock(Date.now());
  await follow(spooled, { start: 'beginning' }, undefined, clock);
  const passes = async (probe: () => boolean, stepMs: number): Promise<void> => {
    for (let n = 0; n < 300 && !probe(); n++) {
      await clock.advance(stepMs);
      await new Promise(setImmediate);
    }
    expect(probe()).toBe(true);
  };
  await passes(() => spooled.lines.length === 10, 1000);
  copyFileSync(log, `${log}.1`);
  truncateSync(log);
  await passes(() => spooled.checkpoints.size === 2, 1000);
  unlinkSync(`${log}.1`);
  await passes(() => spooled.checkpoints.size === 1, 60_000);
});
