import { join } from 'node:path';
import type { Clock, Component, Logger } from '#sdk';
import { logSetsOf, type AgentSettings } from './config.ts';
import { createJournal, judgeJournal } from './journal/index.ts';
import { createLines, DEFAULT_LINES, settingsByPath, type LineCounts } from './lines/index.ts';
import { ownContainerGlobs } from './own-container.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import { createRedactor } from './redact/index.ts';
import type { Spool } from './spool/index.ts';
import { createTailer } from './tail/tailer.ts';
import type { LineTemplates } from './templates/index.ts';

/** What reading logs stands on. */
export interface ReadingGiven {
  settings: AgentSettings;
  dataFolder: string;
  spool: Spool;
  pipeline: Pipeline;
  /** When the last run ended; undefined before the first. */
  lastRunMs: number | undefined;
  /** Made anew by a reload: only a start leaves out what was written before, a changed setting loses nothing. */
  isAgain: boolean;
  /** Goes on over renewals. */
  counts: LineCounts;
  /** Finds what kind of line each event is; goes on over renewals. Absent where nobody asks. */
  templates: Pick<LineTemplates, 'find'> | undefined;
  clock: Clock;
  log: Logger;
}

/** Follows log files and makes events of their lines. */
export interface Reading extends Component {
  /** Files that are followed now. */
  files(): readonly string[];
  /** Handles that it holds. */
  open(): number;
}

/** What is followed: the entries of `logs` in their order, then the agent's own log. */
export function followedSets(settings: AgentSettings, dataFolder: string): AgentSettings['logs'] {
  const ownLog = {
    include: [join(dataFolder, 'log', '*.log')],
    exclude: [],
    start: 'beginning' as const,
    ...DEFAULT_LINES,
  };
  const own = ownContainerGlobs();
  const others = logSetsOf(settings).map((set) => ({ ...set, exclude: [...set.exclude, ...own] }));
  return [...others, ...(settings.ownLog ? [ownLog] : [])];
}

/** Makes a tailer and what its lines go through, from one state of the settings. */
export function createReading(given: ReadingGiven): Reading {
  const { settings, dataFolder, spool, pipeline, lastRunMs, isAgain, counts, templates, clock, log } = given;
  const sets = followedSets(settings, dataFolder).map((set) =>
    isAgain && set.start === 'end' ? { ...set, start: 'saved' as const } : set,
  );
  const settingsOf = settingsByPath(sets);
  const lines = createLines({
    settingsOf,
    redactor: createRedactor(settings.redact),
    clock,
    counts,
    addEvents: (events) => pipeline.addEvents(events),
    dropped: (path, amount) => pipeline.addDropped(path, amount),
    templates,
  });
  const tailer = createTailer({
    sets,
    pipeline: { ...pipeline, addLines: (read) => lines.addLines(read) },
    handles: settings.openFiles,
    encodingOf: (path) => settingsOf(path).encoding,
    checkpoints: spool.checkpoints(),
    lastRunMs,
    forget: (source) => spool.forget(source),
    clock,
    log,
  });
  const { journal } = settings;
  const ofJournal = judgeJournal(journal).isRead
    ? createJournal({
        settings: isAgain && journal.start === 'end' ? { ...journal, start: 'saved' } : journal,
        pipeline: { ...pipeline, addLines: (read) => lines.addLines(read) },
        checkpoints: spool.checkpoints(),
        clock,
        log,
      })
    : undefined;
  return {
    async start() {
      await tailer.start();
      await ofJournal?.start?.();
    },
    async stop() {
      await ofJournal?.stop?.();
      await tailer.stop();
      lines.stop(); // What was held back is whole then.
    },
    files: () => [...tailer.files(), ...(ofJournal === undefined ? [] : ['journal'])],
    open: () => tailer.open(),
  };
}
