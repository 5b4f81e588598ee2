import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineSplitter, LINE_LIMIT } from './line-splitter.ts';

const split = (...parts: string[]) => {
  const splitter = createLineSplitter();
  return {
    lines: parts.flatMap((part) => splitter.push(Buffer.from(part))).map(({ text }) => text),
    pending: splitter.pending(),
  };
};

test('lines end at newlines, with or without a carriage return; empty lines survive', () => {
  expect(split('a\r\nb\n\nc\n')).toEqual({ lines: ['a', 'b', '', 'c'], pending: 0 });
});

test('an unfinished line waits', () => {
  expect(split('a\nb')).toEqual({ lines: ['a'], pending: 1 });
  expect(split('a\nb', 'c\n')).toEqual({ lines: ['a', 'bc'], pending: 0 });
});

test('however the bytes are cut, the lines are the same', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ' ')),
        { maxLength: 20 },
      ),
      fc.array(fc.nat(30)),
      (lines, cuts) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        const splitter = createLineSplitter();
        const got: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          got.push(...splitter.push(bytes.subarray(at, at + cut)).map(({ text }) => text));
          at = Math.min(bytes.length, at + cut);
        }
        got.push(...splitter.push(bytes.subarray(at)).map(({ text }) => text));
        expect(got).toEqual(lines);
        expect(splitter.pending()).toBe(0);
      },
    ),
  );
});

test('a line of 10 MB is cut and flagged, and the next one is whole', () => {
  const splitter = createLineSplitter();
  const big = Buffer.alloc(1_000_000, 'x');
  for (let n = 0; n < 10; n++) expect(splitter.push(big)).toEqual([]);
  const [long, next] = splitter.push(Buffer.from('y\nshort\n'));
  expect(long?.text).toBe('x'.repeat(LINE_LIMIT));
  expect(long?.truncated).toBe(true);
  expect(next).toEqual({ text: 'short', truncated: false });
});

test('bytes that are no UTF-8 become the replacement character', () => {
  const [line] = createLineSplitter().push(Buffer.from([0x61, 0xff, 0x62, 10]));
  expect(line?.text).toBe('a\u{fffd}b');
});
