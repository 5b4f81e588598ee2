import { crc32 } from 'node:zlib';

/** Kinds of frames in a segment; the quarantine has one more. */
export const FRAME = { snapshot: 1, table: 2, batch: 3, refusal: 4 } as const;
export type FrameKind = (typeof FRAME)[keyof typeof FRAME];

/** `[payload length u32][CRC-32 of kind and payload u32][kind u8][payload]`, little endian. */
export const HEADER = 9;

/** No frame is larger: a batch holds 1 MB, and its lines' checkpoints. */
export const FRAME_LIMIT = 16 * 1024 * 1024;

/** Writes one frame; its payload may come in parts. */
export function encodeFrame(kind: FrameKind, ...payload: readonly Uint8Array[]): Buffer {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  const frame = Buffer.allocUnsafe(HEADER + length);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt8(kind, 8);
  let at = HEADER;
  for (const part of payload) {
    frame.set(part, at);
    at += part.length;
  }
  frame.writeUInt32LE(crc32(frame.subarray(8)), 4);
  return frame;
}

/** What the bytes at a place are: a frame, the beginning of one, or no frame at all. */
export type Reading =
  | { state: 'frame'; kind: FrameKind; payload: Buffer; length: number }
  | { state: 'short'; wanted: number }
  | { state: 'bad' };

/** Reads the frame at the start of `bytes`. `short`: that many bytes are needed to say more. */
export function decodeFrame(bytes: Buffer): Reading {
  if (bytes.length < HEADER) return { state: 'short', wanted: HEADER };
  const length = HEADER + bytes.readUInt32LE(0);
  const kind = bytes.readUInt8(8);
  if (length > FRAME_LIMIT || kind < FRAME.snapshot || kind > FRAME.refusal) return { state: 'bad' };
  if (bytes.length < length) return { state: 'short', wanted: length };
  const body = bytes.subarray(8, length);
  if (crc32(body) !== bytes.readUInt32LE(4)) return { state: 'bad' };
  return { state: 'frame', kind: kind as FrameKind, payload: body.subarray(1), length };
}

/** The frames of one file, as far as they are whole. */
export function* framesIn(bytes: Buffer): Generator<{ kind: FrameKind; payload: Buffer }> {
  for (let at = 0; ;) {
    const reading = decodeFrame(bytes.subarray(at));
    if (reading.state !== 'frame') return;
    yield reading;
    at += reading.length;
  }
}
