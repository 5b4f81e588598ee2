import { existsSync } from 'node:fs';
import picomatch from 'picomatch';
import type { Clock, Component, Logger } from '#sdk';
import { createBackoff } from '../link/backoff.ts';
import type { Lines } from '../lines/index.ts';
import type { Loss } from '../pipeline/loss.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Checkpoint } from '../spool/index.ts';
import { runChild, type Child } from './child.ts';
import { followArguments, oneArguments, type Beginning } from './command.ts';
import type { JournalSettings } from './config.ts';
import { readEntry, timeOfCursor, type JournalEntry } from './entry.ts';

/** What reading the journal stands on. */
export interface JournalGiven {
  settings: JournalSettings;
  /** The program that is run; journalctl where systems have it unless given. */
  program?: string;
  pipeline: Pick<Lines, 'addLines'> & Pick<Pipeline, 'hasRoom' | 'room' | 'addLost'>;
  /** Where an earlier run had come to. */
  checkpoints: ReadonlyMap<string, Checkpoint>;
  clock: Clock;
  log: Logger;
}

/** The name of the journal in places. */
const nameOf = ({ directory = 'system' }: JournalSettings): string => directory;
/** Where systems have it. */
const PROGRAMS = ['/usr/bin/journalctl', '/bin/journalctl', '/run/current-system/sw/bin/journalctl'];
/** Where journald keeps it. */
const FOLDERS = ['/run/log/journal', '/var/log/journal'];
/** Files that hold what the journal holds, where a syslog daemon writes them. */
const SYSLOG = ['/var/log/syslog', '/var/log/messages'];

/** Whether the journal is read, and why. */
export function judgeJournal({ read, directory }: JournalSettings): { isRead: boolean; reason: string } {
  if (read === 'off') return { isRead: false, reason: 'journal.read is off' };
  if (!PROGRAMS.some((path) => existsSync(path)))
    return {
      isRead: false,
      reason: `journalctl, which reads it, is not here: there is none of ${PROGRAMS.join(', ')}`,
    };
  const folders = directory === undefined ? FOLDERS : [directory];
  if (read === 'auto' && !folders.some((path) => existsSync(path)))
    return { isRead: false, reason: `this machine keeps no journal: there is no ${folders.join(' and no ')}` };
  const syslog = SYSLOG.find((path) => existsSync(path));
  if (read === 'on' || syslog === undefined) return { isRead: true, reason: `journal.read is ${read}` };
  return { isRead: false, reason: `${syslog} holds the same lines; journal.read: on reads the journal too` };
}

/** The place after an entry. */
const placeAt = (journal: string, cursor: string): Checkpoint => ({ journal, cursor });

/** Hands entries on in runs of one unit each; the place of each run is that of its last entry. */
function createHandOn({ settings, pipeline }: JournalGiven, isLeftOut: (unit: string) => boolean) {
  const journal = nameOf(settings);
  return (entries: readonly JournalEntry[]): void => {
    for (let at = 0; at < entries.length;) {
      const source = entries[at]?.source ?? '';
      let end = at;
      while (entries[end]?.source === source) end++;
      const run = entries.slice(at, end);
      const lines = run.filter(({ unit }) => !isLeftOut(unit)).map(({ line }) => line);
      const checkpoint = placeAt(journal, run.at(-1)?.cursor ?? '');
      pipeline.addLines({ path: source, piece: undefined, entries: lines, checkpoint });
      at = end;
    }
  };
}

/** A loss before anything was read. */
type Unread = Pick<Loss, 'lines' | 'bytes' | 'fromMs' | 'toMs' | 'cause'>;

