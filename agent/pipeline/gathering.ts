import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  LogsSchema,
  MetricsSchema,
  type AnomalyEventSchema,
  type LedgerSchema,
  type LogTemplateSchema,
} from '#proto/agent/v1/index.ts';
import { pack } from '../packing.ts';
import type { MetricBlock } from '../schedule.ts';
import { sourceOf, type Amount, type Checkpoint, type Packing, type SpoolEntry } from '../spool/index.ts';
import type { EncodedEvents } from '../lines/index.ts';
import { giveBack, takeBuffer } from './buffers.ts';
import { createChunk, encodeMetrics, type Chunk } from './encode.ts';
import { addAmount } from './ledger.ts';
import type { Loss } from './loss.ts';

export type AnomalyMessage = MessageInitShape<typeof AnomalyEventSchema>;
export type TemplateMessage = MessageInitShape<typeof LogTemplateSchema>;

/** Samples and lines that will be one batch. */
export interface Gathering {
  /** Bytes before packing; more than nothing as soon as anything is in it. */
  bytes(): number;
  addBlock(block: MetricBlock): void;
  /** Tells the hub of something strange. */
  addAnomaly(event: AnomalyMessage): void;
  /** Takes events, which are counted by the given name. Nothing of their bytes is kept. */
  addEvents(events: EncodedEvents, name: string): void;
  /** Tells the hub what a kind of line looks like. */
  addTemplate(template: TemplateMessage): void;
  /** Tells the hub that nobody will ever read some lines. */
  addLoss(loss: Loss): void;
  /** Tells the hub what became of the lines of some sources. */
  addLedger(ledger: MessageInitShape<typeof LedgerSchema>): void;
  /** Lines by the names that they are counted by. */
  sources(): ReadonlyMap<string, Amount>;
  /** What goes into the spool; nothing may be added after that. */
  pack(packing: Packing): Promise<SpoolEntry>;
}

const lossMessage = ({ path, lines, bytes, fromMs, toMs, cause }: Loss) => ({
  source: path,
  lines: BigInt(lines ?? 0),
  bytes: BigInt(bytes),
  fromMs: BigInt(Math.round(fromMs)),
  toMs: BigInt(Math.round(toMs)),
  cause,
});

/** Writes chunks and what follows them into one buffer, packs it and gives it back. */
async function packLogs(chunks: readonly Chunk[], told: Uint8Array, packing: Packing): Promise<Buffer> {
  const size = chunks.reduce((sum, chunk) => sum + chunk.bytes(), told.length);
  const whole = takeBuffer(size);
  let at = 0;
  for (const chunk of chunks) at = chunk.finish(whole, at);
  whole.set(told, at);
  const packed = await pack(whole.subarray(0, size), packing);
  giveBack(whole);
  return packed;
}

/** Begins an empty batch. */
export function createGathering(): Gathering {
  const blocks: MetricBlock[] = [];
  const chunks = new Map<string, Chunk>();
  const sources = new Map<string, Amount>();
  const checkpoints = new Map<string, Checkpoint>();
  const losses: ReturnType<typeof lossMessage>[] = [];
  const anomalies: AnomalyMessage[] = [];
  const templates: TemplateMessage[] = [];
  let ledger: MessageInitShape<typeof LedgerSchema> | undefined;
  let bytes = 0;
  return {
    bytes: () => bytes,
    addBlock(block) {
      blocks.push(block);
      bytes += 24 + block.values.byteLength;
    },
    addAnomaly(event) {
      anomalies.push(event);
      bytes += 256 * (1 + (event.causes?.length ?? 0));
    },
    addEvents({ path, attributes, events, lines, size, checkpoint }, name) {
      checkpoints.set(sourceOf(checkpoint), checkpoint);
      bytes += 1 + events.length;
      if (events.length === 0) return;
      const chunk = chunks.get(path) ?? createChunk(path, attributes);
      chunks.set(path, chunk);
      chunk.add(events);
      const sum = sources.get(name) ?? { lines: 0, bytes: 0 };
      sources.set(name, sum);
      addAmount(sum, { lines, bytes: size });
    },
    addTemplate(template) {
      templates.push(template);
      bytes += 16 + (template.text?.length ?? 0);
    },
    addLoss(loss) {
      losses.push(lossMessage(loss));
      bytes += 64 + loss.path.length;
    },
    addLedger(told) {
      ledger = told;
      bytes += 64 * (told.sources?.length ?? 0);
    },
    sources: () => sources,
    async pack(packing) {
      const told = toBinary(LogsSchema, create(LogsSchema, { losses, templates, ...(ledger && { ledger }) }));
      const strange = toBinary(MetricsSchema, create(MetricsSchema, { anomalies }));
      const [metrics, logs] = await Promise.all([
        pack(Buffer.concat([encodeMetrics(blocks), strange]), packing),
        packLogs([...chunks.values()], told, packing),
      ]);
      return {
        metrics,
        logs,
        packing,
        tables: new Map(blocks.map(({ table }) => [table.id, table.bytes] as const)),
        checkpoints: [...checkpoints.values()],
        sources: new Map([...sources].map(([name, { lines, bytes: size }]) => [name, [lines, size]] as const)),
      };
    },
  };
}
