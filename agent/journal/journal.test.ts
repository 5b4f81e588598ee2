import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { silentLogger, systemClock } from '#sdk';
import type { TailedLines } from '../lines/index.ts';
import type { Loss } from '../pipeline/loss.ts';
import { sourceOf, type Checkpoint } from '../spool/index.ts';
import type { JournalSettings } from './config.ts';
import { createJournal } from './journal.ts';

/** Writes files of journals from their export form; Debian has it as systemd-journal-remote. */
const REMOTE = '/lib/systemd/systemd-journal-remote';
const isThere = existsSync(REMOTE) && spawnSync('journalctl', ['--version']).status === 0;
const SETTINGS: JournalSettings = { read: 'on', units: [], exclude: [], priority: 'debug', start: 'beginning' };
const BEGIN = 1_769_860_000_000;

const root = mkdtempSync(join(tmpdir(), 'outrider-journal-'));
afterAll(() => rmSync(root, { recursive: true }));

let folder: string;
let number = 0;
const started: { stop(): Promise<void> }[] = [];
beforeEach(() => {
  folder = join(root, String(number++));
  mkdirSync(folder);
});
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

/** Adds entries `line N` of two units to a file of the journal. */
function write(from: number, count: number, file = 'a.journal'): void {
  const entries = Array.from({ length: count }, (_, n) => {
    const at = from + n;
    const fields = {
      __REALTIME_TIMESTAMP: `${BEGIN + at * 1000}000`,
      __MONOTONIC_TIMESTAMP: `${at * 1000}000`,
      _BOOT_ID: '0f'.repeat(16),
      _MACHINE_ID: '1f'.repeat(16),
      MESSAGE: `line ${at}`,
      PRIORITY: at % 2 === 0 ? '3' : '6',
      _SYSTEMD_UNIT: at % 2 === 0 ? 'even.service' : 'odd.service',
    };
    return Object.entries(fields).map(([name, value]) => `${name}=${value}\n`).join(''); // prettier-ignore
  });
  const input = join(root, 'in.export');
  writeFileSync(input, entries.map((text) => `${text}\n`).join(''));
  execFileSync(REMOTE, ['-o', join(folder, file), input], { stdio: 'ignore' });
}

/** What stands behind a reader of the journal. */
function createSink() {
  const texts: string[] = [];
  const sources = new Set<string>();
  const checkpoints = new Map<string, Checkpoint>();
  const losses: Loss[] = [];
  let room = true;
  let wake = (): void => undefined;
  return {
    texts,
    sources,
    checkpoints,
    losses,
    hold: () => void (room = false),
    release: () => ((room = true), wake()),
    pipeline: {
      addLines({ path, entries = [], checkpoint }: TailedLines) {
        for (const { text } of entries) texts.push(text.toString());
        if (entries.length > 0) sources.add(path);
        checkpoints.set(sourceOf(checkpoint), checkpoint);
      },
      addLost: (loss: Loss) => void losses.push(loss),
      hasRoom: () => room,
      room: () => (room ? Promise.resolve() : new Promise<void>((resolve) => (wake = resolve))),
    },
  };
}
type Sink = ReturnType<typeof createSink>;

async function start(sink: Sink, settings: Partial<JournalSettings> = {}, program?: string) {
  const journal = createJournal({
    settings: { ...SETTINGS, directory: folder, ...settings },
    ...(program === undefined ? {} : { program }),
    pipeline: sink.pipeline,
    checkpoints: new Map(sink.checkpoints),
    clock: systemClock,
    log: silentLogger,
  });
  await journal.start?.();
  const part = { stop: async () => journal.stop?.() };
  started.push(part);
  return part;
}
const lines = (from: number, count: number): string[] => Array.from({ length: count }, (_, n) => `line ${from + n}`);
const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 20 });

test('a journalctl that is not there is tried again until the reader stops', async () => {
  const sink = createSink();
  const journal = await start(sink, {}, join(root, 'no-such-program'));
  await journal.stop();
  expect(sink.texts).toEqual([]);
});

describe.skipIf(!isThere)(
  'a real journal (apt-get install systemd systemd-journal-remote)',
  { timeout: 120_000 },
  () => {
    test('is read, followed, and read on by the next run after the entry that was read last', async () => {
      write(0, 4);
      const sink = createSink();
      const first = await start(sink);
      await until(() => expect(sink.texts).toEqual(lines(0, 4)));
      write(4, 2);
      await until(() => expect(sink.texts).toEqual(lines(0, 6)));
      await first.stop();
      write(6, 3);
      await start(sink);
      await until(() => expect(sink.texts).toEqual(lines(0, 9)));
      expect([...sink.sources].sort()).toEqual(['journal:even.service', 'journal:odd.service']);
      expect([...sink.checkpoints.keys()]).toEqual([`journal:${folder}`]);
      expect(sink.losses).toEqual([]);
    });

    test('is read from its end at first, and what is written while no agent runs is not left out after that', async () => {
      write(0, 4);
      const sink = createSink();
      const first = await start(sink, { start: 'saved' });
      await until(() => expect(sink.checkpoints.size).toBe(1));
      await first.stop();
      write(4, 2);
      await start(sink, { start: 'saved' });
      await until(() => expect(sink.texts).toEqual(lines(4, 2)));
    });

    test('gives only the units and priorities that are asked for, also where the last entry was none of them', async () => {
      write(0, 5);
      const sink = createSink();
      const first = await start(sink, { exclude: ['odd*'] });
      await until(() => expect(sink.texts).toEqual(['line 0', 'line 2', 'line 4']));
      await first.stop();
      write(5, 2);
      const second = await start(sink, { units: ['odd.service'] });
      await until(() => expect(sink.texts.at(-1)).toBe('line 5'));
      await second.stop();
      write(7, 2);
      await start(sink, { priority: 'err' });
      await until(() => expect(sink.texts.slice(4)).toEqual(['line 6', 'line 8']));
      expect(sink.losses).toEqual([]);
    });

    test('whose entries are gone before they were read loses them, and says so', async () => {
      write(0, 4);
      const sink = createSink();
      const first = await start(sink);
      await until(() => expect(sink.texts).toHaveLength(4));
      await first.stop();
      rmSync(join(folder, 'a.journal'));
      write(10, 3, 'b.journal');
      await start(sink);
      await until(() => expect(sink.texts).toEqual([...lines(0, 4), ...lines(10, 3)]));
      expect(sink.losses).toEqual([
        { path: 'journal', lines: undefined, bytes: 0, fromMs: BEGIN + 3000, toMs: BEGIN + 10_000, cause: 'removed' },
      ]);
    });

    test('is not read on while there is no room', async () => {
      write(0, 3000);
      const sink = createSink();
      sink.hold();
      await start(sink);
      await until(() => expect(sink.texts.length).toBeGreaterThan(0));
      expect(sink.texts.length).toBeLessThan(3000);
      sink.release();
      await until(() => expect(sink.texts).toEqual(lines(0, 3000)));
    });
  },
);
