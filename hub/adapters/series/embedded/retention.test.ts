import { expect, test } from 'vitest';
import type { SealedFile } from '../../duckdb/sealed-files.ts';
import { filesLeaving } from './retention.ts';

const DAY_MS = 86_400_000;
const NOW = 100 * DAY_MS;
const KEEP = { raw: 3, tenSeconds: 14, minute: 365, hour: 1825, diskLimit: 1e9 };

const file = (table: string, agoDays: number, more: Partial<SealedFile> = {}): SealedFile => ({
  name: `${table}-${agoDays}.parquet`,
  table,
  fromMs: NOW - (agoDays + 1) * DAY_MS,
  toMs: NOW - agoDays * DAY_MS,
  rows: 1,
  bytes: 100,
  sealedMs: NOW - agoDays * DAY_MS,
  clean: 0,
  ...more,
});
const names = (files: readonly SealedFile[]): string[] => files.map(({ name }) => name);

test('files past the age of their tier go', () => {
  const files = [file('raw', 2), file('raw', 4), file('ten', 4), file('ten', 15), file('minute', 90)];
  const { old, over } = filesLeaving(files, KEEP, { nowMs: NOW, otherBytes: 0 });
  expect(names(old)).toEqual(['raw-4.parquet', 'ten-15.parquet']);
  expect(over).toEqual([]);
});

test('a time in the future keeps no file for ever', () => {
  const files = [file('raw', 4, { toMs: NOW + 1000 * DAY_MS })];
  expect(filesLeaving(files, KEEP, { nowMs: NOW, otherBytes: 0 }).old).toHaveLength(1);
});

test('over the disk limit the oldest of the finest tier go first, and only as many as must', () => {
  const files = [file('ten', 10), file('raw', 0), file('raw', 2), file('raw', 1), file('minute', 50)];
  const over = (diskLimit: number, otherBytes = 0): string[] =>
    names(filesLeaving(files, { ...KEEP, diskLimit }, { nowMs: NOW, otherBytes }).over);
  expect(over(500)).toEqual([]);
  expect(over(499)).toEqual(['raw-2.parquet']);
  expect(over(250, 50)).toEqual(['raw-2.parquet', 'raw-1.parquet', 'raw-0.parquet']);
  expect(over(100)).toEqual(['raw-2.parquet', 'raw-1.parquet', 'raw-0.parquet', 'ten-10.parquet']);
});
