import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Level, LogsSchema, MetricsSchema } from '#proto/agent/v1/index.ts';
import { tableOf } from '../table.ts';
import { createChunkEncoder, encodeMetrics } from './encode.ts';

const NOW = Date.UTC(2026, 0, 31, 12);

function linesOf(pieces: readonly [bytes: Buffer, cut: boolean][]) {
  const encoder = createChunkEncoder('/var/log/app.log');
  const counted = pieces.reduce((sum, [bytes, cut]) => sum + encoder.add(bytes, cut, NOW), 0);
  const { chunks } = fromBinary(LogsSchema, encoder.finish());
  expect(chunks.map(({ source }) => source)).toEqual(['/var/log/app.log']);
  const lines = chunks[0]?.lines ?? [];
  expect(lines).toHaveLength(counted);
  return lines;
}
const textsOf = (text: string | Buffer): string[] => linesOf([[Buffer.from(text), false]]).map((line) => line.text);

test('lines end at a newline, with or without a carriage return, and empty ones count', () => {
  expect(textsOf('one\r\ntwo\n\n\r\nfive\n')).toEqual(['one', 'two', '', '', 'five']);
});

test('the last line of a file that ended may lack its newline', () => {
  expect(textsOf('one\ntwo')).toEqual(['one', 'two']);
});

test('bytes that are no UTF-8 become the replacement character, and harm no other line', () => {
  expect(textsOf(Buffer.concat([Buffer.from('é\n'), Buffer.from([0x61, 0xff, 0x62, 10]), Buffer.from('ü\n')]))).toEqual(
    ['é', 'a\uFFFDb', 'ü'],
  );
});

test('a line that is too long is cut between characters and flagged', () => {
  const [whole, other] = linesOf([[Buffer.from(`${'ü'.repeat(200_000)}\nshort\n`), false]]);
  expect(whole?.truncated).toBe(true);
  expect(whole?.text).toBe('ü'.repeat(131_072));
  expect(other).toMatchObject({ text: 'short', truncated: false });
  const [cut] = linesOf([[Buffer.from('xyü').subarray(0, 3), true]]);
  expect(cut).toMatchObject({ text: 'xy', truncated: true });
});

test('each line has its level and time', () => {
  const [first, second] = linesOf([[Buffer.from('2026-01-31T11:00:00.250Z ERROR boom\nno more\n'), false]]);
  expect(first).toMatchObject({ level: Level.ERROR, timeMs: BigInt(NOW - 3_599_750) });
  expect(second).toMatchObject({ level: Level.UNSPECIFIED, timeMs: BigInt(NOW) });
});

test('whatever the lines, the schema reads them back', () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => text.replace(/[\n\r]/g, ''));
  fc.assert(
    fc.property(fc.array(fc.array(line, { maxLength: 20 }), { maxLength: 5 }), (pieces) => {
      const bytes = pieces.map((lines): [Buffer, boolean] => [
        Buffer.from(lines.map((text) => `${text}\n`).join('')),
        false,
      ]);
      expect(linesOf(bytes).map(({ text }) => text)).toEqual(pieces.flat().map((text) => Buffer.from(text).toString()));
    }),
  );
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

test('a line whose time and level are known keeps both, and its line breaks', () => {
  const encoder = createChunkEncoder('journal:app', { 'container.id': 'abc' });
  encoder.addEntry({ text: Buffer.from('error: one\n  two'), timeMs: 1234, level: Level.INFO, cut: false }, NOW);
  encoder.addEntry({ text: Buffer.from('error: three'), cut: true }, NOW);
  const [chunk] = fromBinary(LogsSchema, encoder.finish()).chunks;
  expect(chunk?.attributes).toEqual({ 'container.id': 'abc' });
  expect(chunk?.lines).toMatchObject([
    { text: 'error: one\n  two', timeMs: 1234n, level: Level.INFO, truncated: false },
    { text: 'error: three', timeMs: BigInt(NOW), level: Level.ERROR, truncated: true },
  ]);
});
