import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import type { BatchBody, Packing } from './spool/index.ts';

type Callback = (bytes: Uint8Array, options: object, done: (error: Error | null, result: Buffer) => void) => void;
type Work = (bytes: Uint8Array) => Promise<Buffer>;

/** What Node has from 22.15 on; its older types know nothing of it. */
const { zstdCompress, zstdDecompress } = zlib as { zstdCompress?: Callback; zstdDecompress?: Callback };
const { Z_BEST_SPEED, ZSTD_c_compressionLevel = 0 } = zlib.constants as typeof zlib.constants & Record<string, number>;

const using = (work: Callback, options: object): Work => {
  const aside = promisify(work);
  return (bytes) => (bytes.length === 0 ? Promise.resolve(Buffer.alloc(0)) : aside(bytes, options));
};

/**
 * Level 1 of gzip packs within a few per cent of its default at a third of its time; zstd's packs closer than its levels 2 and 3. A million
 * lines as servers write them, on Node 26 in one run: gzip 0.82 CPU-s and 8.5 : 1, zstd 0.50 and 13.3 : 1 (`test/bench/packing.ts`).
 */
const gzip = using(zlib.gzip as Callback, { level: Z_BEST_SPEED });
const zstd = zstdCompress && using(zstdCompress, { params: { [ZSTD_c_compressionLevel]: 1 } });
const unzstd = zstdDecompress && using(zstdDecompress, {});

/** True when this version of Node packs and unpacks zstd. */
export const HAS_ZSTD = zstd !== undefined && unzstd !== undefined;

/** How this agent packs for a hub that takes `taken`. */
export const packingFor = (taken: Packing): Packing => (HAS_ZSTD ? taken : 'gzip');

/** Packs a part of a batch; nothing stays nothing. */
export const pack = (bytes: Buffer, packing: Packing): Promise<Buffer> =>
  (packing === 'zstd' && zstd !== undefined ? zstd : gzip)(bytes);

/** A batch for a hub that takes gzip only. One that cannot be unpacked here stays as it is, for the hub to say what is wrong with it. */
export async function withGzip<Batch extends BatchBody & { packing: Packing }>(batch: Batch): Promise<Batch> {
  if (batch.packing === 'gzip' || unzstd === undefined) return batch;
  try {
    const [metrics, logs] = await Promise.all([batch.metrics, batch.logs].map((part) => unzstd(part).then(gzip)));
    return { ...batch, metrics, logs, packing: 'gzip' };
  } catch {
    return batch;
  }
}
