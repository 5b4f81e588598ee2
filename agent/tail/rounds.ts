import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';

/** News of the watcher are gathered for so long: a busy file costs ten looks a second, whatever it writes. */
const GATHER_MS = 100;
const POLL_MS = 1000;

/** What rounds stand on. */
export interface RoundsGiven {
  /** One look at everything; true when there is more to do at once. */
  look(): Promise<boolean>;
  hasRoom(): boolean;
  room(): Promise<void>;
  clock: Clock;
  log: Logger;
}

/** Looks again and again, never twice at once. */
export interface Rounds {
  start(): void;
  /** Something happened: a look follows soon. */
  notice(): void;
  isStopped(): boolean;
  /** Resolves when the last look has ended. */
  stop(): Promise<void>;
}

/** Makes rounds: a look after news, each second in any case, and when there is room again. */
export function createRounds({ look, hasRoom, room, clock, log }: RoundsGiven): Rounds {
  let poll: Cancel | undefined;
  let gathering: Cancel | undefined;
  let working: Promise<void> | undefined;
  let waiting = false;
  let again = false;
  let stopped = false;

  const work = async (): Promise<void> => {
    try {
      while (again && !stopped) {
        again = false;
        again = (await look()) || again;
        if (again && !hasRoom()) return;
      }
    } catch (error) {
      log.error('looking for log lines failed', { reason: reasonOf(error) });
    }
  };
  const awaitRoom = async (): Promise<void> => {
    waiting = true;
    await room();
    waiting = false;
    wake();
  };
  const wake = (): void => {
    again = true;
    if (working !== undefined || stopped) return;
    working = work().then(() => {
      working = undefined;
      if (!stopped && !waiting && !hasRoom()) void awaitRoom();
    });
  };
  return {
    start() {
      poll = clock.every(POLL_MS, wake);
      wake();
    },
    notice() {
      gathering ??= clock.after(GATHER_MS, () => {
        gathering = undefined;
        wake();
      });
    },
    isStopped: () => stopped,
    async stop() {
      stopped = true;
      poll?.();
      gathering?.();
      await working;
    },
  };
}
