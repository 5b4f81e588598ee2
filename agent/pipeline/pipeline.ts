import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { TableSchema } from '#proto/agent/v1/index.ts';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import type { MetricBlock } from '../schedule.ts';
import { sourceOf, type Checkpoint, type Spool } from '../spool/index.ts';
import type { Piece } from '../tail/followed-file.ts';
import { createChunkEncoder, encodeMetrics, type ChunkEncoder } from './encode.ts';

const pack = promisify(gzip);

/** A batch holds at most so much, or what came within a second. */
const BATCH_BYTES = 1_000_000;
const BATCH_MS = 1000;
/** Collectors run on the tick of a second; their batch leaves this much after it, so that one second is one batch. */
const AFTER_TICK_MS = 150;
/** Blocks that wait for a disk that takes nothing; beyond it the newest are dropped and counted. */
const WAITING_BLOCKS = 2000;
const RETRY_MS = 1000;
/** Sources that the ledger tells apart. */
const SOURCES = 1000;

/** What a file gave, and where it was read to after that. */
export interface TailedLines {
  path: string;
  /** Undefined when only the place is news. */
  piece: Piece | undefined;
  checkpoint: Checkpoint;
}

/** What became of the lines of one source since the start: read = spooled + lost + those that are on their way. */
export interface LineCounts {
  read: number;
  spooled: number;
  /** At least so many: how many lines a truncated file held, nobody knows. */
  lost: number;
}

/** What became of what was read. */
export interface Ledger {
  linesRead: number;
  linesSpooled: number;
  linesLost: number;
  /** Runs of collectors that the disk did not take. */
  blocksDropped: number;
  sources: ReadonlyMap<string, Readonly<LineCounts>>;
}

/** Gathers samples and lines into batches and puts them into the spool. */
export interface Pipeline {
  /** Takes one run of a collector. Never waits; dropped and counted when the disk takes nothing for long. */
  addBlock(block: MetricBlock): void;
  /** Takes lines; call it only while there is room. Nothing of `piece` is kept. */
  addLines(lines: TailedLines): void;
  /** Counts lines of a source that nobody will ever read. */
  addLost(path: string): void;
  /** False: files are the buffer, nobody reads on. */
  hasRoom(): boolean;
  /** Resolves when there is room, or at the end. */
  room(): Promise<void>;
  ledger(): Readonly<Ledger>;
  start(): void;
  /** Puts everything that was gathered into the spool. */
  stop(): Promise<void>;
}

interface Gathered {
  blocks: MetricBlock[];
  chunks: Map<string, ChunkEncoder>;
  lines: Map<string, number>;
  checkpoints: Map<string, Checkpoint>;
  bytes: number;
}

const nothing = (): Gathered => ({
  blocks: [],
  chunks: new Map(),
  lines: new Map(),
  checkpoints: new Map(),
  bytes: 0,
});

/** Level 1 packs within a few per cent of the default at a third of its time. */
const compress = (bytes: Buffer): Promise<Buffer> =>
  bytes.length === 0 ? Promise.resolve(bytes) : pack(bytes, { level: constants.Z_BEST_SPEED });

const encodedTables = new WeakMap<object, Uint8Array>();

/** Tables stay the same objects for hours: each is encoded once. */
function encodedTable(table: MetricBlock['table']): Uint8Array {
  const known = encodedTables.get(table) ?? toBinary(TableSchema, table.message);
  encodedTables.set(table, known);
  return known;
}

async function entryOf({ blocks, chunks, lines, checkpoints }: Gathered) {
  const [metrics, logs] = await Promise.all([
    compress(encodeMetrics(blocks)),
    compress(Buffer.concat([...chunks.values()].map((chunk) => chunk.finish()))),
  ]);
  return {
    metrics,
    logs,
    tables: new Map(blocks.map(({ table }) => [table.id, encodedTable(table)] as const)),
    checkpoints: [...checkpoints.values()],
    lines: [...lines.values()].reduce((sum, count) => sum + count, 0),
  };
}

