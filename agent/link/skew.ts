import type { Pong } from '#proto/agent/v1/index.ts';
import type { Clock } from '#sdk';

/** Measurements that are kept; the one with the shortest round trip counts. */
const KEPT = 10;
/** Two measurements further apart than their round trips and this do not speak of the same clocks. */
const DRIFT_MS = 50;
/** Smaller changes are not told, so that samples of one clock are all put right by the same. */
const STEADY_MS = 50;
/** When the wall clock has moved this much against the monotonic one, it was set, or the machine slept. */
const JUMP_MS = 250;
/** Round trips at the beginning of a connection, one after another, and how often one more is made. */
const AT_ONCE = 4;
const EVERY_MS = 60_000;
/** How long a batch waits for the answer when nobody knows by how much its times are off. */
const PATIENCE_MS = 2000;

/** One question for the hub's clock: when it was asked and answered by the agent's monotonic clock, and what the hub said. */
export interface RoundTrip {
  sentMs: number;
  receivedMs: number;
  hubMs: number;
}

/** Both clocks of the agent at a moment. */
export interface Moment {
  wallMs: number;
  monotonicMs: number;
}

/** How far the agent's wall clock is from the hub's: known through the monotonic clock, so that a wall clock that is set is seen at once. */
export interface Skew {
  measured(trip: RoundTrip): void;
  /** The agent's clock minus the hub's at a moment of this run, milliseconds; undefined before the first measurement. */
  at(moment: Moment): number | undefined;
  /** The same of now; undefined also after the wall clock was set or the machine slept, until the hub was asked again. */
  now(): number | undefined;
}

/** Knows nothing yet. */
export function createSkew(clock: Pick<Clock, 'now' | 'monotonic'>): Skew {
  let kept: { tookMs: number; aheadMs: number }[] = [];
  let wallAheadMs = 0;
  let told: number | undefined;
  const at = ({ wallMs, monotonicMs }: Moment): number | undefined => {
    const [best] = [...kept].sort((a, b) => a.tookMs - b.tookMs);
    return best === undefined ? undefined : wallMs - (monotonicMs + best.aheadMs);
  };
  return {
    measured({ sentMs, receivedMs, hubMs }) {
      // The hub looked at its clock about half way; the shorter the way, the smaller the error can be.
      const newest = { tookMs: receivedMs - sentMs, aheadMs: hubMs - (sentMs + receivedMs) / 2 };
      const agrees = ({ tookMs, aheadMs }: typeof newest): boolean =>
        Math.abs(aheadMs - newest.aheadMs) <= (tookMs + newest.tookMs) / 2 + DRIFT_MS;
      kept = [...kept.filter(agrees), newest].slice(-KEPT);
      wallAheadMs = clock.now() - clock.monotonic();
    },
    at,
    now() {
      const moment = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
      if (Math.abs(moment.wallMs - moment.monotonicMs - wallAheadMs) > JUMP_MS) return undefined;
      const exact = at(moment);
      if (exact !== undefined && (told === undefined || Math.abs(exact - told) >= STEADY_MS)) told = exact;
      return exact === undefined ? undefined : told;
    },
  };
}

/** Asks for the hub's clock over one connection; one question at a time. */
export function createProbe(clock: Clock, skew: Skew, ask: (id: bigint) => void) {
  let asked: { id: bigint; sentMs: number } | undefined;
  let count = 0n;
  let cancel = (): void => undefined;
  const next = (): void => {
    asked = { id: (count += 1n), sentMs: clock.monotonic() };
    ask(asked.id);
  };
  return {
    begin(): void {
      cancel = clock.every(EVERY_MS, next);
      next();
    },
    /** Asks when the skew is not known any more; true while the answer is worth waiting for. */
    look(): boolean {
      if (skew.now() !== undefined) return false;
      if (asked === undefined) next();
      return asked !== undefined && clock.monotonic() - asked.sentMs < PATIENCE_MS;
    },
    take({ id, clockMs }: Pick<Pong, 'id' | 'clockMs'>): void {
      if (asked?.id !== id) return;
      skew.measured({ sentMs: asked.sentMs, receivedMs: clock.monotonic(), hubMs: clockMs });
      asked = undefined;
      if (count < AT_ONCE) next();
    },
    end: () => cancel(),
  };
}
export type Probe = ReturnType<typeof createProbe>;
