import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { silentLogger } from '#sdk';
import { createManualClock } from '#kit/manual-clock.ts';
import { Registry } from 'prom-client';
import { afterAll, expect, test } from 'vitest';
import { blobsContract } from '../../../ports/blobs.contract.ts';
import { fileBlobs } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-blobs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const storeIn = (dataFolder: string) =>
  fileBlobs.create({
    config: { folder: '' },
    log: silentLogger,
    clock: createManualClock(),
    metrics: new Registry(),
    dataFolder,
    fail: () => undefined,
  });

blobsContract('files', () => Promise.resolve(storeIn(join(folder, 'contract'))));

test('a failed upload leaves no file, and a key may begin another', async () => {
  const data = join(folder, 'own');
  const { port, start } = storeIn(data);
  await start?.();
  const failing = Readable.from(
    (function* () {
      yield Buffer.from('x');
      throw new Error('gone');
    })(),
  );
  await expect(port.put('org', 'a', failing)).rejects.toThrow('gone');
  expect(readdirSync(join(data, 'blobs', '.aside'))).toEqual([]);
  await port.put('org', 'a', Readable.from([Buffer.from('1')]));
  await port.put('org', 'a/b', Readable.from([Buffer.from('2')]));
  await port.put('org', 'a-c', Readable.from([Buffer.from('3')]));
  expect((await port.list('org', 'a')).blobs.map(({ key }) => key)).toEqual(['a', 'a-c', 'a/b']);
});
