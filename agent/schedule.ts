import { reasonOf, type Attributes, type Clock, type Collector, type Component, type Logger } from '#sdk';
import type { SeriesBudget } from './budgets/index.ts';
import { createTableBuilder, type MetricTable, type Row } from './table.ts';

/** A collector with what its settings say about time. */
export interface ScheduledCollector {
  name: string;
  collector: Collector;
  intervalMs: number;
  /** How long a run may take; the larger of the interval and five seconds unless given. */
  deadlineMs?: number;
}

/** One run of one collector. */
export interface MetricBlock {
  collector: string;
  /** Wall clock; on the tick when the run began within a tenth of a second of it. */
  timeMs: number;
  /** The same object as in the collector's last block as long as no new series appeared. */
  table: MetricTable;
  /** In the order of the table's series; NaN: nothing read this time. */
  values: Float64Array;
}

/** What a schedule is given. `sink` is called while collectors run and must not wait. */
export interface ScheduleOptions {
  collectors: readonly ScheduledCollector[];
  clock: Clock;
  log: Logger;
  sink: (block: MetricBlock) => void;
  /** How many times longer intervals under ten seconds are for now, to save CPU; once unless given. */
  stretch?: () => number;
  /** Series that all collectors share; boundless unless given. */
  series?: SeriesBudget;
}

/** How the runs of a collector go. */
export interface CollectorOutcome {
  intervalMs: number;
  /** Runs that have ended, or whose time was up. */
  runs: number;
  /** Those that were not fine. */
  failed: number;
  /** Why the last one was not fine. */
  fault: string | undefined;
  /** Whether each target that it asks by address answered the last question, by the targets' names. */
  targets: ReadonlyMap<string, boolean>;
}

/** Runs collectors on the ticks of the wall clock. */
export interface Schedule extends Component {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Runs each collector once, now, and resolves when all have finished or are late. */
  runOnce(): Promise<void>;
  /** Ends a collector and runs another one of its name instead, or none; the others are not disturbed. */
  replace(name: string, by: ScheduledCollector | undefined): void;
  /** How those go that are scheduled now, by name. */
  outcomes(): ReadonlyMap<string, CollectorOutcome>;
}

const LEAST_DEADLINE_MS = 5000;

/** No interval is stretched beyond this. */
const LONGEST_STRETCH_MS = 10_000;

/** A run that begins this near to its tick takes the tick's time, so that the series of a host share their times. */
const ON_TIME_MS = 100;

/** How often a fault that goes on is told again. */
const REMIND_MS = 3_600_000;

/** Reasons that are told apart; ones that never repeat must not pile up. */
const MAX_REASONS = 100;

/** Keeps how the runs of a collector go. Where its targets stand in a row is looked up once for each table. */
function createOutcome(intervalMs: number) {
  const targets = new Map<string, boolean>();
  const outcome: CollectorOutcome = { intervalMs, runs: 0, failed: 0, fault: undefined, targets };
  let table: MetricTable | undefined;
  let places: (readonly [name: string, at: number])[] = [];
  return {
    outcome,
    ended(fault: string | undefined): void {
      outcome.fault = fault;
      outcome.runs++;
      if (fault !== undefined) outcome.failed++;
    },
    told(row: Row): void {
      if (row.table !== table) {
        table = row.table;
        places = table.series.flatMap(({ name, attributes }, at) => {
          const target = name === 'outrider.target.up' ? attributes['outrider.target'] : undefined;
          return target === undefined ? [] : [[target, at] as const];
        });
      }
      for (const [name, at] of places) {
        const up = row.values[at];
        // NaN: it was not asked this time.
        if (up !== undefined && !Number.isNaN(up)) targets.set(name, up === 1);
      }
    },
  };
}

interface Job {
  run(timeMs: number): Promise<void>;
  stop(): void;
  intervalMs: number;
  outcome: CollectorOutcome;
}

/** Logs each cause once, and again with a count when it still occurs an hour later. */
function createFaultLog(log: Logger, clock: Clock): (reason: string) => void {
  const causes = new Map<string, { count: number; toldAt: number }>();
  return (reason) => {
    const now = clock.monotonic();
    if (causes.size >= MAX_REASONS) causes.clear();
    const cause = causes.get(reason) ?? { count: 0, toldAt: -Infinity };
    causes.set(reason, cause);
    cause.count++;
    if (now - cause.toldAt < REMIND_MS) return;
    cause.toldAt = now;
    log.warn('a collector failed', { reason, count: cause.count });
  };
}

