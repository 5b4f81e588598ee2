import { reasonOf, type Cancel, type Clock, type Component, type Logger } from '#sdk';
import type { Spool } from './spool.ts';

/** How often the quarantine is looked at: reading a folder that is not there takes some microseconds. */
const LOOK_MS = 2000;

/** Puts batches of the quarantine back while the agent runs, once somebody has asked for them. */
export function createReplays(given: { spool: Pick<Spool, 'replay'>; clock: Clock; log: Logger }): Component {
  const { spool, clock, log } = given;
  let cancel: Cancel | undefined;
  let working: Promise<void> | undefined;
  const look = (): void => {
    working ??= spool
      .replay()
      .catch((error: unknown) =>
        log.warn('batches of the quarantine could not be put back yet', { reason: reasonOf(error) }),
      )
      .finally(() => (working = undefined));
  };
  return {
    start() {
      look();
      cancel = clock.every(LOOK_MS, look);
      return Promise.resolve();
    },
    async stop() {
      cancel?.();
      await working;
    },
  };
}
