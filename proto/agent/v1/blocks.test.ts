import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlocks } from './blocks.ts';
import { MetricsSchema } from './index.ts';

const anyBlock = fc.record({
  table: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  timeMs: fc.bigInt({ min: -(2n ** 50n), max: 2n ** 50n }),
  values: fc.array(fc.double(), { maxLength: 40 }),
});

test('what the schema writes is read back to the bit', () => {
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 6 }), (blocks) => {
      const decoded = decodeBlocks(toBinary(MetricsSchema, create(MetricsSchema, { blocks })));
      expect(decoded.map(({ table }) => table)).toEqual(blocks.map(({ table }) => table));
      expect(decoded.map(({ timeMs }) => BigInt(timeMs))).toEqual(blocks.map(({ timeMs }) => timeMs));
      for (const [index, { values }] of decoded.entries()) expect([...values]).toEqual(blocks[index]?.values);
    }),
  );
});

test('no bytes make it do anything but answer or throw one error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeBlocks(bytes);
      } catch (error) {
        expect(String(error)).toContain('the metrics of a batch are malformed');
      }
    }),
    { numRuns: 2000 },
  );
});

test('a message that was cut anywhere is refused or shorter, never wrong', () => {
  const whole = toBinary(
    MetricsSchema,
    create(MetricsSchema, { blocks: [{ table: 7n, timeMs: 5n, values: [1, 2, 3] }] }),
  );
  for (let length = 1; length < whole.length; length++)
    expect(() => decodeBlocks(whole.subarray(0, length))).toThrow('malformed');
});
