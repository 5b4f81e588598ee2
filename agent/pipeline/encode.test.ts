import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogsSchema, MetricsSchema } from '#proto/agent/v1/index.ts';
import { tableOf } from '../table.ts';
import { createChunk, encodeMetrics } from './encode.ts';

test('a chunk says what wrote its lines', () => {
  const chunk = createChunk('journal:app', { 'container.id': 'abc' });
  const entry = Buffer.alloc(chunk.bytes());
  expect(chunk.finish(entry, 0)).toBe(entry.length);
  expect(fromBinary(LogsSchema, entry).chunks).toMatchObject([
    { source: 'journal:app', attributes: { 'container.id': 'abc' }, lines: [] },
  ]);
});

test('whatever the values, the schema reads them back', () => {
  const table = tableOf([{ name: 'system.cpu.busy', kind: 'gauge', attributes: {} }]);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: -1e12, max: 4e12 }), fc.float64Array({ maxLength: 40 })), { maxLength: 4 }),
      (given) => {
        const blocks = given.map(([timeMs, values]) => ({ collector: 'cpu', timeMs, values, table }));
        const read = fromBinary(MetricsSchema, encodeMetrics(blocks)).blocks;
        expect(read.map(({ table: id, timeMs, values }) => [id, Number(timeMs), Float64Array.from(values)])).toEqual(
          given.map(([timeMs, values]) => [table.id, timeMs, values]),
        );
      },
    ),
  );
});
