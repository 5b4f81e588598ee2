import { fromBinary } from '@bufbuild/protobuf';
import { LogsSchema, type Logs } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { LRUCache } from 'lru-cache';
import type { Bus } from '../../ports/bus.ts';
import type { LogLevelNumber, LogLineWrite, LogStore } from '../../ports/logstore.ts';
import { problems } from './errors.ts';
import type { Tail } from './tail.ts';

/** Longest line that is stored; agents cut at 256 kB. */
const LINE_LIMIT = 262_144;

function read(bytes: Uint8Array): Logs {
  try {
    return fromBinary(LogsSchema, bytes);
  } catch (error) {
    throw problems.badFrame(undefined, { cause: error });
  }
}

/** Streams of agents whose newest batch is remembered, so that nobody sees a line twice. */
const STREAMS = 20_000;

/** The lines of an encoded `Logs` message, bounded. */
export function linesOf(bytes: Uint8Array): LogLineWrite[] {
  if (bytes.length === 0) return [];
  return read(bytes).chunks.flatMap(({ source, lines }) =>
    lines.map(({ timeMs, level, text, truncated }) => ({
      source: source.slice(0, 1024),
      timeMs: Number(timeMs),
      level: (level >= 0 && level <= 5 ? level : 0) as LogLevelNumber,
      text: text.length > LINE_LIMIT ? text.slice(0, LINE_LIMIT) : text,
      truncated: truncated || text.length > LINE_LIMIT,
    })),
  );
}

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus(bus: Bus, logstore: LogStore, tail: Tail): (() => void)[] {
  const newest = new LRUCache<string, bigint>({ max: STREAMS });
  return [
    bus.subscribe(SUBJECTS.batchReceived, 'logs', async (org, { agent, resource, epoch, lane, seq, logs }) => {
      const lines = linesOf(logs);
      // A batch without lines is stored too: its key says how far the agent is.
      await logstore.append(org, { resource, key: { agent, epoch, lane, seq }, lines });
    }),
    bus.listen(SUBJECTS.batchReceived, (org, { agent, resource, epoch, lane, seq, logs }) => {
      const stream = `${agent} ${epoch} ${lane}`;
      const isResent = seq <= (newest.get(stream) ?? 0n);
      if (isResent) return;
      newest.set(stream, seq);
      const lines = linesOf(logs);
      if (lines.length > 0)
        tail.publish(
          org,
          lines.map((line) => ({ ...line, resource })),
        );
    }),
    bus.subscribe(SUBJECTS.resourceDeleted, 'logs', (org, { resource }) => logstore.deleteResource(org, resource)),
  ];
}
