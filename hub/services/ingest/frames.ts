import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { Encoding, Kind, Lane, type Batch, type Table } from '#proto/agent/v1/index.ts';
import type { ReceivedTable } from '#proto/subjects.ts';
import { problems } from './errors.ts';

interface Bounds {
  maxOutputLength: number;
  chunkSize?: number;
  params?: Record<number, number>;
}
type Now = (bytes: Uint8Array, bounds: Bounds) => Uint8Array;
type Aside = (bytes: Uint8Array, bounds: Bounds, done: (error: Error | null, result: Uint8Array) => void) => void;

/** What Node has from 22.15 on; its older types know nothing of it. */
const { zstdDecompressSync, zstdDecompress } = zlib as { zstdDecompressSync?: Now; zstdDecompress?: Aside };
const { ZSTD_d_windowLogMax } = zlib.constants as { ZSTD_d_windowLogMax?: number };

/** How each encoding is undone, at once and aside. */
const UNPACKERS = new Map<Encoding, { now: Now; aside(bytes: Uint8Array, bounds: Bounds): Promise<Uint8Array> }>([
  [Encoding.GZIP, { now: zlib.gunzipSync, aside: promisify(zlib.gunzip as Aside) }],
  ...(zstdDecompressSync === undefined || zstdDecompress === undefined
    ? []
    : [[Encoding.ZSTD, { now: zstdDecompressSync, aside: promisify(zstdDecompress) }] as const]),
]);

/** True for encodings that this hub can read. */
export const canUnpack = (encoding: Encoding): boolean => UNPACKERS.has(encoding);

/** A batch may unpack to this many bytes a part, as a power of two: sixteen times what an agent packs into one. */
const UNPACKED_BITS = 24;
const BOUNDS: Bounds = {
  maxOutputLength: 2 ** UNPACKED_BITS,
  // A few bytes of zstd may ask for a window of 128 MB before they unpack to anything.
  ...(ZSTD_d_windowLogMax === undefined ? {} : { params: { [ZSTD_d_windowLogMax]: UNPACKED_BITS } }),
};
const TOO_LARGE = new Set(['ERR_BUFFER_TOO_LARGE', 'ZSTD_error_frameParameter_windowTooLarge']);
/**
 * Packed bytes up to which a part is unpacked at once: an agent's second is 5 kB and takes 0.05 ms, while the thread that would do it aside may be
 * busy with a query for long.
 */
const AT_ONCE = 32 * 1024;
/** Aside, each piece is a way to another thread and back: a megabyte in pieces of this size costs half of what it does in those of 16 kB. */
const CHUNK_BYTES = 256 * 1024;
const SERIES_LIMIT = 20_000;
const TEXT_LIMIT = 1024;

/** What a batch holds, unpacked and bounded. */
export interface OpenBatch {
  tables: ReceivedTable[];
  metrics: Uint8Array;
  logs: Uint8Array;
}

async function unpack(encoding: Encoding, bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.length === 0 || encoding === Encoding.IDENTITY) return bytes;
  const unpacker = UNPACKERS.get(encoding);
  if (unpacker === undefined)
    throw problems.unknownEncoding(`${Encoding[encoding] ?? encoding} is none that its Node has.`);
  try {
    return bytes.length <= AT_ONCE
      ? unpacker.now(bytes, BOUNDS)
      : await unpacker.aside(bytes, { ...BOUNDS, chunkSize: CHUNK_BYTES });
  } catch (error) {
    if (TOO_LARGE.has((error as NodeJS.ErrnoException).code ?? ''))
      throw problems.tooLarge('A batch unpacks to more than 16 MB.');
    throw problems.badFrame(`A batch is not ${encoding === Encoding.GZIP ? 'gzip' : 'zstd'}.`, { cause: error });
  }
}

function openTable({ id, series }: Table): ReceivedTable {
  if (series.length > SERIES_LIMIT) throw problems.tooLarge(`A table has ${series.length} series.`);
  return {
    id,
    series: series.map(({ name, kind, attributes }) => {
      const texts = [name, ...Object.keys(attributes), ...Object.values(attributes)];
      if (name === '' || texts.some((text) => text.length > TEXT_LIMIT))
        throw problems.badFrame('A series has a name or an attribute that is empty or too long.');
      return { name, kind: kind === Kind.COUNTER ? 'counter' : 'gauge', attributes };
    }),
  };
}

/** The tables of a batch whose parts cannot be read; none when they are at fault themselves. */
export function openTables({ tables }: Batch): ReceivedTable[] {
  try {
    return tables.map(openTable);
  } catch {
    return []; // The batch is put aside for this very fault.
  }
}

/** Checks and unpacks a batch. */
export async function openBatch(batch: Batch): Promise<OpenBatch> {
  if (batch.lane !== Lane.LIVE && batch.lane !== Lane.BACKFILL) throw problems.badFrame('A batch names no lane.');
  if (batch.seq === 0n) throw problems.badFrame('A batch has no number.');
  const [metrics, logs] = await Promise.all([
    unpack(batch.encoding, batch.metrics),
    unpack(batch.encoding, batch.logs),
  ]);
  return { tables: batch.tables.map(openTable), metrics, logs };
}
