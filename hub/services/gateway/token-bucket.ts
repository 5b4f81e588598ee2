/** A caller's allowance. */
interface Bucket {
  tokens: number;
  atMs: number;
}

/** What one call costs the caller: whether it may pass, and what to tell about the allowance. */
export interface Allowance {
  allowed: boolean;
  /** Whole calls left now. */
  remaining: number;
  /** Seconds until the next call may pass; 0 when it may now. */
  retryAfter: number;
}

/** A token bucket a caller, forgetting those that are full again. `now` in milliseconds that never go back. */
export function createBuckets(perSecond: number, burst: number, now: () => number, most = 20_000) {
  const buckets = new Map<string, Bucket>();
  return {
    take(caller: string): Allowance {
      const at = now();
      const old = buckets.get(caller) ?? { tokens: burst, atMs: at };
      const tokens = Math.min(burst, old.tokens + ((at - old.atMs) * perSecond) / 1000);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      // Moved to the end, so that the first is the one unseen for longest.
      buckets.delete(caller);
      buckets.set(caller, { tokens: left, atMs: at });
      if (buckets.size > most) buckets.delete(buckets.keys().next().value ?? '');
      return { allowed, remaining: Math.floor(left), retryAfter: allowed ? 0 : Math.ceil((1 - left) / perSecond) };
    },
  };
}
export type Buckets = ReturnType<typeof createBuckets>;
