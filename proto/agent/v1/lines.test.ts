import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogsSchema, type Logs } from './index.ts';
import { visitLines } from './lines.ts';

const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
const text = fc.string({ maxLength: 40, unit: 'grapheme' });
const words = fc.dictionary(text, text, { maxKeys: 3 });
const anyLine = fc.record({
  timeMs: fc.bigInt(-(2n ** 52n), 2n ** 52n),
  level: fc.nat(5),
  text,
  truncated: fc.boolean(),
  attributes: words,
  template: fc.oneof(fc.constant(0n), uint64),
  parameters: fc.array(fc.nat(2 ** 31), { maxLength: 6 }),
});
const anyLogs = fc.record({
  chunks: fc.array(fc.record({ source: text, lines: fc.array(anyLine, { maxLength: 6 }), attributes: words }), {
    maxLength: 4,
  }),
  templates: fc.array(fc.record({ id: uint64, text, merged: fc.array(uint64, { maxLength: 4 }) }), { maxLength: 3 }),
  losses: fc.array(fc.record({ source: text, lines: uint64, cause: text }), { maxLength: 2 }),
  ledger: fc.record({ sinceMs: fc.bigInt(0n, 2n ** 40n), sources: fc.array(fc.record({ source: text })) }),
});

type Told = [source: string, template: bigint, timeMs: bigint][];

function told(bytes: Uint8Array): { lines: Told; merged: [bigint, bigint][] } {
  const lines: Told = [];
  const merged: [bigint, bigint][] = [];
  let of = '';
  visitLines(bytes, {
    source: (name) => (of = name),
    line: (high, low, timeMs) => void lines.push([of, (BigInt(high) << 32n) | BigInt(low), BigInt(timeMs)]),
    merged: (into, from) => void merged.push([into, from]),
  });
  return { lines, merged };
}

const expected = ({ chunks, templates }: Logs) => ({
  lines: chunks.flatMap(({ source, lines }) => lines.map(({ template, timeMs }) => [source, template, timeMs])),
  merged: templates.flatMap(({ id, merged }) => merged.map((from) => [id, from])),
});

test('it tells of each line what the schema reads, whatever stands beside it', () => {
  fc.assert(
    fc.property(fc.array(anyLogs, { minLength: 1, maxLength: 3 }), (parts) => {
      // Messages that follow each other are one message: chunks and templates stand between each other.
      const bytes = Buffer.concat(parts.map((part) => toBinary(LogsSchema, create(LogsSchema, part))));
      expect(told(bytes)).toEqual(expected(fromBinary(LogsSchema, bytes)));
    }),
  );
});

test('fields in any order, said twice, unpacked or unknown are read as the schema reads them', () => {
  const [template, other] = [
    [0x31, 1, 2, 3, 4, 5, 6, 7, 0x88],
    [0x31, 9, 0, 0, 0, 0, 0, 0, 0],
  ];
  const time = [0x09, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
  const unknown = [0xf8, 0x3f, 0x80, 0x80, 0x01, 0xfd, 0x3f, 1, 2, 3, 4];
  const of = (tag: number, bytes: number[]): number[] => [tag, bytes.length, ...bytes];
  const line = of(0x12, [...other!, ...of(0x1a, [0x78]), ...template!, ...unknown, ...time]);
  const bytes = Uint8Array.from([
    ...of(0x0a, [...line, ...of(0x0a, [0x61]), ...line, ...of(0x0a, [0x62])]),
    ...of(0x22, [0x19, 1, 0, 0, 0, 0, 0, 0, 0, ...of(0x1a, [2, 0, 0, 0, 0, 0, 0, 0]), 0x09, 3, 0, 0, 0, 0, 0, 0, 0]),
    ...unknown,
  ]);
  expect(told(bytes)).toEqual(expected(fromBinary(LogsSchema, bytes)));
  expect(told(bytes).lines).toEqual([
    ['b', 0x8807060504030201n, -2n],
    ['b', 0x8807060504030201n, -2n],
  ]);
});

test('what is cut off within a line or a template is refused, though the bytes go on', () => {
  const of = (tag: number, bytes: number[]): number[] => [tag, bytes.length, ...bytes];
  const lines = [[0x31, 1, 2, 3], [0x09, 1], [0x1a, 9, 1]].map((short) => of(0x0a, of(0x12, short))); // prettier-ignore
  const templates = [[0x09, 1], [0x19, 1], [0x1a, 4, 1, 2, 3, 4]].map((short) => of(0x22, short)); // prettier-ignore
  // Pairs of zeros are fields that nobody knows: one of both lengths would end well.
  for (const short of [...lines, ...templates])
    for (const more of [20, 21])
      expect(() => told(Uint8Array.from([...short, ...new Array<number>(more).fill(0)]))).toThrow('malformed');
});

test('no bytes make it do anything but answer or throw one error', () => {
  const whole = fc.tuple(anyLogs, fc.nat(), fc.nat(255)).map(([logs, at, byte]) => {
    const bytes = toBinary(LogsSchema, create(LogsSchema, logs));
    if (bytes.length > 0) bytes[at % bytes.length] = byte;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), whole), (bytes) => {
      try {
        told(bytes);
      } catch (error) {
        expect(String(error)).toContain('a message of a batch is malformed');
      }
    }),
    { numRuns: 2000 },
  );
});
