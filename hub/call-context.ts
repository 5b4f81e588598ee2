import { AsyncLocalStorage } from 'node:async_hooks';
import { systemClock } from '#sdk';

/** What every step of one call knows, however deep it is. */
interface CallContext {
  /** The monotonic clock, milliseconds, after which nobody waits for the answer any more. */
  deadline: number;
}

const contexts = new AsyncLocalStorage<CallContext>();

/** How long a call may take until its answer begins, for a caller who said nothing. Milliseconds. */
const CALL_MS = 10_000;

/** Carries what is left of a call's time to the next process, in milliseconds: clocks of two machines differ, spans do not. */
export const DEADLINE_HEADER = 'x-outrider-deadline-ms';

/** Milliseconds that a new call may take: what its caller wishes, and never more than what is left of the call that it belongs to. */
export function timeLeft(wishMs: number = CALL_MS): number {
  const call = contexts.getStore();
  return call === undefined ? wishMs : Math.min(wishMs, call.deadline - systemClock.monotonic());
}

/** Runs `work` as a part of a call that has so many milliseconds left. */
export function withinCall<T>(leftMs: number, work: () => T): T {
  return contexts.run({ deadline: systemClock.monotonic() + leftMs }, work);
}

/** The answer has begun: what goes on from here, such as an event stream, is bound by no deadline. */
export function answerBegun(): void {
  const call = contexts.getStore();
  if (call !== undefined) call.deadline = Infinity;
}
