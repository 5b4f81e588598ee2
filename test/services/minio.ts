import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { defineServer } from './kind.ts';
import { answers } from './processes.ts';
import { goInstall, installed } from './sources.ts';

/** Address of an S3 server for tests, as its administrator. Give each test file a bucket of its own (`ownName`, with `-` for `_`). */
export interface MinioAddress {
  url: string;
  accessKey: string;
  secretKey: string;
}

const ACCESS_KEY = 'outrider';
const SECRET_KEY = 'for-tests-only';
const ENVIRONMENT = {
  MINIO_ROOT_USER: ACCESS_KEY,
  MINIO_ROOT_PASSWORD: SECRET_KEY,
  MINIO_BROWSER: 'off',
  MINIO_UPDATE: 'off',
};

/** MinIO from the Go module proxy when none is installed. */
export const minio = defineServer<MinioAddress>({
  id: 'minio',
  title: 'MinIO',
  parts: ['accessKey', 'secretKey'],
  container: { image: 'minio/minio', port: 9000, env: ENVIRONMENT, args: ['server', '/data'] },
  sources: [
    installed('minio'),
    goInstall({
      name: 'minio',
      version: '2026-02-12',
      module: 'github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c',
      program: 'minio',
    }),
  ],
  address: (port) => ({ url: `http://127.0.0.1:${port}`, accessKey: ACCESS_KEY, secretKey: SECRET_KEY }),
  ready: ({ url }) => answers(`${url}/minio/health/ready`),
  command: ({ program }, { folder, port }) => ({
    program,
    args: ['server', join(folder, 'data'), '--address', `127.0.0.1:${port}`],
    env: ENVIRONMENT,
  }),
});

/** Makes a bucket; a name has small letters, digits and `-`. */
export async function makeBucket({ url, accessKey, secretKey }: MinioAddress, bucket: string): Promise<void> {
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  const client = new S3Client({ endpoint: url, region: 'us-east-1', forcePathStyle: true, credentials });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
}
