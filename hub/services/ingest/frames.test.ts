import * as zlib from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { BatchSchema, Encoding, Lane } from '#proto/agent/v1/index.ts';
import { describe, expect, test } from 'vitest';
import { canUnpack, openBatch } from './frames.ts';

const { zstdCompressSync } = zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer };
const NEEDED = 'this Node has no zstd; 22.15 and newer have';
const EDGE = 16 * 1024 * 1024;

const openLogs = (encoding: Encoding, logs: Uint8Array) =>
  openBatch(create(BatchSchema, { epoch: 1n, seq: 1n, lane: Lane.LIVE, encoding, logs }));

describe.each([
  { name: 'gzip', encoding: Encoding.GZIP, packer: zlib.gzipSync },
  { name: 'zstd', encoding: Encoding.ZSTD, packer: zstdCompressSync },
])('a batch in $name', ({ encoding, packer }) => {
  const pack = packer as (bytes: Uint8Array) => Buffer;

  test('gives what was packed, up to 16 MB', async ({ skip }) => {
    skip(packer === undefined, NEEDED);
    for (const length of [1, 300_000, EDGE]) {
      const text = Buffer.alloc(length, 'line ');
      expect(text.equals((await openLogs(encoding, pack(text))).logs)).toBe(true);
    }
  });

  test('that unpacks to more than 16 MB is refused as too large, also of so few bytes that it is unpacked at once', async ({
    skip,
  }) => {
    skip(packer === undefined, NEEDED);
    const [small, large] = [pack(Buffer.alloc(EDGE + 1)), pack(Buffer.alloc(16 * EDGE))];
    expect(small.length).toBeLessThan(32_000);
    for (const bomb of [small, large])
      await expect(openLogs(encoding, bomb)).rejects.toMatchObject({ code: 'ingest.too-large' });
  });

  test('that is damaged or cut off is refused as unreadable', async ({ skip }) => {
    skip(packer === undefined, NEEDED);
    const whole = pack(Buffer.from('line '.repeat(100)));
    for (const bytes of [Buffer.from('nothing of the kind'), whole.subarray(0, whole.length / 2)])
      await expect(openLogs(encoding, bytes)).rejects.toMatchObject({ code: 'ingest.bad-frame' });
  });
});

test('a frame of zstd that asks for a window of 128 MB is refused, however little it holds', async ({ skip }) => {
  skip(zstdCompressSync === undefined, NEEDED);
  const wide = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x09, 0, 0, 0x41);
  await expect(openLogs(Encoding.ZSTD, wide)).rejects.toMatchObject({ code: 'ingest.too-large' });
});

test('an encoding that this Node has not is refused by a name of its own', async () => {
  expect(canUnpack(Encoding.ZSTD)).toBe(zstdCompressSync !== undefined);
  const unknown = [9 as Encoding, Encoding.ZSTD].filter((one) => !canUnpack(one));
  for (const encoding of unknown)
    await expect(openLogs(encoding, Uint8Array.of(1))).rejects.toMatchObject({ code: 'ingest.unknown-encoding' });
});
