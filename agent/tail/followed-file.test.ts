import { appendFileSync, mkdtempSync, openSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followFile, type FollowedFile, type FollowOptions } from './followed-file.ts';
import { openPacked, type Packed } from './packed.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-followed-'));
  path = join(folder, 'app.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const follow = (options: Partial<FollowOptions> = {}): FollowedFile =>
  followFile(openSync(path, 'r'), { path, start: 'beginning', ...options });
const readAll = (file: FollowedFile): string => {
  let text = '';
  for (let piece = file.read(); piece !== undefined; piece = file.read()) text += piece.bytes.toString();
  return text;
};
const packedAt = (name: string): Packed => ({ name, open: () => openSync(name, 'r') });
const banner = 'x'.repeat(2000);

test('a file that is written anew at the same length, and begins as before, is read again', () => {
  writeFileSync(path, `${banner}\nold\n`);
  const losses: number[] = [];
  const file = follow({ truncated: ({ unread }) => void losses.push(unread) });
  expect(readAll(file)).toBe(`${banner}\nold\n`);
  writeFileSync(path, `${banner}\nnew\n`);
  utimesSync(path, new Date(), new Date(Date.now() + 5000));
  expect(readAll(file)).toBe('');
  expect(readAll(file)).toBe(`${banner}\nnew\n`);
  expect(losses).toEqual([0]);
  file.close();
});

test('a place is not trusted where the text before it is another one, however short', () => {
  writeFileSync(path, 'a\n');
  const first = follow();
  readAll(first);
  const place = first.checkpoint();
  first.close();
  appendFileSync(path, 'b\n');
  const second = follow({ start: place });
  expect(readAll(second)).toBe('b\n');
  second.close();
  writeFileSync(path, 'c\nd\n');
  const third = follow({ start: place });
  expect(readAll(third)).toBe('c\nd\n');
  third.close();
});

test('a packed copy is read on from the place of its text, and a packed file of another text is not', async () => {
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, n) => `line ${from + n} of a log that was packed\n`).join('');
  writeFileSync(path, lines(0, 5000));
  const file = follow();
  readAll(file);
  const place = file.checkpoint();
  file.close();
  writeFileSync(`${path}.1.gz`, gzipSync(lines(0, 20_000)));
  writeFileSync(`${path}.2.gz`, gzipSync(lines(1, 20_000)));
  expect(await openPacked(packedAt(`${path}.2.gz`), place)).toBeUndefined();
  const packed = await openPacked(packedAt(`${path}.1.gz`), place);
  let text = '';
  for (let piece = await packed?.read(); piece !== undefined; piece = await packed?.read())
    text += piece.bytes.toString();
  expect(text).toBe(lines(5000, 20_000));
  expect(packed?.trait().offset).toBe(lines(0, 20_000).length);
  await packed?.close();
});