function createLedger() {
  const sources = new Map<string, LineCounts>();
  const ledger = { linesRead: 0, linesSpooled: 0, linesLost: 0, blocksDropped: 0, sources };
  const countsOf = (path: string): LineCounts => {
    const name = sources.has(path) || sources.size < SOURCES ? path : 'others';
    const counts = sources.get(name) ?? { read: 0, spooled: 0, lost: 0 };
    sources.set(name, counts);
    return counts;
  };
  return {
    ledger,
    read(path: string, lines: number): void {
      ledger.linesRead += lines;
      countsOf(path).read += lines;
    },
    spooled(path: string, lines: number): void {
      ledger.linesSpooled += lines;
      countsOf(path).spooled += lines;
    },
    lost(path: string): void {
      ledger.linesLost += 1;
      countsOf(path).lost += 1;
    },
  };
}

/** Makes the pipeline into a spool. */
export function createPipeline({ spool, clock, log }: { spool: Spool; clock: Clock; log: Logger }): Pipeline {
  const { ledger, ...count } = createLedger();
  let gathered = nothing();
  let flushing: Promise<void> | undefined;
  let waiters: (() => void)[] = [];
  let cancel: Cancel | undefined;
  let told = false;
  const stopping = new AbortController();

  const hasRoom = (): boolean => gathered.bytes < BATCH_BYTES && !spool.isFull();
  const wakeAll = (): void => {
    for (const wake of waiters.splice(0)) wake();
  };
  const store = async (batch: Gathered): Promise<void> => {
    const entry = await entryOf(batch);
    for (;;) {
      try {
        await spool.append(entry);
        for (const [path, lines] of batch.lines) count.spooled(path, lines);
        if (told) log.info('the spool takes batches again');
        told = false;
        return;
      } catch (error) {
        if (!told)
          log.error('the spool takes nothing; files are not read on until it does', { reason: reasonOf(error) });
        told = true;
        if (stopping.signal.aborted) return; // The lines' checkpoints did not move: they are read again after the next start.
        await clock.sleep(RETRY_MS, stopping.signal);
      }
    }
  };
  const flush = (): Promise<void> => {
    flushing ??= (async () => {
      while (gathered.bytes > 0) {
        const batch = gathered;
        gathered = nothing();
        wakeAll(); // The next batch is gathered while this one is packed and written.
        await store(batch);
      }
    })().finally(() => (flushing = undefined));
    return flushing;
  };
  const plan = (): void => {
    const untilTick = BATCH_MS - (clock.now() % BATCH_MS);
    const wait = untilTick + AFTER_TICK_MS;
    cancel = clock.after(wait > BATCH_MS ? wait - BATCH_MS : wait, () => {
      plan();
      void flush();
      if (hasRoom()) wakeAll(); // Also when the spool was full and segments were freed meanwhile.
    });
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
    addLines({ path, piece, checkpoint }) {
      gathered.checkpoints.set(sourceOf(checkpoint), checkpoint);
      gathered.bytes += 1;
      if (piece === undefined || piece.bytes.length === 0) return;
      const chunk = gathered.chunks.get(path) ?? createChunkEncoder(path);
      gathered.chunks.set(path, chunk);
      const lines = chunk.add(piece.bytes, piece.cut, clock.now());
      gathered.lines.set(path, (gathered.lines.get(path) ?? 0) + lines);
      gathered.bytes += piece.bytes.length;
      count.read(path, lines);
      if (gathered.bytes >= BATCH_BYTES) void flush();
    },
    addLost: count.lost,
    hasRoom,
    room: () =>
      hasRoom() || stopping.signal.aborted ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve)),
    ledger: () => ledger,
    start: plan,
    async stop() {
      stopping.abort();
      cancel?.();
      await flush();
      wakeAll();
    },
  };
}