/** Runs journalctl; one run at a time. */
function createRuns(
  { program = PROGRAMS.find((path) => existsSync(path)) ?? 'journalctl', clock }: JournalGiven,
  lost: (loss: Unread) => void,
) {
  let child: Child | undefined;
  let isEnded = false;
  const run = (args: string[], take: (lines: string[]) => Promise<void> | void): Promise<string | undefined> => {
    const tooLong = (bytes: number): void =>
      lost({ lines: 1, bytes, fromMs: clock.now(), toMs: clock.now(), cause: 'unreadable' });
    child = runChild({ program, args, take, tooLong, clock });
    if (isEnded) child.end();
    return child.ended;
  };
  return {
    run,
    /** The one entry that it prints. */
    async one(args: string[]): Promise<JournalEntry | undefined> {
      let found: JournalEntry | undefined;
      const fault = await run(args, (lines) => {
        found ??= lines.map(readEntry).find((entry) => entry !== undefined);
      });
      if (fault !== undefined) throw new Error(fault);
      return found;
    },
    end(): void {
      isEnded = true;
      child?.end();
    },
  };
}

/** Follows systemd's journal through journalctl, which is started again when it ends. The journal is the buffer: nothing is read on while there is no room. */
export function createJournal(given: JournalGiven): Component {
  const { settings, pipeline, clock, log } = given;
  const journal = nameOf(settings);
  const isLeftOut = settings.exclude.length === 0 ? () => false : picomatch([...settings.exclude]);
  const handOn = createHandOn(given, isLeftOut);
  const stopping = new AbortController();
  const backoff = createBackoff();
  let running: Promise<void> | undefined;
  let cursor: string | undefined;
  let gone: string | undefined;

  const lost = (loss: Unread): void => {
    log.error('entries of the journal were lost before they were read', { ...loss });
    pipeline.addLost({ path: 'journal', ...loss });
  };
  const runs = createRuns(given, lost);
  /** Finds where reading begins, and says what is gone that was not read. */
  const begin = async (isFirst: boolean): Promise<Beginning> => {
    if (cursor !== undefined && !(isFirst && settings.start === 'end')) {
      const next = await runs.one(oneArguments(settings, cursor));
      const fromMs = timeOfCursor(cursor) ?? 0;
      const toMs = next?.line.timeMs ?? clock.now();
      if (next?.cursor !== cursor && gone !== cursor)
        lost({ lines: undefined, bytes: 0, fromMs: Math.min(fromMs, toMs), toMs, cause: 'removed' });
      gone = next?.cursor === cursor ? undefined : cursor; // It is said once.
      return { cursor };
    }
    const newest = settings.start === 'beginning' ? undefined : await runs.one(oneArguments(settings, undefined));
    if (newest === undefined) return 'beginning';
    cursor = newest.cursor;
    // A restart goes on from here, though nothing was written yet.
    pipeline.addLines({ path: 'journal', piece: undefined, checkpoint: placeAt(journal, cursor) });
    return { cursor };
  };
  const take = async (lines: string[]): Promise<void> => {
    backoff.reset();
    const entries = lines.flatMap((line) => readEntry(line) ?? []).filter((entry) => entry.cursor !== cursor);
    cursor = entries.at(-1)?.cursor ?? cursor;
    handOn(entries);
    if (!pipeline.hasRoom()) await Promise.race([pipeline.room(), aborted]);
  };
  const aborted = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  const follow = async (): Promise<void> => {
    for (let isFirst = true; !stopping.signal.aborted; isFirst = false) {
      let fault: string | undefined;
      try {
        const beginning = await begin(isFirst);
        if (!stopping.signal.aborted) fault = await runs.run(followArguments(settings, beginning), take);
      } catch (error) {
        fault = String((error as Error).message);
      }
      if (stopping.signal.aborted) return;
      log.warn('journalctl has ended; it is started again', { reason: fault ?? 'it said nothing' });
      await clock.sleep(backoff.next(), stopping.signal);
    }
  };
  return {
    start() {
      const place = given.checkpoints.get(`journal:${journal}`);
      cursor = place !== undefined && 'journal' in place ? place.cursor : undefined;
      running = follow();
      return Promise.resolve();
    },
    async stop() {
      stopping.abort();
      runs.end();
      await running;
    },
  };
}
