import { randomUUID } from 'node:crypto';
import { Problem, reasonOf, type Cancel, type Clock, type Component, type Logger } from '#sdk';
import type { Job, Jobs } from './jobs.ts';

/** Work that waits is looked for this often, and what runs says so as often, milliseconds. */
const LOOK_MS = 5_000;
const MOST_DETAIL = 2000;

/** A job that is being done. */
export interface Running {
  org: string;
  job: Job;
  signal: AbortSignal;
  /** Says how far it is, from 0 to 1; costs nothing, as it is written down with the next look. */
  progress(share: number, step: string): void;
}

/** What doing jobs stands on. */
export interface RunnerGiven {
  jobs: Jobs;
  /** Does a job and gives the version of its model. Rejects when the signal aborts. */
  work(running: Running): Promise<string>;
  clock: Clock;
  log: Logger;
}

const problemOf = (error: unknown): { code: string; detail: string } => ({
  code: error instanceof Problem ? error.code : 'predictions.failed',
  detail: reasonOf(error).slice(0, MOST_DETAIL).replaceAll('\0', ''),
});

/** Does jobs, one at a time in each process; what this one leaves undone at its end waits for another. */
export function createRunner({ jobs, work, clock, log }: RunnerGiven): Component & { kick(): void } {
  const runner = randomUUID();
  const ending = new AbortController();
  let going: Promise<void> | undefined;
  let cancelLook: Cancel | undefined;

  const perform = async (org: string, job: Job): Promise<void> => {
    const own = { id: job.id, runner };
    const aborting = new AbortController();
    const signal = AbortSignal.any([aborting.signal, ending.signal]);
    let now = { progress: 0, step: 'begins' };
    const stopSaying = clock.every(LOOK_MS, () => {
      jobs.heard(org, own, now).then(
        (goesOn) => goesOn || aborting.abort(),
        (error: unknown) => log.warn('how far a job is could not be written down', { reason: reasonOf(error) }),
      );
    });
    try {
      await jobs.heard(org, own, now);
      const progress = (share: number, step: string): void => void (now = { progress: Math.min(1, Math.max(0, share)), step }); // prettier-ignore
      const version = await work({ org, job, signal, progress });
      await jobs.end(org, own, { state: 'done', version }); // Work that keeps what it made has said so already, with it.
    } catch (error) {
      const state = aborting.signal.aborted ? 'cancelled' : ending.signal.aborted ? 'queued' : 'failed';
      if (state === 'failed') log.warn('a model could not be made', { job: job.id, resource: job.resource, reason: reasonOf(error) }); // prettier-ignore
      await jobs.end(org, own, state === 'failed' ? { state, problem: problemOf(error) } : { state });
    } finally {
      stopSaying();
    }
  };
  const look = async (): Promise<void> => {
    for (;;) {
      if (ending.signal.aborted) return;
      const claimed = await jobs.claim(runner);
      if (claimed === undefined) return;
      await perform(claimed.org, claimed.job);
    }
  };
  const kick = (): void => {
    if (going !== undefined || ending.signal.aborted) return;
    going = look()
      .catch((error: unknown) =>
        log.warn('jobs could not be looked for; it is tried again', { reason: reasonOf(error) }),
      )
      .finally(() => (going = undefined));
  };
  return {
    kick,
    start() {
      cancelLook = clock.every(LOOK_MS, kick);
      return Promise.resolve();
    },
    async stop() {
      cancelLook?.();
      ending.abort();
      await going;
    },
  };
}
