import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeBlocks, sliceAnomalies } from './blocks.ts';
import { AnomalyEventSchema, MetricsSchema } from './index.ts';

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
        expect(String(error)).toContain('a message of a batch is malformed');
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

const ANY = { most: 100, mostBytes: 1_000_000 };

test('events are found between blocks, as the schema wrote them', () => {
  const anyEvent = fc.record({
    id: fc.string(),
    revision: fc.nat(),
    templates: fc.array(fc.bigInt(0n, 2n ** 64n - 1n)),
  });
  fc.assert(
    fc.property(fc.array(anyBlock, { maxLength: 3 }), fc.array(anyEvent, { maxLength: 4 }), (blocks, anomalies) => {
      const [head, tail] = [
        { blocks, anomalies: anomalies.slice(0, 1) },
        { blocks, anomalies: anomalies.slice(1) },
      ];
      const bytes = Buffer.concat([head, tail].map((part) => toBinary(MetricsSchema, create(MetricsSchema, part))));
      const { events, leftOut } = sliceAnomalies(bytes, ANY);
      expect(leftOut).toBe(0);
      expect(events.map((event) => fromBinary(AnomalyEventSchema, event))).toEqual(
        anomalies.map((event) => create(AnomalyEventSchema, event)),
      );
    }),
  );
});

test('of too many events the first are taken, and none that is too large', () => {
  const anomalies = ['a', 'x'.repeat(500), 'b', 'c'].map((id) => ({ id }));
  const bytes = toBinary(MetricsSchema, create(MetricsSchema, { anomalies }));
  const { events, leftOut } = sliceAnomalies(bytes, { most: 2, mostBytes: 100 });
  expect(events.map((event) => fromBinary(AnomalyEventSchema, event).id)).toEqual(['a', 'b']);
  expect(leftOut).toBe(2);
});

test('no bytes make the search for events do anything but answer or throw one error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        sliceAnomalies(bytes, ANY);
      } catch (error) {
        expect(String(error)).toContain('a message of a batch is malformed');
      }
    }),
    { numRuns: 2000 },
  );
});
