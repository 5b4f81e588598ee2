import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import type { FileCheckpoint } from '../spool/index.ts';
import { LINE_LIMIT, type Piece } from './cursor.ts';
import { beginsAs, createTrace, endsAs, HEAD_BYTES, TAIL_BYTES, tailFrom, type Trait } from './trace.ts';

/** Bytes that are read and unpacked at once: what a packed file costs in memory, besides its longest line. */
const CHUNK_BYTES = 65_536;

type Unpacker = () => Transform;

/** Newer versions of Node unpack zstd too. */
const zstd = (zlib as { createZstdDecompress?: Unpacker }).createZstdDecompress;
const UNPACKERS = new Map<string, Unpacker>([
  ['.gz', () => zlib.createGunzip({ chunkSize: CHUNK_BYTES })],
  ...(zstd === undefined ? [] : [['.zst', () => zstd()] as const]),
]);

const extensionOf = (path: string): string => /\.(gz|zst|xz|bz2|lz4|zip)$/.exec(path)?.[0] ?? '';

/** True for names that packers give: the bytes of such a file are not its text. */
export function isPacked(path: string): boolean {
  return extensionOf(path) !== '';
}

/** True when this version of Node can unpack the file. */
export function canUnpack(path: string): boolean {
  return UNPACKERS.has(extensionOf(path));
}

/** A packed file. */
export interface Packed {
  /** Its name says how it is packed. */
  name: string;
  /** Opens it, wherever it lies now. Throws when it is gone. */
  open(): number;
}

/** Unpacks a file bit by bit. Throws when it is gone, damaged or not whole yet. */
async function* unpack(packed: Packed): AsyncGenerator<Buffer> {
  const unpacker = UNPACKERS.get(extensionOf(packed.name))?.();
  if (unpacker === undefined) return;
  const file = createReadStream('', { fd: packed.open(), highWaterMark: CHUNK_BYTES });
  file.on('error', (error) => unpacker.destroy(error));
  try {
    for await (const chunk of file.pipe(unpacker)) yield chunk as Buffer;
  } finally {
    file.destroy();
    unpacker.destroy();
  }
}

/** Where a text was read to, whatever holds it. */
export type TextPlace = Trait & Pick<FileCheckpoint, 'skipping'>;

/** A packed copy whose text is read on. */
export interface PackedFile {
  /** Reads on; undefined at the end. Throws when the file is damaged. */
  read(): Promise<Piece | undefined>;
  trait(): TextPlace;
  close(): Promise<void>;
}

/** Takes bytes off the front of a stream until it has so many, or ends. */
async function fill(chunks: AsyncGenerator<Buffer>, rest: Buffer, length: number): Promise<Buffer> {
  const parts = [rest];
  let have = rest.length;
  while (have < length) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    parts.push(value);
    have += value.length;
  }
  return parts.length === 1 ? rest : Buffer.concat(parts);
}

/** Goes on to where a trait was taken; undefined when the text is another one. What follows is returned. */
async function seek(chunks: AsyncGenerator<Buffer>, trait: Trait): Promise<{ tail: Buffer; rest: Buffer } | undefined> {
  const { offset, fingerprintLength } = trait;
  let rest = await fill(chunks, Buffer.alloc(0), Math.max(1, fingerprintLength));
  if (!beginsAs(rest, trait)) return undefined;
  let from = 0;
  while (from + rest.length < offset) {
    const keep = Math.min(TAIL_BYTES, rest.length);
    const { value, done } = await chunks.next();
    if (done === true) return undefined;
    from += rest.length - keep;
    rest = Buffer.concat([rest.subarray(rest.length - keep), value]);
  }
  const tail = rest.subarray(tailFrom(offset) - from, offset - from);
  return endsAs(tail, trait) ? { tail, rest: rest.subarray(offset - from) } : undefined;
}

/** What a packed file's text begins with; nothing when it is damaged or gone. */
export async function headOf(packed: Packed): Promise<Buffer> {
  const chunks = unpack(packed);
  try {
    return await fill(chunks, Buffer.alloc(0), HEAD_BYTES);
  } catch {
    return Buffer.alloc(0);
  } finally {
    await chunks.return(undefined);
  }
}

/** Opens a packed file where a trait was taken of its text; undefined when it holds another text, or cannot be unpacked. */
export async function openPacked(packed: Packed, trait: TextPlace): Promise<PackedFile | undefined> {
  const chunks = unpack(packed);
  const close = async (): Promise<void> => void (await chunks.return(undefined));
  const found = await seek(chunks, trait).catch(() => undefined); // Gone, damaged, or still being written.
  if (found === undefined) {
    await close();
    return undefined;
  }
  return { ...readOn(chunks, found, trait), close };
}

function readOn(
  chunks: AsyncGenerator<Buffer>,
  begun: { tail: Buffer; rest: Buffer },
  from: TextPlace,
): Omit<PackedFile, 'close'> {
  const trace = createTrace();
  if (from.offset > 0) trace.add(begun.tail, from.offset);
  let { rest } = begun;
  let offset = from.offset;
  let skipping = from.skipping ?? false;
  let isUnread = true;

  const take = (length: number): Buffer => {
    const taken = rest.subarray(0, length);
    rest = rest.subarray(length);
    offset += length;
    trace.add(taken, offset);
    isUnread = false;
    return taken;
  };
  /** Skips the rest of a cut line; true when the next line begins in what is at hand. */
  const skip = (): boolean => {
    const end = rest.indexOf(10);
    skipping = end === -1;
    take(skipping ? rest.length : end + 1);
    return !skipping;
  };
  return {
    async read() {
      for (let isEnd = false; ;) {
        if (skipping && rest.length > 0) skip();
        const end = rest.lastIndexOf(10) + 1;
        if (end > 0 && !skipping) return { bytes: take(end), cut: false };
        if (!skipping && rest.length >= LINE_LIMIT) {
          skipping = true;
          return { bytes: take(rest.length).subarray(0, LINE_LIMIT), cut: true };
        }
        if (isEnd) return rest.length === 0 ? undefined : { bytes: take(rest.length), cut: false };
        const before = rest.length;
        rest = await fill(chunks, rest, before + 1);
        isEnd = rest.length === before;
      }
    },
    trait() {
      const skips = skipping ? { skipping } : {};
      // A beginning that an earlier run knew is kept: what lies before was skipped here.
      const { fingerprint, fingerprintLength } = from.offset === 0 ? trace.trait() : from;
      const { tail } = isUnread ? from : trace.trait();
      return { fingerprint, fingerprintLength, offset, ...(tail === undefined ? {} : { tail }), ...skips };
    },
  };
}
