import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import { problems, type Database } from './database.ts';

/** What a store over a database must be able to do besides its port. */
interface Kept {
  upkeep(): Promise<void>;
  drain(): Promise<void>;
}

/** A store and the database that it stands on. */
export interface OpenedStore<Store extends Kept> {
  database: Database;
  store: Store;
}

/** How a store is kept running. */
export interface RunningStoreOptions<Store extends Kept> {
  /** What it is called in sentences: `the log store`. */
  name: string;
  open(): Promise<OpenedStore<Store>>;
  clock: Clock;
  log: Logger;
}

/** A store that is opened, looked after, and opened anew when DuckDB has given it up. */
export interface RunningStore<Store extends Kept> {
  /** Runs work on the store; rejects with `store.unavailable` while it is not open. */
  use<T>(work: (store: Store) => Promise<T>): Promise<T>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const UPKEEP_MS = 10_000;
const AGAIN_MS = 5_000;

/** DuckDB gives a database up when a checkpoint fails (a full disk). What was committed is whole; it must be opened anew. */
const isGivenUp = (error: unknown): boolean => /database has been invalidated/.test(reasonOf(error));

/** Keeps a store running. */
export function createRunningStore<Store extends Kept>(options: RunningStoreOptions<Store>): RunningStore<Store> {
  const { name, open, clock, log } = options;
  let opened: OpenedStore<Store> | undefined;
  let cancel: Cancel | undefined;
  let keeping: Promise<void> | undefined;
  let mending: Promise<void> | undefined;
  const stopping = new AbortController();

  const close = async (): Promise<void> => {
    const closing = opened;
    opened = undefined;
    await closing?.store.drain().catch(() => undefined); // Whoever waited has its error already.
    await keeping;
    closing?.database.close();
  };

  const openAgain = async (): Promise<void> => {
    await close();
    while (!stopping.signal.aborted) {
      try {
        opened = await open();
        log.warn('a store was opened anew', { store: name });
        return;
      } catch (error) {
        log.error('a store cannot be opened; it is tried again', { store: name, reason: reasonOf(error) });
        await clock.sleep(AGAIN_MS, stopping.signal);
      }
    }
  };

  const mend = (error: unknown): void => {
    if (mending !== undefined || stopping.signal.aborted) return;
    log.error('a store was given up and is opened anew; nothing that was acknowledged is lost', {
      store: name,
      reason: reasonOf(error),
    });
    mending = openAgain().finally(() => (mending = undefined));
  };

  const use = async <T>(work: (store: Store) => Promise<T>): Promise<T> => {
    if (opened === undefined) throw problems.unavailable(`${name} is not open now. Is the disk full?`);
    try {
      return await work(opened.store);
    } catch (error) {
      if (!isGivenUp(error)) throw error;
      mend(error);
      throw problems.unavailable(`${name} is being opened anew. Is the disk full?`, { cause: error });
    }
  };

  const keep = (): void => {
    if (opened === undefined) return;
    keeping ??= use((store) => store.upkeep())
      .catch((error: unknown) =>
        log.error('upkeep failed; it is tried again', { store: name, reason: reasonOf(error) }),
      )
      .finally(() => (keeping = undefined));
  };

  return {
    use,
    async start() {
      opened = await open();
      cancel = clock.every(UPKEEP_MS, keep);
    },
    async stop() {
      cancel?.();
      stopping.abort();
      await mending;
      await close();
    },
  };
}
