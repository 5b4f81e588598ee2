import { gunzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogsSchema } from '#proto/agent/v1/index.ts';
import { createEventEncoder } from '../lines/encode.ts';
import { createGathering } from './gathering.ts';

const encoder = createEventEncoder();
const checkpoint = { path: '/a', device: 1, inode: 2, fingerprint: '', fingerprintLength: 0, offset: 1 };

/** Lines of a path, so many of one letter that a few fill a buffer that is used again. */
const lines = fc.record({
  path: fc.constantFrom('/a', '/b'),
  letter: fc.constantFrom('a', 'b', 'c'),
  length: fc.constantFrom(1, 100, 70_000, 200_000),
});
const batches = fc.array(fc.array(lines, { maxLength: 6 }), { maxLength: 6 });

test('a batch holds its own lines only, whatever was gathered before it and while it is packed', async () => {
  await fc.assert(
    fc.asyncProperty(batches, async (given) => {
      const packing = given.map((parts) => {
        const gathering = createGathering();
        for (const { path, letter, length } of parts) {
          encoder.put(Buffer.alloc(length, letter), 0, length, { level: 0, timeMs: 0, cut: false });
          gathering.addEvents({ path, events: encoder.take(), lines: 1, size: length, checkpoint }, path);
        }
        return gathering.pack('gzip');
      });
      for (const [index, packed] of packing.entries()) {
        const { logs } = await packed;
        const { chunks } = fromBinary(LogsSchema, logs.length === 0 ? logs : gunzipSync(logs));
        const found = chunks.flatMap(({ source, lines: of }) => of.map(({ text }) => `${source} ${text}`));
        const told = (given[index] ?? []).map(({ path, letter, length }) => `${path} ${letter.repeat(length)}`);
        expect(found.sort()).toEqual(told.sort());
      }
    }),
    { numRuns: 40 },
  );
});
