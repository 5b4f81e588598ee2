import { create, fromBinary } from '@bufbuild/protobuf';
import { LogsSchema, type Logs } from '#proto/agent/v1/index.ts';
import { BATCH_SUBJECTS, shiftOf, SUBJECTS, type BatchReceived } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import { LRUCache } from 'lru-cache';
import type { Bus } from '../../ports/bus.ts';
import type { LogLevelNumber, LogLineWrite, LogStore } from '../../ports/logstore.ts';
import { problems } from './errors.ts';
import { ledgerOf, lossesOf } from './ledger.ts';
import type { LogsTables } from './store.ts';
import { createMerge } from './attributes.ts';
import type { TemplateStore } from './template-store.ts';
import { parametersOf, templateId, templatesOf } from './templates.ts';
import type { Tail } from './tail.ts';

/** Longest line that is stored; agents cut at 256 kB. */
const LINE_LIMIT = 262_144;
const NOTHING = create(LogsSchema);

function read(bytes: Uint8Array): Logs {
  if (bytes.length === 0) return NOTHING;
  try {
    return fromBinary(LogsSchema, bytes);
  } catch (error) {
    throw problems.badFrame(undefined, { cause: error });
  }
}

/** Streams of agents whose newest batch is remembered, so that nobody sees a line twice. */
const STREAMS = 20_000;

/** The lines of a `Logs` message, bounded and by the hub's clock. */
function linesOf({ chunks }: Logs, shiftMs: number): LogLineWrite[] {
  return chunks.flatMap(({ source, lines, attributes: ofAll }) => {
    const merge = createMerge(ofAll);
    return lines.map(({ timeMs, level, text: whole, truncated, attributes, template, parameters }) => {
      const text = whole.length > LINE_LIMIT ? whole.slice(0, LINE_LIMIT) : whole;
      const id = templateId(template);
      return {
        source: source.slice(0, 1024),
        timeMs: Number(timeMs) - shiftMs,
        level: (level >= 0 && level <= 5 ? level : 0) as LogLevelNumber,
        text,
        truncated: truncated || whole.length > LINE_LIMIT,
        attributes: merge(attributes),
        template: id,
        parameters: id === undefined ? undefined : parametersOf(text, parameters),
      };
    });
  });
}

/** What listening stands on. */
export interface ListeningGiven {
  bus: Bus;
  logstore: LogStore;
  tables: LogsTables;
  templates: TemplateStore;
  tail: Tail;
  clock: Clock;
}

/** Listens to the bus; returns the ends of all subscriptions. */
export function listenToBus({ bus, logstore, tables, templates, tail, clock }: ListeningGiven): (() => void)[] {
  const newest = new LRUCache<string, bigint>({ max: STREAMS });
  const store = async (org: string, batch: BatchReceived): Promise<void> => {
    const { agent, resource, epoch, lane, seq } = batch;
    const logs = read(batch.logs);
    const skewMs = shiftOf(batch.skewMs);
    const key = { agent, epoch, lane, seq };
    const told = { resource, key, skewMs, losses: lossesOf(logs, skewMs), ledger: ledgerOf(logs, skewMs) };
    // First what knows its own key: the store counts the batch as done, and a resend ends there.
    await tables.keep(org, told, clock.now());
    const lines = linesOf(logs, skewMs);
    await templates.keep(org, templatesOf(logs, lines), clock.now());
    // A batch without lines is stored too: its key says how far the agent is.
    await logstore.append(org, { resource, key, lines });
  };
  const tell = (org: string, { agent, resource, epoch, lane, seq, skewMs, logs }: BatchReceived): void => {
    const stream = `${agent} ${epoch} ${lane}`;
    const isResent = seq <= (newest.get(stream) ?? 0n);
    if (isResent) return;
    newest.set(stream, seq);
    const lines = linesOf(read(logs), shiftOf(skewMs));
    if (lines.length > 0)
      tail.publish(
        org,
        lines.map((line) => ({ ...line, resource })),
      );
  };
  return [
    ...BATCH_SUBJECTS.flatMap((subject) => [bus.subscribe(subject, 'logs', store), bus.listen(subject, tell)]),
    bus.subscribe(SUBJECTS.resourceDeleted, 'logs', async (org, { resource }) => {
      await tables.deleteResource(org, resource);
      await logstore.deleteResource(org, resource);
    }),
  ];
}
