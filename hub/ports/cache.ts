/** Small values that may vanish at any time, shared by all processes of a hub. */
export interface Cache {
  get(org: string, key: string): Promise<string | undefined>;
  /** `ttlMs` in milliseconds. */
  set(org: string, key: string, value: string, ttlMs: number): Promise<void>;
  delete(org: string, key: string): Promise<void>;
  /** Adds one to a counter that vanishes `ttlMs` after its first increment, and gives its value and what is left of its life. */
  increment(org: string, key: string, ttlMs: number): Promise<{ value: number; leftMs: number }>;
}
