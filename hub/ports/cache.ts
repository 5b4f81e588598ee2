/** How fast a token bucket fills, and how much it holds. */
export interface Rate {
  /** Tokens a second. */
  perSecond: number;
  /** Tokens that a full bucket holds. */
  burst: number;
}

/** What is left in a token bucket. */
export interface Taken {
  allowed: boolean;
  /** Tokens that a full bucket holds. */
  limit: number;
  /** Whole tokens left now. */
  remaining: number;
  /** Milliseconds until the same take would pass; 0 when it would pass now. */
  waitMs: number;
  /** Milliseconds until the bucket is full. */
  resetMs: number;
}

/**
 * Small values that may vanish at any time, shared by all processes of a hub. An `org` of '' is the hub itself.
 * Every call rejects with a retryable Problem, within seconds, while the store does not answer.
 */
export interface Cache {
  get(org: string, key: string): Promise<string | undefined>;
  /** `ttlMs` in milliseconds. */
  set(org: string, key: string, value: string, ttlMs: number): Promise<void>;
  delete(org: string, key: string): Promise<void>;
  /** Adds one to a counter that vanishes `ttlMs` after its first increment, and gives its value and what is left of its life. */
  increment(org: string, key: string, ttlMs: number): Promise<{ value: number; leftMs: number }>;
  /**
   * Takes or renews a lease for `ttlMs`; undefined while another holder has it. The answer is a fencing token: the present
   * holder keeps its own, a new one's is greater than all before, also when the store lost everything in between (it is at
   * least the store's clock in ms). A lease alone excludes nobody whose process stood still: whoever writes hands the token on.
   */
  acquire(org: string, key: string, holder: string, ttlMs: number): Promise<number | undefined>;
  /** Gives a lease back; nothing happens when another holder has it by now. */
  release(org: string, key: string, holder: string): Promise<void>;
  /** Takes `count` tokens when there are so many, else none. A count of 0 only looks whether there is one. */
  take(org: string, key: string, rate: Rate, count: number): Promise<Taken>;
}

/** What a bucket with so many tokens answers; `left` as it is after the take. */
export function takenOf(allowed: boolean, left: number, { perSecond, burst }: Rate, count: number): Taken {
  const msFor = (tokens: number): number => Math.max(0, Math.ceil((tokens * 1000) / perSecond - 1e-6));
  return {
    allowed,
    limit: burst,
    remaining: Math.max(0, Math.floor(left + 1e-9)),
    waitMs: msFor(Math.max(1, count) - left),
    resetMs: msFor(burst - left),
  };
}
