import { BinaryReader } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { uncompress } from 'snappy';
import { expect, test } from 'vitest';
import { encodeLabels, writeBody } from './remote-write.ts';

/** Reads a message: `fields[number]` may take each field; it must read all of it. */
function read(bytes: Uint8Array, fields: Record<number, (reader: BinaryReader) => void>): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number] = reader.tag();
    fields[number]?.(reader);
  }
}

interface Line {
  labels: [string, string][];
  samples: [number, number][];
}

function decoded(body: Uint8Array): Line[] {
  const lines: Line[] = [];
  const line = (bytes: Uint8Array): void => {
    const found: Line = { labels: [], samples: [] };
    read(bytes, {
      1: (reader) => {
        const pair: [string, string] = ['', ''];
        read(reader.bytes(), { 1: (own) => (pair[0] = own.string()), 2: (own) => (pair[1] = own.string()) });
        found.labels.push(pair);
      },
      2: (reader) => {
        const sample: [number, number] = [0, 0];
        read(reader.bytes(), { 1: (own) => (sample[1] = own.double()), 2: (own) => (sample[0] = Number(own.int64())) });
        found.samples.push(sample);
      },
    });
    lines.push(found);
  };
  read(body, { 1: (reader) => line(reader.bytes()) });
  return lines;
}

test('what a remote write says is read back, whatever it is', async () => {
  const text = fc.string({ unit: 'grapheme' });
  const sample = fc.tuple(fc.nat(Number.MAX_SAFE_INTEGER), fc.double({ noNaN: true }));
  const line = fc.record({ labels: fc.array(fc.tuple(text, text)), samples: fc.array(sample) });
  await fc.assert(
    fc.asyncProperty(fc.array(line), async (lines) => {
      const given = lines.map(({ labels, samples }) => ({
        labels: encodeLabels(labels),
        times: samples.map(([time]) => time),
        values: samples.map(([, value]) => value),
      }));
      expect(decoded((await uncompress(await writeBody(given))) as Buffer)).toEqual(lines);
    }),
  );
});
