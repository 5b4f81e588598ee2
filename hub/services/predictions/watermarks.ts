import { LRUCache } from 'lru-cache';

/** Which batches of which stream. */
export interface StreamKey {
  agent: string;
  epoch: bigint;
  lane: number;
}

/** Streams of agents that are remembered. */
const STREAMS = 20_000;

/**
 * How far each agent's batches were handled by this process. Almost no batch holds an event, so none is written down for its key alone: a stream that
 * this process knows nothing of is said to have nothing, and its agent sends again what it still holds, which the keys of the other owners make harmless.
 */
export function createWatermarks() {
  const newest = new LRUCache<string, bigint>({ max: STREAMS });
  const nameOf = ({ agent, epoch, lane }: StreamKey): string => `${agent} ${epoch} ${lane}`;
  return {
    raise(stream: StreamKey, seq: bigint): void {
      const name = nameOf(stream);
      if (seq > (newest.get(name) ?? 0n)) newest.set(name, seq);
    },
    of: (stream: StreamKey): bigint => newest.get(nameOf(stream)) ?? 0n,
  };
}
export type Watermarks = ReturnType<typeof createWatermarks>;