function createJob(
  scheduled: ScheduledCollector,
  { clock, log, sink, series }: Omit<ScheduleOptions, 'collectors'>,
): Job {
  const { name, collector, intervalMs } = scheduled;
  const deadlineMs = scheduled.deadlineMs ?? Math.max(intervalMs, LEAST_DEADLINE_MS);
  const attributes: Attributes = { 'outrider.collector': name };
  const lateReason = `no answer within ${deadlineMs / 1000} s`;
  const builder = createTableBuilder(series?.shareOf(name));
  const logFault = createFaultLog(log.child({ collector: name }), clock);
  const { outcome, ended, told } = createOutcome(intervalMs);
  let current: AbortController | undefined;
  let isLate = false;
  let isStopped = false;

  const report = (timeMs: number, reason: string | undefined, durationMs: number): void => {
    if (isStopped) return;
    const fault = reason ?? (builder.isCrowded() ? 'it has too many series; the newest are left out' : undefined);
    if (fault !== undefined) logFault(fault);
    ended(fault);
    builder.emit('outrider.collector.success', fault === undefined ? 1 : 0, attributes);
    builder.emit('outrider.collector.duration', durationMs / 1000, attributes); // NaN, and so dropped, when none ran.
    const row = builder.finish();
    if (row === undefined) return;
    told(row);
    sink({ collector: name, timeMs, table: row.table, values: row.values });
  };

  /** One run. Resolves when it has ended or its time is up; what it emits after that is dropped. */
  const collect = (timeMs: number): Promise<void> =>
    new Promise((resolve) => {
      const begun = clock.monotonic();
      const abort = new AbortController();
      let isOpen = true;
      const close = (fault?: string): void => {
        if (!isOpen) return;
        isOpen = false;
        report(timeMs, fault, clock.monotonic() - begun);
        resolve();
      };
      let work: void | Promise<void>;
      try {
        work = collector.collect((metric, value, of) => isOpen && builder.emit(metric, value, of), abort.signal);
      } catch (error) {
        return close(reasonOf(error));
      }
      if (work === undefined) return close();
      current = abort;
      const cancel = clock.after(deadlineMs, () => {
        isLate = true;
        close(lateReason);
        abort.abort();
      });
      const end = (fault?: string): void => {
        cancel();
        current = undefined;
        isLate = false;
        close(fault);
      };
      work.then(
        () => end(),
        (error: unknown) => end(reasonOf(error)),
      );
    });

  return {
    intervalMs,
    outcome,
    async run(timeMs) {
      if (current === undefined) await collect(timeMs);
      else if (isLate) report(timeMs, lateReason, NaN); // Still hanging: it says so on each tick, and is not asked again.
    },
    stop() {
      isStopped = true;
      current?.abort();
      collector.stop?.();
    },
  };
}

/** Calls `work` on each multiple of `intervalMs` of the wall clock, also after the clock was set. */
function createTicker(intervalMs: number, clock: Clock, work: (timeMs: number) => void): () => void {
  let cancel = (): void => {};
  const nextAfter = (timeMs: number): number => (Math.floor(timeMs / intervalMs) + 1) * intervalMs;
  const plan = (servedMs: number): void => {
    const now = clock.now();
    cancel = clock.after(nextAfter(Math.max(now, servedMs)) - now, tick);
  };
  const tick = (): void => {
    const now = clock.now();
    const nearest = Math.round(now / intervalMs) * intervalMs; // Timers also fire a millisecond early.
    const timeMs = Math.abs(now - nearest) <= ON_TIME_MS ? nearest : now;
    plan(timeMs);
    work(timeMs);
  };
  const now = clock.now();
  plan(now);
  if (nextAfter(now) - now >= 1000) work(now); // Slow collectors tell something at once.
  return () => cancel();
}

/**
 * Makes a schedule. A collector never overlaps itself; one that throws, rejects or hangs hurts no other, and what it
 * emitted before that counts. Each adds its own success and duration to its block. A collector that never gives the
 * thread back cannot be helped: that is why they read files that answer at once, and everything else asynchronously.
 *
 * Measured by test/bench/collect.ts on two shared cores: one run of all of Linux's collectors but processes takes 0.35 ms,
 * and at 1 s, with cold caches and all that Node does in between, 1.8 to 3.6 CPU ms a second (0.11 to 0.22 CPU-seconds a
 * minute); the scan of 90 processes adds 2 to 4. The whole agent, all collectors but processes at 1 s, idle and connected to a
 * hub: 0.38 to 0.43 CPU-seconds a minute, 72 MB resident, no child process.
 */
export function createSchedule(options: ScheduleOptions): Schedule {
  const { clock, collectors, stretch = () => 1 } = options;
  const jobs = new Map(collectors.map((scheduled) => [scheduled.name, createJob(scheduled, options)]));
  /** What ends the ticker of each interval. */
  const tickers = new Map<number, () => void>();
  let isRunning = false;

  const isDue = (intervalMs: number, timeMs: number): boolean => {
    const longer = Math.max(1, Math.min(stretch(), Math.floor(LONGEST_STRETCH_MS / intervalMs)));
    return Math.round(timeMs / intervalMs) % longer === 0;
  };
  const runDue = (intervalMs: number, timeMs: number): void => {
    if (!isDue(intervalMs, timeMs)) return;
    for (const job of jobs.values()) if (job.intervalMs === intervalMs) void job.run(timeMs);
  };
  /** One ticker for each interval that a collector has. */
  const arrange = (): void => {
    const wanted = new Set(isRunning ? [...jobs.values()].map(({ intervalMs }) => intervalMs) : []);
    for (const [intervalMs, cancel] of tickers) {
      if (wanted.has(intervalMs)) continue;
      cancel();
      tickers.delete(intervalMs);
    }
    for (const intervalMs of wanted)
      if (!tickers.has(intervalMs))
        tickers.set(
          intervalMs,
          createTicker(intervalMs, clock, (timeMs) => runDue(intervalMs, timeMs)),
        );
  };
  return {
    start() {
      isRunning = true;
      arrange();
      return Promise.resolve();
    },
    stop() {
      isRunning = false;
      arrange();
      for (const job of jobs.values()) job.stop();
      return Promise.resolve();
    },
    async runOnce() {
      const now = clock.now();
      await Promise.all([...jobs.values()].map((job) => job.run(now)));
    },
    replace(name, by) {
      jobs.get(name)?.stop();
      if (by === undefined) jobs.delete(name);
      else jobs.set(name, createJob(by, options));
      arrange();
    },
    outcomes: () => new Map([...jobs].map(([name, { outcome }]) => [name, outcome])),
  };
}
