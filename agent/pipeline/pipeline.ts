import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { LogsSchema, MetricsSchema, TableSchema, type LogChunk } from '#proto/agent/v1/index.ts';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { MetricBlock } from '../schedule.ts';
import { sourceOf, type Checkpoint, type Spool } from '../spool/index.ts';
import { factsOf } from './line-facts.ts';

const pack = promisify(gzip);

/** A batch holds at most so much, or what came within a second. */
const BATCH_BYTES = 1_000_000;
const BATCH_MS = 1000;
/** Blocks that wait for a disk that takes nothing; beyond it the newest are dropped and counted. */
const WAITING_BLOCKS = 2_000;
const RETRY_MS = 1000;

/** A line as the tailer read it. */
export interface TailedLine {
  text: string;
  truncated: boolean;
}

/** Lines of one file in order, and where the file was read to after them. */
export interface TailedLines {
  path: string;
  lines: readonly TailedLine[];
  bytes: number;
  checkpoint: Checkpoint;
}

/** What became of what was read. */
export interface Ledger {
  linesRead: number;
  linesSpooled: number;
  blocksDropped: number;
}

/** Gathers samples and lines into batches and puts them into the spool. */
export interface Pipeline {
  /** Takes one run of a collector. Never waits; dropped and counted when the disk takes nothing for long. */
  addBlock(block: MetricBlock): void;
  /** Takes lines; call it only after `room`. */
  addLines(lines: TailedLines): void;
  /** Resolves when lines may be added. Files are the buffer: nobody reads on before. */
  room(): Promise<void>;
  ledger(): Readonly<Ledger>;
  start(): void;
  /** Puts everything that was gathered into the spool. */
  stop(): Promise<void>;
}

interface Gathered {
  blocks: MetricBlock[];
  chunks: Map<string, LogChunk>;
  checkpoints: Map<string, Checkpoint>;
  lines: number;
  bytes: number;
}

const nothing = (): Gathered => ({ blocks: [], chunks: new Map(), checkpoints: new Map(), lines: 0, bytes: 0 });

/** Level 1 packs within a few per cent of the default at a third of its time. */
const compress = (bytes: Uint8Array): Promise<Uint8Array> =>
  bytes.length === 0 ? Promise.resolve(bytes) : pack(bytes, { level: constants.Z_BEST_SPEED });

async function entryOf(gathered: Gathered) {
  const blocks = gathered.blocks.map(({ table, timeMs, values }) => ({
    table: table.id,
    timeMs: BigInt(timeMs),
    values: values as unknown as number[],
  }));
  const metrics = blocks.length === 0 ? new Uint8Array() : toBinary(MetricsSchema, create(MetricsSchema, { blocks }));
  const chunks = [...gathered.chunks.values()];
  const logs = chunks.length === 0 ? new Uint8Array() : toBinary(LogsSchema, create(LogsSchema, { chunks }));
  const [packedMetrics, packedLogs] = await Promise.all([compress(metrics), compress(logs)]);
  const tables = new Map(gathered.blocks.map(({ table }) => [table.id, encodedTable(table)] as const));
  return {
    metrics: packedMetrics,
    logs: packedLogs,
    tables,
    checkpoints: [...gathered.checkpoints.values()],
    lines: gathered.lines,
  };
}

const encoded = new WeakMap<object, Uint8Array>();

/** Tables stay the same objects for hours: each is encoded once. */
function encodedTable(table: MetricBlock['table']): Uint8Array {
  const known = encoded.get(table) ?? toBinary(TableSchema, table.message);
  encoded.set(table, known);
  return known;
}

/** Makes the pipeline into a spool. */
export function createPipeline({ spool, clock, log }: { spool: Spool; clock: Clock; log: Logger }): Pipeline {
  const ledger: Ledger = { linesRead: 0, linesSpooled: 0, blocksDropped: 0 };
  let gathered = nothing();
  let flushing: Promise<void> | undefined;
  let waiters: (() => void)[] = [];
  let cancel: Cancel | undefined;
  let told = false;
  let stopping = false;

  const store = async (batch: Gathered): Promise<void> => {
    const entry = await entryOf(batch);
    for (;;) {
      try {
        await spool.append(entry);
        ledger.linesSpooled += batch.lines;
        if (told) log.info('the spool takes batches again');
        told = false;
        return;
      } catch (error) {
        if (!told)
          log.error('the spool takes nothing; files are not read on until it does', { reason: reasonOf(error) });
        told = true;
        if (stopping) return; // The lines' checkpoints did not move: they are read again after the next start.
        await clock.sleep(RETRY_MS);
      }
    }
  };
  const flush = (): Promise<void> => {
    flushing ??= (async () => {
      while (gathered.bytes > 0) {
        const batch = gathered;
        gathered = nothing();
        await store(batch);
        const waking = waiters;
        waiters = [];
        for (const wake of waking) wake();
      }
    })().finally(() => (flushing = undefined));
    return flushing;
  };

  return {
    addBlock(block) {
      if (spool.isFull() || gathered.blocks.length >= WAITING_BLOCKS) {
        ledger.blocksDropped += 1;
        return;
      }
      gathered.blocks.push(block);
      gathered.bytes += 24 + block.values.byteLength;
    },
    addLines({ path, lines, bytes, checkpoint }) {
      const now = clock.now();
      const chunk =
        gathered.chunks.get(path) ??
        ({ $typeName: 'outrider.agent.v1.LogChunk', source: path, lines: [] } satisfies LogChunk);
      gathered.chunks.set(path, chunk);
      for (const { text, truncated } of lines) {
        const { level, timeMs } = factsOf(text, now);
        chunk.lines.push({ $typeName: 'outrider.agent.v1.LogLine', timeMs: BigInt(timeMs), level, text, truncated });
      }
      gathered.checkpoints.set(sourceOf(checkpoint), checkpoint);
      gathered.lines += lines.length;
      gathered.bytes += bytes + 1;
      ledger.linesRead += lines.length;
      if (gathered.bytes >= BATCH_BYTES) void flush();
    },
    async room() {
      while (!stopping && (gathered.bytes >= BATCH_BYTES || spool.isFull())) {
        if (spool.isFull()) await clock.sleep(RETRY_MS);
        else {
          const woken = new Promise<void>((resolve) => waiters.push(resolve));
          void flush();
          await woken;
        }
      }
    },
    ledger: () => ledger,
    start() {
      cancel = clock.every(BATCH_MS, () => void flush());
    },
    async stop() {
      stopping = true;
      cancel?.();
      await flush();
      for (const wake of waiters) wake();
    },
  };
}
