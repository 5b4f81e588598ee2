import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { loadSettings, silentLogger, systemClock } from '#sdk';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { makeBucket, minio } from '../../../../test/services/minio.ts';
import { onServer, ownName } from '../../../../test/services/index.ts';
import { blobsContract } from '../../../ports/blobs.contract.ts';
import { s3Blobs } from './index.ts';

const configOf = (flags: Record<string, unknown>) => loadSettings(s3Blobs.config, { env: {}, flags }) as never;

const storeOf = (flags: Record<string, unknown>) =>
  s3Blobs.create({
    config: configOf(flags),
    log: silentLogger,
    clock: systemClock,
    metrics: new Registry(),
    dataFolder: '',
    fail: () => undefined,
  });

await onServer(minio, ({ url, accessKey, secretKey }) => {
  const bucket = ownName('blobs').replaceAll('_', '-');
  const raw = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  const given = { endpoint: url, bucket, accessKey, secretKey };
  let made: Promise<unknown> | undefined;
  const bucketIsMade = (): Promise<unknown> => (made ??= makeBucket({ url, accessKey, secretKey }, bucket));

  blobsContract('s3', async () => {
    await bucketIsMade();
    return storeOf({ ...given, prefix: 'contract/' });
  });

  test('an aborted upload leaves no parts behind', async () => {
    await bucketIsMade();
    const { port } = storeOf({ ...given, prefix: 'parts/' });
    function* failing(): Generator<Buffer> {
      for (let n = 0; n < 20; n++) yield Buffer.alloc(1024 * 1024, n);
      throw new Error('the sender is gone');
    }
    await expect(port.put('org', 'gone', Readable.from(failing()))).rejects.toThrow('the sender is gone');
    const left = await raw.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'parts/' }));
    expect(left.Uploads ?? []).toEqual([]);
  }, 60_000);

  test('wrong keys and a bucket that is not there are named, without the secret', async () => {
    await bucketIsMade();
    for (const [flags, says] of [
      [{ accessKey: 'nobody' }, /InvalidAccessKeyId.*blobs\.accessKey/],
      [{ secretKey: 'wrong-secret' }, /SignatureDoesNotMatch.*blobs\.secretKey/],
      [{ bucket: 'not-there' }, /NoSuchBucket.*make it/],
    ] as const) {
      const store = storeOf({ ...given, ...flags });
      const refused = expect.objectContaining({ code: 'blobs.refused', message: expect.stringMatching(says) as string }) as Error; // prettier-ignore
      await expect(store.start?.()).rejects.toEqual(refused);
      await expect(store.start?.()).rejects.not.toThrow('wrong-secret');
    }
  });
});

test('a server that is not there is waited for; calls say so', async () => {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  const store = storeOf({ endpoint: `http://127.0.0.1:${port}`, bucket: 'blobs', accessKey: 'a', secretKey: 's' });
  await store.start?.();
  const away = { code: 'blobs.unavailable', retryable: true };
  await expect(store.check?.()).rejects.toMatchObject(away);
  await expect(store.port.head('org', 'key')).rejects.toMatchObject(away);
  await expect(store.port.put('org', 'key', Readable.from([Buffer.from('x')]))).rejects.toMatchObject(away);
});

test('settings are held against each other', () => {
  const faults = (flags: Record<string, unknown>): string => (s3Blobs.faults?.(configOf(flags)) ?? []).join('\n');
  expect(faults({ endpoint: 'https://minio:9000', bucket: 'blobs', prefix: 'hub-1/' })).toBe('');
  expect(faults({})).toBe('blobs.bucket: is missing');
  expect(faults({ bucket: 'blobs', endpoint: 'minio:9000' })).toMatch(/blobs\.endpoint/);
  expect(faults({ bucket: 'blobs', accessKey: 'x' })).toMatch(/go together/);
  expect(faults({ bucket: 'blobs', prefix: '../' })).toMatch(/blobs\.prefix/);
});
