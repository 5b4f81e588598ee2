import type { Clock } from '#sdk';
import type { AlertResources, WatchedResource } from './index.ts';

/** How old the list of resources may be, milliseconds. */
const LIST_MS = 30_000;

interface Seen {
  /** On the monotonic clock. */
  atMs: number;
  /** The stored time that was last taken into account. */
  storedMs: number | undefined;
}

/** Knows how long each resource has been silent, also over a restart and with a wall clock that jumps. */
export function createPresence(resources: AlertResources, clock: Clock) {
  const seen = new Map<string, Seen>();
  const lists = new Map<string, { atMs: number; items: readonly WatchedResource[] }>();

  const listOf = async (org: string): Promise<readonly WatchedResource[]> => {
    const known = lists.get(org);
    if (known !== undefined && clock.monotonic() - known.atMs < LIST_MS) return known.items;
    const items = await resources.list(org);
    lists.set(org, { atMs: clock.monotonic(), items });
    return items;
  };

  /** Takes a stored time only when it is new: it may come from another hub, or from before a restart. */
  const adopt = (org: string, { id, lastSeenMs }: WatchedResource): void => {
    const key = `${org} ${id}`;
    const known = seen.get(key);
    if (lastSeenMs === undefined || known?.storedMs === lastSeenMs) return;
    const atMs = clock.monotonic() - Math.max(0, clock.now() - lastSeenMs);
    seen.set(key, { atMs: Math.max(atMs, known?.atMs ?? -Infinity), storedMs: lastSeenMs });
  };

  const silentMs = (org: string, resource: string): number =>
    clock.monotonic() - (seen.get(`${org} ${resource}`)?.atMs ?? -Infinity);

  return {
    /** A batch of the resource came just now. */
    note(org: string, resource: string): void {
      const key = `${org} ${resource}`;
      const known = seen.get(key);
      if (known === undefined) seen.set(key, { atMs: clock.monotonic(), storedMs: undefined });
      else known.atMs = clock.monotonic();
    },
    silentMs,
    /** Every resource of the org whose silence would be news, with its silence so far. */
    async silences(org: string): Promise<{ resource: string; silentMs: number }[]> {
      const items = (await listOf(org)).filter(({ ephemeral }) => !ephemeral);
      for (const item of items) adopt(org, item);
      return items
        .map(({ id }) => ({ resource: id, silentMs: silentMs(org, id) }))
        .filter((one) => Number.isFinite(one.silentMs));
    },
    forget(org: string, resource: string): void {
      seen.delete(`${org} ${resource}`);
      lists.delete(org);
    },
  };
}
export type Presence = ReturnType<typeof createPresence>;
