import { create, toBinary } from '@bufbuild/protobuf';
import { LogLineSchema, type Level } from '#proto/agent/v1/index.ts';
import type { LineAttributes } from './event.ts';
import { putTime, putVarint, sizeOfVarint } from '../pipeline/encode.ts';

/** What is told of an event besides its text. */
export interface EventHead {
  level: Level;
  timeMs: number;
  /** Its end is left out. */
  cut: boolean;
  /** What is said of it alone. */
  attributes?: LineAttributes | undefined;
}

/** Writes events as entries of `LogChunk.lines`, straight from bytes. */
export interface EventEncoder {
  /** Takes the text that lies in `bytes` from `start` to `end`; it must be UTF-8. */
  put(bytes: Buffer, start: number, end: number, head: EventHead): void;
  /** What was written since the last call; valid until the next `put`. */
  take(): Buffer;
}

const NONE = Buffer.alloc(0);
const encoded = new WeakMap<LineAttributes, Uint8Array>();

/** The entries of `LogLine.attributes`; those of a stream are the same object again and again, and are encoded once. */
function encodedAttributes(attributes: LineAttributes | undefined): Uint8Array {
  if (attributes === undefined) return NONE;
  const known = encoded.get(attributes) ?? toBinary(LogLineSchema, create(LogLineSchema, { attributes }));
  encoded.set(attributes, known);
  return known;
}

/** Makes an encoder; one serves all sources, one after another. */
export function createEventEncoder(): EventEncoder {
  let out = Buffer.allocUnsafeSlow(65_536);
  let at = 0;
  const ensure = (more: number): void => {
    if (at + more <= out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(out.length * 2, at + more));
    out.copy(larger, 0, 0, at);
    out = larger;
  };
  return {
    put(bytes, start, end, { level, timeMs, cut, attributes }) {
      const said = encodedAttributes(attributes);
      const text = end - start;
      const size = 9 + 2 + 1 + sizeOfVarint(text) + text + (cut ? 2 : 0) + said.length;
      ensure(size + 5);
      out[at] = 0x12;
      at = putVarint(out, at + 1, size);
      out[at] = 0x09;
      at = putTime(out, at + 1, timeMs);
      out[at] = 0x10;
      out[at + 1] = level;
      out[at + 2] = 0x1a;
      at = putVarint(out, at + 3, text);
      bytes.copy(out, at, start, end);
      at += text;
      if (cut) {
        out[at] = 0x20;
        out[at + 1] = 1;
        at += 2;
      }
      out.set(said, at);
      at += said.length;
    },
    take() {
      const taken = out.subarray(0, at);
      at = 0;
      return taken;
    },
  };
}
