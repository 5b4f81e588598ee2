import CircuitBreaker from 'opossum';

/** A sister's process that may be asked. */
export interface Address {
  url: string;
  /** Makes a call, and counts whether the process answered at all. */
  fire<T>(call: () => Promise<T>): Promise<T>;
  state(): 'closed' | 'half-open' | 'open';
  /** Why it last failed; empty when it never did. */
  reason(): string;
  close(): void;
}

/** Failures in a row of ten seconds before an address is left alone: at least this many calls, half of them failed. */
const LEAST_CALLS = 5;
const FAILED_PERCENT = 50;
const WINDOW_MS = 10_000;
/** An address that failed is tried again with one call after this time, milliseconds. */
export const REST_MS = 2_000;

/** True for the caller's own doing, which says nothing about the process that was asked. */
const isOwnDoing = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

function addressAt(url: string): Address {
  const breaker = new CircuitBreaker((call: () => Promise<unknown>) => call(), {
    timeout: false,
    volumeThreshold: LEAST_CALLS,
    errorThresholdPercentage: FAILED_PERCENT,
    rollingCountTimeout: WINDOW_MS,
    rollingCountBuckets: 10,
    resetTimeout: REST_MS,
    enableSnapshots: false,
    errorFilter: isOwnDoing,
  });
  let reason = '';
  breaker.on('failure', (error: Error) => (reason = error.message));
  return {
    url,
    fire: <T>(call: () => Promise<T>) => breaker.fire(call) as Promise<T>,
    state: () => (breaker.halfOpen ? 'half-open' : breaker.opened ? 'open' : 'closed'),
    reason: () => reason,
    close: () => breaker.shutdown(),
  };
}

/** The addresses of one service: asked in turn, those that do not answer left out until they are tried again. */
export function createAddresses(urls: readonly string[]) {
  const all = urls.map(addressAt);
  let turn = 0;
  return {
    all,
    /** The next address that may be asked and is none of `tried`; undefined when there is none. */
    next(tried: ReadonlySet<Address>): Address | undefined {
      for (let step = 0; step < all.length; step++) {
        turn = (turn + 1) % all.length;
        const address = all[turn];
        if (address !== undefined && !tried.has(address) && address.state() !== 'open') return address;
      }
      return undefined;
    },
  };
}
export type Addresses = ReturnType<typeof createAddresses>;
