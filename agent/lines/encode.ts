import { create, toBinary } from '@bufbuild/protobuf';
import { LogLineSchema, type Level } from '#proto/agent/v1/index.ts';
import type { FoundTemplate } from '../templates/index.ts';
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
  /** Its kind, and where its values stand. */
  template?: FoundTemplate | undefined;
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

const sizeOfPlaces = ({ places, count }: FoundTemplate): number => {
  let size = 0;
  for (let n = 0; n < 2 * count; n++) size += sizeOfVarint(places[n] ?? 0);
  return size;
};

function sizeOfTemplate(template: FoundTemplate): number {
  const places = sizeOfPlaces(template);
  return 9 + (places === 0 ? 0 : 1 + sizeOfVarint(places) + places);
}

function putTemplate(out: Buffer, from: number, template: FoundTemplate): number {
  out[from] = 0x31;
  out.set(template.id, from + 1);
  const size = sizeOfPlaces(template);
  if (size === 0) return from + 9;
  out[from + 9] = 0x3a;
  let at = putVarint(out, from + 10, size);
  for (let n = 0; n < 2 * template.count; n++) at = putVarint(out, at, template.places[n] ?? 0);
  return at;
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
    put(bytes, start, end, { level, timeMs, cut, attributes, template }) {
      const said = encodedAttributes(attributes);
      const text = end - start;
      const kind = template === undefined ? 0 : sizeOfTemplate(template);
      const size = 9 + 2 + 1 + sizeOfVarint(text) + text + (cut ? 2 : 0) + said.length + kind;
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
      if (template !== undefined) at = putTemplate(out, at, template);
    },
    take() {
      const taken = out.subarray(0, at);
      at = 0;
      return taken;
    },
  };
}
