import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import { NO_PRESSURE, type Pressure } from '../budgets/index.ts';
import type { MetricBlock } from '../schedule.ts';
import type { Amount, Packing, Spool, SpoolEntry } from '../spool/index.ts';
import type { EncodedEvents } from '../lines/index.ts';
import { createFolder, type FoldedBlock } from './fold.ts';
import { createGathering, type AnomalyMessage, type Gathering, type TemplateMessage } from './gathering.ts';
import { createDeliveryReports, type DeliveryGiven } from './delivery.ts';
import { addAmount, createLedger, type Ledger } from './ledger.ts';
import type { Loss } from './loss.ts';

/** A batch holds what came within a second, or the bytes that the pressure allows. */
const BATCH_MS = 1000;
/** Collectors run on the tick of a second; their batch leaves this much after it, so that one second is one batch. */
const AFTER_TICK_MS = 150;
/**
 * Bytes that wait while the disk takes nothing: a batch that is full of lines, and as much again for samples, some two
 * minutes of them. Beyond it the newest are dropped and counted, so that a batch never outgrows what the link carries.
 */
const WAITING_BYTES = 2_000_000;
const RETRY_MS = 1000;
/** The hub hears so often what became of lines. */
const REPORT_MS = 10_000;

/** Gathers samples and lines into batches and puts them into the spool. */
export interface Pipeline {
  /** Takes one run of a collector. Never waits; folded while that saves room, dropped and counted when the spool takes nothing for long. */
  addBlock(block: MetricBlock): void;
  /** Tells the hub of something strange with the next batch. */
  addAnomaly(event: AnomalyMessage): void;
  /** Tells the hub with the next batch what a kind of line looks like. */
  addTemplate(template: TemplateMessage): void;
  /** Takes events; files are read only while there is room. Nothing of their bytes is kept. */
  addEvents(events: EncodedEvents): void;
  /** Counts lines that a rule left out. */
  addDropped(path: string, amount: Amount): void;
  /** Counts lines of a source that nobody will ever read, and tells the hub with the next batch. */
  addLost(loss: Loss): void;
  /** False: files are the buffer, nobody reads on. */
  hasRoom(): boolean;
  /** Resolves when there is room, or at the end. */
  room(): Promise<void>;
  ledger(): Readonly<Ledger>;
  /** Lines that are in no spool yet, by source. */
  gathered(): ReadonlyMap<string, Amount>;
  start(): void;
  /** Resolves when everything that was gathered so far is in the spool. */
  flush(): Promise<void>;
  /** Puts everything that was gathered into the spool. */
  stop(): Promise<void>;
}

/** What a pipeline stands on. */
export interface PipelineGiven {
  spool: Spool;
  clock: Clock;
  log: Logger;
  /** What is to be saved now; nothing unless given. */
  pressure?: Pressure;
  /** How batches are packed now; gzip unless given. */
  packing?(): Packing;
}

/**
 * Puts entries into the spool and tries again while its disk takes nothing. False when a stop came first: the lines'
 * checkpoints did not move then, and they are read again after the next start.
 */
function createStore({ spool, clock, log }: PipelineGiven, stopping: AbortSignal) {
  let told = false;
  return async (entry: SpoolEntry): Promise<boolean> => {
    for (;;) {
      try {
        await spool.append(entry);
        if (told) log.info('the spool takes batches again');
        told = false;
        return true;
      } catch (error) {
        const facts = { reason: reasonOf(error) };
        if (!told) log.error('the spool takes nothing; files are not read on until it does', facts);
        told = true;
        if (stopping.aborted) return false;
        await clock.sleep(RETRY_MS, stopping);
      }
    }
  };
}

/** All lines of some batches, by source. */
function amountsIn(batches: readonly Gathering[]): Map<string, Amount> {
  const sums = new Map<string, Amount>();
  for (const batch of batches)
    for (const [name, amount] of batch.sources()) {
      const sum = sums.get(name) ?? { lines: 0, bytes: 0 };
      sums.set(name, sum);
      addAmount(sum, amount);
    }
  return sums;
}

/** Adds to a batch what the hub is to hear of lines: what the spool lost and, now and then, what became of all. */
function createTelling(given: PipelineGiven & DeliveryGiven): (gathering: Gathering) => void {
  const { spool, clock } = given;
  const report = createDeliveryReports(given, clock.now());
  let nextMs = 0;
  return (gathering) => {
    for (const { source, ...loss } of spool.takeLosses()) gathering.addLoss({ path: source, ...loss });
    if (clock.monotonic() < nextMs) return;
    nextMs = clock.monotonic() + REPORT_MS;
    const told = report(clock.now());
    if (told !== undefined) gathering.addLedger(told);
  };
}

