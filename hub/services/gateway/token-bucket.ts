/** A caller's allowance. */
interface Bucket {
  tokens: number;
  atMs: number;
}

/** What one call costs the caller: whether it may pass, and what to tell about the allowance. */
export interface Allowance {
  allowed: boolean;
  /** Calls that a full bucket holds. */
  limit: number;
  /** Whole calls left now. */
  remaining: number;
  /** Seconds until the next call may pass; 0 when it may now. */
  retryAfter: number;
  /** Seconds until the bucket is full again. */
  reset: number;
}

/** A token bucket a caller, forgetting those unseen for longest. `now` in milliseconds that never go back. */
export function createBuckets(perSecond: number, burst: number, now: () => number, most = 20_000) {
  const buckets = new Map<string, Bucket>();
  return {
    /** Takes `cost` tokens if one is there; a cost of 0 only looks. */
    take(caller: string, cost: 0 | 1 = 1): Allowance {
      const at = now();
      const old = buckets.get(caller) ?? { tokens: burst, atMs: at };
      const tokens = Math.min(burst, old.tokens + ((at - old.atMs) * perSecond) / 1000);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - cost : tokens;
      // Moved to the end, so that the first is the one unseen for longest.
      buckets.delete(caller);
      buckets.set(caller, { tokens: left, atMs: at });
      if (buckets.size > most) buckets.delete(buckets.keys().next().value ?? '');
      return {
        allowed,
        limit: burst,
        remaining: Math.floor(left),
        retryAfter: allowed ? 0 : Math.ceil((1 - left) / perSecond),
        reset: Math.ceil((burst - left) / perSecond),
      };
    },
  };
}
