import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { countIn, textFile } from './text-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-text-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file is read whole each time, also one larger than the buffer', () => {
  const path = join(folder, 'growing');
  const read = textFile(path);
  for (const text of ['short', 'é'.repeat(100_000), '']) {
    writeFileSync(path, text);
    expect(read()).toBe(text);
  }
});

test('a missing file is undefined, and is read as soon as it exists', () => {
  const path = join(folder, 'later');
  const read = textFile(path);
  expect([read(), read()]).toEqual([undefined, undefined]);
  writeFileSync(path, 'here');
  expect(read()).toBe('here');
  rmSync(path);
  expect(read()).toBeUndefined();
});

test('what is no file at all is a fault', () => {
  mkdirSync(join(folder, 'directory'));
  expect(textFile(join(folder, 'directory'))).toThrow('EISDIR');
});

test('only digits are a count', () => {
  fc.assert(fc.property(fc.nat(), (value) => void expect(countIn(String(value))).toBe(value)));
  for (const text of ['', ' 1', '-1', '0x1', '1e3', '1.5', 'Infinity', '9'.repeat(21), undefined]) {
    expect(countIn(text)).toBeNaN();
  }
});
