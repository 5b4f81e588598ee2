import type { Clock, Logger } from '#sdk';
import { createCpuAccount } from './cpu.ts';
import { createMemorySteps } from './memory.ts';

/** Shares of the spool's limit at which a step is taken, and below which it is taken back. */
const FILES_WAIT = { from: 0.8, until: 0.75 };
const AGGREGATE = { from: 0.9, until: 0.85 };

/** Bytes before packing that are gathered into one batch, and while memory is short. */
const BATCH_BYTES = 1_000_000;
const SMALL_BATCH_BYTES = 250_000;
/** Bytes of files that are read in a second while CPU or memory are over their budget: files wait, but never for good. */
const SLOW_BYTES = 256_000;

/** What is given up under pressure, mildest first. */
export const PRESSURE_STEPS = ['slow-reading', 'files-wait', 'longer-intervals', 'aggregate', 'drop'] as const;
export type PressureStep = (typeof PRESSURE_STEPS)[number];

const WORDS: Record<PressureStep, readonly [begins: string, ends: string]> = {
  'slow-reading': ['the agent is over a budget: files are read slowly', 'files are read at full speed again'],
  'files-wait': ['the spool is nearly full: files are not read on', 'files are read on again'],
  'longer-intervals': ['the agent is over its CPU budget: collectors run less often', 'collectors run as often again'],
  aggregate: ['samples are kept as 10 s averages with minimum and maximum', 'every sample is kept again'],
  drop: ['the spool is full: samples are dropped and counted', 'samples are kept again'],
};

/** What the agent may use of its machine. */
export interface PressureLimits {
  /** Cores, averaged over a minute. */
  cpu: number;
  /** Resident bytes. */
  memory: number;
  /** Bytes of the spool. */
  spool: number;
}

/** What the agent uses now. */
export interface PressureUsage {
  /** CPU seconds since the start of the process. */
  cpuSeconds(): number;
  rss(): number;
  spoolBytes(): number;
  collectGarbage(): void;
}

/** The order of sacrifice: files wait first, then the spool grows, then samples are aggregated, and only then are they dropped. */
export interface Pressure {
  /** False: files wait, they are the buffer. */
  mayRead(): boolean;
  /** Says that so much of files was read. */
  hasRead(bytes: number): void;
  /** Bytes before packing after which a batch leaves. */
  batchBytes(): number;
  /** True while samples are to be folded into windows of 10 s. */
  aggregates(): boolean;
  /** How many times longer the intervals of collectors are. */
  stretch(): number;
  /** The steps that are taken now. */
  steps(): readonly PressureStep[];
  /** Cores used, averaged over the last minute. */
  cpu(): number;
  /** Looks at everything; to be called each second. */
  look(): void;
}

/** For those who have nothing to save. */
export const NO_PRESSURE: Pressure = {
  mayRead: () => true,
  hasRead: () => undefined,
  batchBytes: () => BATCH_BYTES,
  aggregates: () => false,
  stretch: () => 1,
  steps: () => [],
  cpu: () => 0,
  look: () => undefined,
};

/** A threshold that is left at a lower value than it is reached at. */
function createThreshold({ from, until }: { from: number; until: number }): (value: number) => boolean {
  let isOver = false;
  return (value) => (isOver = value >= (isOver ? until : from));
}

/** Watches what the agent uses. Each step is logged once when it is taken and once when it is taken back. */
export function createPressure(
  limits: PressureLimits,
  { usage, clock, log }: { usage: PressureUsage; clock: Clock; log: Logger },
): Pressure {
  const account = createCpuAccount(limits.cpu);
  const memory = createMemorySteps(limits.memory);
  const filesWait = createThreshold(FILES_WAIT);
  const nearlyFull = createThreshold(AGGREGATE);
  const taken = new Set<PressureStep>();
  let allowance = SLOW_BYTES;
  let booked = { cpu: usage.cpuSeconds(), at: clock.monotonic() };

  const share = (): number => usage.spoolBytes() / limits.spool;
  const isSlow = (): boolean => account.isOverdrawn() || memory.step() >= 3;
  const aggregates = (): boolean => nearlyFull(share()) || memory.step() >= 2;
  const now = (): Record<PressureStep, boolean> => ({
    'slow-reading': isSlow(),
    'files-wait': filesWait(share()),
    'longer-intervals': account.stretch() > 1,
    aggregate: aggregates(),
    drop: share() > 1,
  });
  const facts = () => ({
    cores: Number(account.share().toFixed(3)),
    memory: usage.rss(),
    spool: usage.spoolBytes(),
    limits,
  });
  const tell = (step: PressureStep, isTaken: boolean): void => {
    if (taken.has(step) === isTaken) return;
    const [begins, ends] = WORDS[step];
    if (isTaken) {
      taken.add(step);
      if (step === 'drop') log.error(begins, facts());
      else log.warn(begins, facts());
    } else {
      taken.delete(step);
      log.info(ends, facts());
    }
  };
  return {
    mayRead: () => !filesWait(share()) && (!isSlow() || allowance > 0),
    hasRead: (bytes) => void (allowance -= bytes),
    batchBytes: () => (memory.step() >= 1 ? SMALL_BATCH_BYTES : BATCH_BYTES),
    aggregates,
    stretch: account.stretch,
    steps: () => PRESSURE_STEPS.filter((step) => taken.has(step)),
    cpu: account.share,
    look() {
      const at = clock.monotonic();
      const cpu = usage.cpuSeconds();
      account.book(cpu - booked.cpu, (at - booked.at) / 1000);
      booked = { cpu, at };
      if (memory.look(usage.rss(), at)) usage.collectGarbage();
      allowance = SLOW_BYTES;
      for (const [step, isTaken] of Object.entries(now())) tell(step as PressureStep, isTaken);
    },
  };
}
