import type { Clock } from './clock.ts';
import type { Component } from './component.ts';
import type { Logger } from './log.ts';
import { reasonOf } from './problem.ts';

/** A component under the name by which the log speaks of it. */
export interface Part {
  name: string;
  component: Component;
}

/** A set of components that has started. */
export interface Running {
  /** Stops all parts in reverse; safe twice. Rejects with an AggregateError when some did not stop cleanly. */
  stop(): Promise<void>;
}

/** How long one part may take to stop, in milliseconds. */
const STOP_MS = 10_000;

async function stopOne(part: Part, clock: Clock): Promise<Error | undefined> {
  const limit = new AbortController();
  const late = clock
    .sleep(STOP_MS, limit.signal)
    .then(() => (limit.signal.aborted ? undefined : new Error(`${part.name} did not stop within ${STOP_MS / 1000} s`)));
  const stopped = Promise.resolve()
    .then(() => part.component.stop?.())
    .then(
      () => undefined,
      (error: unknown) => new Error(`${part.name} did not stop cleanly: ${reasonOf(error)}`, { cause: error }),
    );
  const fault = await Promise.race([stopped, late]);
  limit.abort();
  return fault;
}

async function stopAll(parts: readonly Part[], clock: Clock, log: Logger): Promise<void> {
  const faults: Error[] = [];
  for (const part of [...parts].reverse()) {
    const fault = await stopOne(part, clock);
    if (fault === undefined) continue;
    log.error('a part did not stop cleanly', { part: part.name, reason: fault.message });
    faults.push(fault);
  }
  if (faults.length > 0) throw new AggregateError(faults, faults.map((fault) => fault.message).join('; '));
}

/** Starts parts in order. When one fails, those already started (and the failed one) stop in reverse, and its error is thrown. */
export async function run(parts: readonly Part[], given: { clock: Clock; log: Logger }): Promise<Running> {
  const { clock, log } = given;
  const begun: Part[] = [];
  for (const part of parts) {
    begun.push(part);
    try {
      await part.component.start?.();
    } catch (error) {
      await stopAll(begun, clock, log).catch((fault: unknown) =>
        log.error('stopping after a failed start had faults', { reason: reasonOf(fault) }),
      );
      throw error;
    }
  }
  let stopping: Promise<void> | undefined;
  return { stop: () => (stopping ??= stopAll(begun, clock, log)) };
}
