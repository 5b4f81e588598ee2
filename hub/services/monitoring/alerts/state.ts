/** How a value is held against a threshold. */
export const OPERATORS = ['gt', 'gte', 'lt', 'lte'] as const;
export type Operator = (typeof OPERATORS)[number];

/** What is too much, and for how long. */
export interface Limits {
  operator: Operator;
  threshold: number;
  /** A firing series is good again only beyond this value; undefined means beyond the threshold itself. */
  clear: number | undefined;
  /** How long values must be bad without a break before a person is told. */
  forMs: number;
  /** How long values must be good before it is over. */
  keepMs: number;
}

/** One series under one rule. All times are of a monotonic clock. A series without a state is good and was never flapping. */
export interface SeriesState {
  phase: 'idle' | 'pending' | 'firing' | 'clearing';
  /** When the phase began. */
  sinceMs: number;
  /** When values began to be bad. */
  startedMs: number;
  /** When the last value came. */
  seenMs: number;
  value: number;
  /** The worst value since `startedMs`. */
  peak: number;
  /** It fires, and no values come. */
  noData: boolean;
  /** When it fired during the last hour: who fires often must be good for longer. */
  firedMs: readonly number[];
}

/** What a person may be told of. `gone`: the series ended while its host lives. */
export type Change = 'fired' | 'resolved' | 'gone';

/** The next state (undefined: forget the series) and what changed. */
export interface Step {
  state: SeriesState | undefined;
  change?: Change;
}

/** A pause after which bad values do not count as one unbroken stretch. */
export const GAP_MS = 120_000;
/** How long a firing series may be quiet until it is shown as one without data. */
export const NO_DATA_MS = 300_000;
/** How long it may be quiet, while its host sends, until it is closed. */
export const GONE_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAMPING_MS = 60_000;
const DAMPING_LIMIT_MS = 900_000;

/** True when `value` is on the bad side of `limit`. */
export function breaches(operator: Operator, value: number, limit: number): boolean {
  switch (operator) {
    case 'gt':
      return value > limit;
    case 'gte':
      return value >= limit;
    case 'lt':
      return value < limit;
    case 'lte':
      return value <= limit;
  }
}

/** The worse of two values. */
export function worse(operator: Operator, a: number, b: number): number {
  return operator === 'gt' || operator === 'gte' ? Math.max(a, b) : Math.min(a, b);
}

/** How long a series must be good: from its second firing within the hour at least a minute, and twice that each time. */
export function keepMs(limits: Limits, firings: number): number {
  if (firings < 2) return limits.keepMs;
  return Math.max(limits.keepMs, Math.min(DAMPING_LIMIT_MS, DAMPING_MS * 2 ** (firings - 2)));
}

function begin(state: SeriesState | undefined, value: number, nowMs: number, limits: Limits): Step {
  const pending: SeriesState = {
    phase: 'pending',
    sinceMs: nowMs,
    startedMs: nowMs,
    seenMs: nowMs,
    value,
    peak: value,
    noData: false,
    firedMs: state?.firedMs ?? [],
  };
  return limits.forMs > 0 ? { state: pending } : fire(pending, nowMs);
}

function fire(state: SeriesState, nowMs: number): Step {
  const firedMs = [...state.firedMs.filter((at) => nowMs - at < HOUR_MS), nowMs];
  return { state: { ...state, phase: 'firing', sinceMs: nowMs, firedMs }, change: 'fired' };
}

/** A good series is remembered only while its past firings can still damp the next one. */
function rest(state: SeriesState, nowMs: number): SeriesState | undefined {
  const firedMs = state.firedMs.filter((at) => nowMs - at < HOUR_MS);
  return firedMs.length === 0 ? undefined : { ...state, phase: 'idle', sinceMs: nowMs, noData: false, firedMs };
}

function stepFiring(state: SeriesState, limits: Limits): Step {
  const { value, seenMs: nowMs } = state;
  if (breaches(limits.operator, value, limits.clear ?? limits.threshold)) {
    const peak = worse(limits.operator, state.peak, value);
    const back = state.phase === 'clearing';
    return { state: { ...state, peak, phase: 'firing', sinceMs: back ? nowMs : state.sinceMs } };
  }
  const clearing: SeriesState = state.phase === 'clearing' ? state : { ...state, phase: 'clearing', sinceMs: nowMs };
  if (nowMs - clearing.sinceMs < keepMs(limits, state.firedMs.length)) return { state: clearing };
  return { state: rest(clearing, nowMs), change: 'resolved' };
}

/** Takes the next value of a series. NaN is no value. */
export function step(state: SeriesState | undefined, value: number, nowMs: number, limits: Limits): Step {
  if (Number.isNaN(value)) return { state };
  const bad = breaches(limits.operator, value, limits.threshold);
  if (state === undefined || state.phase === 'idle') {
    if (bad) return begin(state, value, nowMs, limits);
    return { state: state && rest(state, nowMs) };
  }
  const gap = nowMs - state.seenMs;
  const seen: SeriesState = { ...state, value, seenMs: nowMs, noData: false };
  if (state.phase !== 'pending') return stepFiring(seen, limits);
  if (!bad) return { state: rest(seen, nowMs) };
  if (gap > GAP_MS) return begin(state, value, nowMs, limits);
  const grown = { ...seen, peak: worse(limits.operator, state.peak, value) };
  return nowMs - state.sinceMs >= limits.forMs ? fire(grown, nowMs) : { state: grown };
}

/** Looks at a series that may have gone quiet. `hostSends`: other values of its host arrive. */
export function quiet(state: SeriesState, nowMs: number, hostSends: boolean): Step {
  const silentMs = nowMs - state.seenMs;
  if (state.phase === 'idle') return { state: rest(state, nowMs) };
  if (state.phase === 'pending') return { state: silentMs > GAP_MS ? rest(state, nowMs) : state };
  if (hostSends && silentMs > GONE_MS) return { state: rest(state, nowMs), change: 'gone' };
  return { state: silentMs > NO_DATA_MS && !state.noData ? { ...state, noData: true } : state };
}
