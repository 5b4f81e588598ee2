import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Component } from '#sdk';
import type { AnomaliesState } from './anomalies/index.ts';
import type { BudgetUse, MetricSeries, Pressure, PressureStep, SeriesBudget } from './budgets/index.ts';
import type { LineCounts } from './lines/index.ts';
import type { Link } from './link/link.ts';
import { balances, deliveries, type Delivery } from './pipeline/delivery.ts';
import type { Dropped, DropReason } from './pipeline/ledger.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { Verdict } from './pushed/index.ts';
import type { SettingsState } from './reload/reload.ts';
import type { Spool } from './spool/index.ts';

/** What the running agent writes down for `outrider-agent status`. */
export interface Status {
  running: boolean;
  pid: number;
  agentId: string;
  hub: string;
  connected: boolean;
  reason: string;
  writtenMs: number;
  lastAckMs: number | null;
  spoolBytes: number;
  /** True while the spool is at its limit: samples are dropped. */
  spoolFull: boolean;
  /** Since the start: read + carried = dropped + those on their way into the spool + waiting in it + acknowledged + lost. */
  linesRead: number;
  /** By a rule of the settings. */
  linesDropped: number;
  /** The same by the name of the rule. */
  drops: Readonly<Record<string, number>>;
  /** What an earlier run left in the spool. */
  linesCarried: number;
  linesSpooled: number;
  linesWaiting: number;
  linesAcknowledged: number;
  linesLost: number;
  /** The same for each source, in lines and bytes: those with the most lines, and how many are not named. */
  sources: readonly SourceStatus[];
  moreSources: number;
  /** Samples that were dropped, by reason. */
  dropped: Readonly<Record<DropReason, Readonly<Dropped>>>;
  /** What is given up now to save. */
  pressure: readonly PressureStep[];
  /** How many times longer intervals of collectors are now. */
  stretch: number;
  budgets: readonly BudgetUse[];
  /** The metrics with the most series, and those whose values found no place. */
  series: { largest: readonly MetricSeries[]; overflowing: readonly MetricSeries[] };
  skewMs: number;
  settings: Readonly<SettingsState>;
  /** What was learnt of this host, and whether it is unlike it now; null where an older agent wrote this. */
  detection: AnomaliesState | null;
  /** What became of the settings that the hub pushed last; null when it pushed none. */
  pushed: Verdict | null;
  /** The revision of the hub that is in force; null for none, absent where an older agent wrote this. */
  pushedInForce?: string | null;
  files: readonly string[];
}

/** What became of the lines of one source. */
export interface SourceStatus extends Delivery {
  source: string;
  /** Every line and byte is in one of the states. */
  balances: boolean;
}

/** What the status is gathered from. */
export interface StatusGiven {
  agentId: string;
  spool: Spool;
  link: Pick<Link, 'state'>;
  pipeline: Pipeline;
  /** What was done to lines, by rule and kind. */
  counts: Pick<LineCounts, 'drops'>;
  pressure: Pick<Pressure, 'steps' | 'stretch'>;
  series: Pick<SeriesBudget, 'largest' | 'overflowing'>;
  budgets(): BudgetUse[];
  files(): readonly string[];
  settings(): Readonly<SettingsState>;
  detection(): AnomaliesState;
  pushed(): Verdict | null;
  /** The revision of the hub that is in force. */
  pushedInForce(): string | null;
}

/** Metrics that are named as those with the most series. */
const LARGEST = 5;
const OVERFLOWING = 20;
/** Sources that are named. */
const SOURCES = 100;

const STATUS_MS = 5_000;

/** What an agent of an older version did not write down. */
const LATER = {
  settings: { file: undefined, sinceMs: 0, faults: [], awaitRestart: [] },
  detection: null,
  pushed: null,
  dropped: {},
  linesDropped: 0,
  drops: {},
  sources: [],
  moreSources: 0,
  pressure: [],
  budgets: [],
  stretch: 1,
  series: { largest: [], overflowing: [] },
};

const fileOf = (dataFolder: string): string => join(dataFolder, 'status.json');

/** Those that lost something first, then those with the most lines. */
function sourcesOf({ pipeline, spool }: Pick<StatusGiven, 'pipeline' | 'spool'>): SourceStatus[] {
  const all = [...deliveries({ ...pipeline, spool })];
  all.sort(([, a], [, b]) => b.lost.bytes - a.lost.bytes || b.read.lines - a.read.lines);
  return all.slice(0, SOURCES).map(([source, one]) => ({ source, ...one, balances: balances(one) }));
}

/** Gathers the status of a running agent. */
export function statusOf(given: StatusGiven): Omit<Status, 'running' | 'writtenMs'> {
  const { agentId, spool, link, pipeline, pressure, series, files, settings } = given;
  const { connected, reason, hub, lastAckMs, skewMs } = link.state();
  const { linesRead, linesDropped, linesSpooled, linesLost, dropped, sources } = pipeline.ledger();
  const { carried, waiting, acknowledged, lost } = spool.lines();
  return {
    pid: process.pid,
    agentId,
    hub,
    connected,
    reason,
    lastAckMs: lastAckMs ?? null,
    spoolBytes: spool.bytes(),
    spoolFull: spool.isFull(),
    linesRead,
    linesDropped,
    drops: Object.fromEntries(given.counts.drops),
    linesCarried: carried,
    linesSpooled,
    linesWaiting: waiting,
    linesAcknowledged: acknowledged,
    linesLost: linesLost + lost,
    sources: sourcesOf(given),
    moreSources: Math.max(0, sources.size - SOURCES),
    dropped,
    pressure: pressure.steps(),
    stretch: pressure.stretch(),
    budgets: given.budgets(),
    series: { largest: series.largest(LARGEST), overflowing: series.overflowing().slice(0, OVERFLOWING) },
    skewMs,
    settings: settings(),
    detection: given.detection(),
    pushed: given.pushed(),
    pushedInForce: given.pushedInForce(),
    files: files(),
  };
}

/** Writes the status down every few seconds, and at the end that the agent has stopped. */
export function createStatusWriter(given: StatusGiven & { dataFolder: string; clock: Clock }): Component {
  const { dataFolder, clock } = given;
  const file = fileOf(dataFolder);
  const write = (running: boolean): void => {
    const status: Status = { ...statusOf(given), running, writtenMs: clock.now() };
    try {
      // Renamed, so that nobody reads a half, but not waited for: after a crash it is stale anyhow.
      writeFileSync(`${file}.new`, JSON.stringify(status), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // A full disk: the status is old until there is room.
    }
  };
  let cancel: (() => void) | undefined;
  return {
    start() {
      write(true);
      cancel = clock.every(STATUS_MS, () => write(true));
      return Promise.resolve();
    },
    stop() {
      cancel?.();
      write(false);
      return Promise.resolve();
    },
  };
}

/** Reads the status that an agent left; undefined when none ever ran with this data folder. */
export function readStatus(dataFolder: string): Status | undefined {
  try {
    const written = JSON.parse(readFileSync(fileOf(dataFolder), 'utf8')) as { settings?: object };
    const settings = { ...LATER.settings, ...written.settings };
    return { ...LATER, ...written, settings } as unknown as Status;
  } catch {
    return undefined; // None ran yet, or a crash left a half.
  }
}

/** A status older than this was left by an agent that was killed, milliseconds. */
const STALE_MS = 30_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** True while the agent that wrote a status runs. */
export function isRunning(status: Status | undefined, nowMs: number): boolean {
  return status?.running === true && isAlive(status.pid) && nowMs - status.writtenMs < STALE_MS;
}
