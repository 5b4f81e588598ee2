/** Alerts are shared out between the processes of a hub in so many parts. */
export const SHARDS = 8;

/** The part that a resource belongs to, the same in every process: 0 to `SHARDS` - 1. */
export function shardOf(org: string, resource: string): number {
  let hash = 0x811c9dc5;
  for (const character of `${org} ${resource}`) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return ((hash ^ (hash >>> 15)) >>> 0) % SHARDS;
}

/** Fencing tokens of shards, by shard. */
export type Fences = ReadonlyMap<number, number>;

/** Another process has taken a shard over since: what this one wants to write is out of date. */
export class StaleOwner extends Error {
  readonly shard: number;
  readonly fence: number;
  constructor(shard: number, fence: number) {
    super(`another process has taken over shard ${shard} of the alerts`);
    this.shard = shard;
    this.fence = fence;
  }
}