/** Calls `work` a little after each tick of the wall clock; returns what ends it. */
function afterEachTick(clock: Clock, work: () => void): Cancel {
  let cancel: Cancel;
  const plan = (): void => {
    const wait = BATCH_MS - (clock.now() % BATCH_MS) + AFTER_TICK_MS;
    cancel = clock.after(wait > BATCH_MS ? wait - BATCH_MS : wait, () => {
      plan();
      work();
    });
  };
  plan();
  return () => cancel();
}

/** Values that a block carries. */
const samplesOf = ({ values }: MetricBlock): number =>
  values.reduce((sum, value) => sum + (value === value ? 1 : 0), 0);

/** What is told with the next batch as it is. */
const tellingsOf = (gathering: () => Gathering): Pick<Pipeline, 'addAnomaly' | 'addTemplate'> => ({
  addAnomaly: (event) => gathering().addAnomaly(event),
  addTemplate: (template) => gathering().addTemplate(template),
});

/** Makes the pipeline into a spool. */
export function createPipeline(given: PipelineGiven): Pipeline {
  const { spool, clock, pressure = NO_PRESSURE } = given;
  const { ledger, count } = createLedger();
  const stopping = new AbortController();
  const store = createStore(given, stopping.signal);
  const waiters: (() => void)[] = [];
  const folder = createFolder();
  let gathering = createGathering();
  let packing: Gathering | undefined;
  let flushing: Promise<void> | undefined;
  let cancel: Cancel | undefined;

  const isFilled = (): boolean => gathering.bytes() >= pressure.batchBytes();
  const hasRoom = (): boolean => !isFilled() && !spool.isFull() && pressure.mayRead();
  const put = ({ block, runs }: FoldedBlock): void => {
    if (spool.isFull()) count.dropped('spool-full', { runs, samples: samplesOf(block) });
    else if (gathering.bytes() >= WAITING_BYTES) count.dropped('disk-stuck', { runs, samples: samplesOf(block) });
    else gathering.addBlock(block);
  };
  const wakeAll = (): void => {
    for (const wake of waiters.splice(0)) wake();
  };
  const flush = (): Promise<void> => {
    flushing ??= (async () => {
      while (gathering.bytes() > 0) {
        packing = gathering;
        gathering = createGathering();
        wakeAll(); // The next batch is gathered while this one is packed and written.
        if (await store(await packing.pack(given.packing?.() ?? 'gzip'))) count.spooled(packing.sources().values());
        packing = undefined;
      }
    })().finally(() => (flushing = undefined));
    return flushing;
  };

  const gathered = (): Map<string, Amount> => amountsIn(packing === undefined ? [gathering] : [packing, gathering]);
  const tell = createTelling({ ...given, ledger: () => ledger, gathered });

  return {
    addBlock(block) {
      if (pressure.aggregates()) folder.add(block).forEach(put);
      else for (const one of [...folder.take(), { block, runs: 1 }]) put(one);
    },
    ...tellingsOf(() => gathering),
    addEvents(events) {
      const name = spool.nameOf(events.path);
      count.read(name, { lines: events.lines, bytes: events.size });
      gathering.addEvents(events, name);
      pressure.hasRead(events.size);
      if (isFilled()) void flush();
    },
    addDropped: (path, amount) => count.leftOut(spool.nameOf(path), amount),
    addLost(loss) {
      count.lost(spool.nameOf(loss.path), loss);
      gathering.addLoss(loss);
    },
    hasRoom,
    room: () =>
      hasRoom() || stopping.signal.aborted ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve)),
    ledger: () => ledger,
    gathered,
    flush,
    start() {
      cancel = afterEachTick(clock, () => {
        folder.take(clock.now()).forEach(put); // Of collectors that have ended or hang.
        tell(gathering);
        void flush();
        if (hasRoom()) wakeAll(); // Also when the spool was full and segments were freed meanwhile.
      });
    },
    async stop() {
      stopping.abort();
      cancel?.();
      folder.take().forEach(put);
      tell(gathering);
      await flush();
      wakeAll();
    },
  };
}
