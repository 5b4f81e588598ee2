import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { MetricBlock } from '../schedule.ts';
import type { Spool, SpoolEntry } from '../spool/index.ts';
import { createGathering, type TailedLines } from './gathering.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { Loss } from './loss.ts';

/** A batch holds at most so much, or what came within a second. */
const BATCH_BYTES = 1_000_000;
const BATCH_MS = 1000;
/** Collectors run on the tick of a second; their batch leaves this much after it, so that one second is one batch. */
const AFTER_TICK_MS = 150;
/**
 * Bytes that wait while the disk takes nothing: a batch that is full of lines, and as much again for samples, some two
 * minutes of them. Beyond it the newest are dropped and counted, so that a batch never outgrows what the link carries.
 */
const WAITING_BYTES = 2 * BATCH_BYTES;
const RETRY_MS = 1000;

/** Gathers samples and lines into batches and puts them into the spool. */
export interface Pipeline {
  /** Takes one run of a collector. Never waits; dropped and counted when the spool takes nothing for long. */
  addBlock(block: MetricBlock): void;
  /** Takes lines; call it only while there is room. Nothing of `piece` is kept. */
  addLines(lines: TailedLines): void;
  /** Counts lines of a source that nobody will ever read. */
  addLost(loss: Loss): void;
  /** False: files are the buffer, nobody reads on. */
  hasRoom(): boolean;
  /** Resolves when there is room, or at the end. */
  room(): Promise<void>;
  ledger(): Readonly<Ledger>;
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

/** Makes the pipeline into a spool. */
export function createPipeline(given: PipelineGiven): Pipeline {
  const { spool, clock } = given;
  const { ledger, ...count } = createLedger();
  const stopping = new AbortController();
  const store = createStore(given, stopping.signal);
  const waiters: (() => void)[] = [];
  let gathering = createGathering();
  let flushing: Promise<void> | undefined;
  let cancel: Cancel | undefined;

  const hasRoom = (): boolean => gathering.bytes() < BATCH_BYTES && !spool.isFull();
  const wakeAll = (): void => {
    for (const wake of waiters.splice(0)) wake();
  };
  const flush = (): Promise<void> => {
    flushing ??= (async () => {
      while (gathering.bytes() > 0) {
        const batch = gathering;
        gathering = createGathering();
        wakeAll(); // The next batch is gathered while this one is packed and written.
        if (await store(await batch.pack())) count.spooled(batch.lines());
      }
    })().finally(() => (flushing = undefined));
    return flushing;
  };

  return {
    addBlock(block) {
      if (spool.isFull() || gathering.bytes() >= WAITING_BYTES) count.droppedBlock();
      else gathering.addBlock(block);
    },
    addLines(lines) {
      count.read(lines.path, gathering.addLines(lines, clock.now()));
      if (gathering.bytes() >= BATCH_BYTES) void flush();
    },
    addLost: count.lost,
    hasRoom,
    room: () =>
      hasRoom() || stopping.signal.aborted ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve)),
    ledger: () => ledger,
    flush,
    start() {
      cancel = afterEachTick(clock, () => {
        void flush();
        if (hasRoom()) wakeAll(); // Also when the spool was full and segments were freed meanwhile.
      });
    },
    async stop() {
      stopping.abort();
      cancel?.();
      await flush();
      wakeAll();
    },
  };
}
