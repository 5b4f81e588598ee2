import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shiftOf, SUBJECTS, type BatchReceived, type Subject } from './subjects.ts';

/** Texts of the world, also those that look like our own marks. */
const text = fc.oneof(fc.string(), fc.constantFrom('$', '$1', '$$1', '$$', '12', '{'));
const words = fc.dictionary(text, text);
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const bytes = fc.uint8Array({ maxLength: 50 });

const batch: fc.Arbitrary<BatchReceived> = fc.record({
  agent: text,
  resource: fc.uuid(),
  epoch: uint64,
  lane: fc.constantFrom(1 as const, 2 as const),
  seq: uint64,
  receivedMs: fc.nat(),
  skewMs: fc.integer(),
  tables: fc.array(
    fc.record({
      id: uint64,
      series: fc.array(
        fc.record({
          name: fc.string(),
          kind: fc.constantFrom('gauge' as const, 'counter' as const),
          attributes: words,
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
  metrics: bytes,
  logs: bytes,
});

const { batchReceived, backfillReceived: _, ...plain } = SUBJECTS;

test('a batch comes out of its bytes as it went in, wherever the bytes lie', () => {
  fc.assert(
    fc.property(batch, (payload) => {
      const encoded = batchReceived.encode(payload);
      const shifted = Buffer.concat([Buffer.alloc(3), encoded]).subarray(3);
      const { metrics, logs, ...head } = batchReceived.decode(shifted);
      const { metrics: sentMetrics, logs: sentLogs, ...sentHead } = payload;
      expect(head).toEqual(sentHead);
      expect([[...metrics], [...logs]]).toEqual([[...sentMetrics], [...sentLogs]]);
    }),
  );
});

test.each(Object.entries(plain) as [string, Subject<unknown>][])(
  '%s comes out of its bytes as it went in',
  (_name, subject) => {
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.integer(), uint64, words)), (payload) => {
        expect(subject.decode(subject.encode(payload))).toEqual(payload);
      }),
    );
  },
);

test('every subject has a name of its own that begins with who publishes it', () => {
  const names = Object.values(SUBJECTS).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)+$/);
});

test.each([
  [0, 0],
  [499, 0],
  [-499, 0],
  [512, 500],
  [-3_600_040, -3_600_000],
])('a clock that is %d ms ahead is put right by %d', (skewMs, shiftMs) => {
  expect(shiftOf(skewMs)).toBe(shiftMs);
});
