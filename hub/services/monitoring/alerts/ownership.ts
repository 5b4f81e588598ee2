import { randomUUID } from 'node:crypto';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { Cache } from '../../../ports/cache.ts';
import { shardOf, SHARDS, type Fences } from './shards.ts';

/** A shard of a process that is gone is free after this. With a look every two seconds it is taken over within ten. */
const LEASE_MS = 6_000;
const LOOK_MS = 2_000;
/** Shards lie over all orgs. */
const HUB = '';

/** What sharing out stands on. */
export interface OwnershipGiven {
  cache: Cache;
  clock: Clock;
  log: Logger;
  /**
   * Claims shards in the database and reads what fires there. `adopt` takes that over, once the shards count as owned; `ahead` names
   * shards with a higher token in the database than the one that was offered. Rejects when it cannot be done now.
   */
  takeOver(fences: Fences): Promise<{ ahead: Fences; adopt(owned: ReadonlySet<number>): void }>;
}

/** A shard whose lease this process has. */
interface Holding {
  /** As the cache gave it. */
  token: number;
  /** What the database is shown: the token, unless the cache's clock was set back. */
  fence: number;
  /** It was taken over: this process writes and tells. */
  active: boolean;
}

/** Seats tell how many processes share the work. Whoever gets none waits until one is free. */
function createSeats({ cache }: OwnershipGiven, holder: string) {
  const places = Array.from({ length: SHARDS }, (_one, seat) => seat);
  let own: number | undefined;
  const take = async (seat: number): Promise<boolean> =>
    (await cache.acquire(HUB, `monitoring-seat-${seat}`, holder, LEASE_MS)) !== undefined;
  return {
    /** Keeps the own seat or takes a free one; gives how many are taken, undefined without a seat. */
    async renew(): Promise<number | undefined> {
      if (own === undefined || !(await take(own))) {
        own = undefined;
        for (const seat of places) {
          if (!(await take(seat))) continue;
          own = seat;
          break;
        }
      }
      if (own === undefined) return undefined;
      await cache.set(HUB, `monitoring-seated-${own}`, holder, LEASE_MS);
      const seated = await Promise.all(places.map((seat) => cache.get(HUB, `monitoring-seated-${seat}`)));
      return new Set(seated.filter((one) => one !== undefined)).size;
    },
    async leave(): Promise<void> {
      if (own === undefined) return;
      await cache.delete(HUB, `monitoring-seated-${own}`);
      await cache.release(HUB, `monitoring-seat-${own}`, holder);
      own = undefined;
    },
  };
}

/** The leases of one process, and its share of them all. */
function createLeases(given: OwnershipGiven) {
  const { cache } = given;
  const holder = randomUUID();
  const held = new Map<number, Holding>();
  const seats = createSeats(given, holder);
  const keyOf = (shard: number): string => `monitoring-alerts-${shard}`;

  const renew = async (shard: number): Promise<void> => {
    const token = await cache.acquire(HUB, keyOf(shard), holder, LEASE_MS);
    const before = held.get(shard);
    if (token === undefined) held.delete(shard);
    else if (before?.token !== token) held.set(shard, { token, fence: token, active: false });
  };
  const release = async (shard: number): Promise<void> => {
    held.delete(shard);
    await cache.release(HUB, keyOf(shard), holder);
  };
  const share = async (): Promise<void> => {
    await Promise.all([...held.keys()].map(renew));
    const processes = await seats.renew();
    const most = processes === undefined ? 0 : Math.ceil(SHARDS / processes);
    for (const shard of [...held.keys()].slice(most)) await release(shard);
    for (let shard = 0; shard < SHARDS && held.size < most; shard++) if (!held.has(shard)) await renew(shard);
  };
  return {
    held,
    share,
    /** Gives everything back. */
    async leave(): Promise<void> {
      for (const shard of [...held.keys()]) await release(shard);
      await seats.leave();
    },
  };
}

/**
 * Decides which process writes down and tells what fires on a resource. All processes hold the same state; the owner of a shard has its
 * lease in the cache, and each of its writes carries the lease's fencing token. While the cache is away everyone keeps what they have.
 */
export function createOwnership(given: OwnershipGiven) {
  const { clock, log } = given;
  const { held, share, leave } = createLeases(given);
  let looking: Promise<void> | undefined;
  let taking: Promise<boolean> | undefined;
  let cancel: Cancel | undefined;
  let stopped = false;

  /** True when a token was too low, and another look may help. */
  const takeOver = async (): Promise<boolean> => {
    const wanted = new Map([...held].filter(([, { active }]) => !active));
    if (wanted.size === 0) return false;
    const { ahead, adopt } = await given.takeOver(new Map([...wanted].map(([shard, { fence }]) => [shard, fence])));
    const owned = new Set<number>();
    for (const [shard, holding] of wanted) {
      if (held.get(shard) !== holding) continue;
      const higher = ahead.get(shard);
      // With the lease renewed after this, the token is only low because a clock was set back.
      holding.active = higher === undefined;
      if (higher === undefined) owned.add(shard);
      else holding.fence = higher + 1;
    }
    adopt(owned);
    return ahead.size > 0;
  };
  const failed = (what: string) => (error: unknown) => {
    log.warn('shards of the alerts could not be shared out; it is tried again', { what, reason: reasonOf(error) });
    return false;
  };
  /** Leases are renewed while a slow database is still being read. */
  const look = async (): Promise<void> => {
    const renewed = await share().then(() => true, failed('leases'));
    // Without the lease just renewed nobody may claim anything: the token may be an old one.
    if (!renewed || stopped || taking !== undefined) return;
    taking = takeOver()
      .catch(failed('firings'))
      .finally(() => (taking = undefined));
    void taking.then((again) => void (again && lookOnce()));
  };
  const lookOnce = (): Promise<void> => (looking ??= look().finally(() => (looking = undefined)));

  return {
    /** The token that a write about a resource carries; undefined while another process is the owner. */
    fenceOf(org: string, resource: string): number | undefined {
      const holding = held.get(shardOf(org, resource));
      return holding?.active === true ? holding.fence : undefined;
    },
    /** The database has refused a token: somebody else owns the shard, or this process takes it over anew. */
    lost(shard: number, fence: number): void {
      const holding = held.get(shard);
      if (holding?.fence !== fence) return;
      held.set(shard, { ...holding, active: false });
      void lookOnce();
    },
    /** Resolves when what is free was taken over. */
    async start(): Promise<void> {
      await lookOnce();
      await taking;
      cancel = clock.every(LOOK_MS, () => void lookOnce());
    },
    /** No new shards; what is owned stays so until `leave`. */
    async rest(): Promise<void> {
      stopped = true;
      cancel?.();
      await looking;
      await taking;
    },
    /** Hands everything over at once. */
    async leave(): Promise<void> {
      try {
        await leave();
      } catch (error) {
        log.warn('shards of the alerts could not be handed over; they are free in some seconds', {
          reason: reasonOf(error),
        });
      }
    },
  };
}
export type Ownership = ReturnType<typeof createOwnership>;
