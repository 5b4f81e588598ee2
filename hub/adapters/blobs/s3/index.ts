import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { Problem } from '#sdk';
import { Type, type Static } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import { blobPath, demandPrefix, lastByteOf, type BlobFacts, type Blobs } from '../../../ports/blobs.ts';
import { isAbsent, problemOf } from './errors.ts';

const config = Type.Object({
  endpoint: Type.String({
    description: 'Address of the S3 server: https://minio.example.org:9000; empty means Amazon’s.',
    default: '',
  }),
  region: Type.String({ description: 'Its region.', default: 'us-east-1' }),
  bucket: Type.String({ description: 'Bucket of the blobs; it must be there.', default: '' }),
  prefix: Type.String({
    description: 'What every key begins with, so that several hubs may share a bucket: hub-1/.',
    default: '',
  }),
  pathStyle: Type.Boolean({
    description: 'Name the bucket in the path and not in the host name, as MinIO and most other servers want it.',
    default: true,
  }),
  accessKey: Type.String({
    description: 'Access key; empty takes what the machine has (AWS_ACCESS_KEY_ID, its role).',
    default: '',
  }),
  secretKey: Type.String({ description: 'Its secret.', secret: true, default: '' }),
  timeoutMs: Type.Integer({
    description: 'Milliseconds within which the server must answer.',
    default: 10_000,
    minimum: 100,
    maximum: 120_000,
  }),
});
type Config = Static<typeof config>;

const PART_BYTES = 8 * 1024 * 1024;
const MOST_A_PAGE = 1_000;
const LONGEST_LINK_S = 7 * 86_400;

function faultsOf({ endpoint, bucket, accessKey, secretKey, prefix }: Config): string[] {
  const faults: string[] = [];
  const { protocol, username } = URL.canParse(endpoint) ? new URL(endpoint) : { protocol: '', username: '' };
  if (endpoint !== '' && (!/^https?:$/.test(protocol) || username !== ''))
    faults.push('blobs.endpoint: is no address of a server; write https://host:port, without a key');
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
    faults.push(`blobs.bucket: ${bucket === '' ? 'is missing' : `"${bucket}" is no name of a bucket`}`);
  if ((accessKey === '') !== (secretKey === '')) faults.push('blobs: accessKey and secretKey go together');
  if (!/^([A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/.test(prefix))
    faults.push('blobs.prefix: must be words that each end with a slash');
  return faults;
}

function createClient({ endpoint, region, pathStyle, accessKey, secretKey, timeoutMs }: Config): S3Client {
  return new S3Client({
    region,
    ...(endpoint === '' ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    ...(accessKey === '' ? {} : { credentials: { accessKeyId: accessKey, secretAccessKey: secretKey } }),
    // Checksums that S3 itself wants and others do not know.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: timeoutMs, requestTimeout: timeoutMs, throwOnRequestTimeout: true },
  });
}

/** Sends a stream of any length in parts; gives its bytes. Nothing is left of one that breaks off. */
async function upload(
  { client, address, place }: { client: S3Client; address: string; place: { Bucket: string; Key: string } },
  bytes: Readable,
  signal: AbortSignal | undefined,
): Promise<number> {
  let size = 0;
  let broken: unknown;
  async function* counted(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        size += (chunk as Buffer).length;
        yield chunk as Buffer;
      }
      signal?.throwIfAborted();
    } catch (error) {
      broken = error;
      throw error;
    }
  }
  const sending = new Upload({
    client,
    params: { ...place, Body: Readable.from(counted(), { objectMode: false }) },
    partSize: PART_BYTES,
    queueSize: 2,
    leavePartsOnError: false,
  });
  try {
    await sending.done();
    return size;
  } catch (error) {
    bytes.destroy();
    throw broken ?? problemOf(error, address);
  }
}

function createPort(client: S3Client, { bucket, prefix }: Config, address: string): Blobs {
  const at = (org: string, key: string) => ({ Bucket: bucket, Key: `${prefix}${blobPath(org, key)}` });
  /** What the server answers; undefined when there is no such blob. */
  const ask = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw problemOf(error, address);
    }
  };
  const head = async (org: string, key: string): Promise<BlobFacts | undefined> => {
    const place = at(org, key);
    const found = await ask(() => client.send(new HeadObjectCommand(place)));
    return found && { key, size: found.ContentLength ?? 0, changedMs: found.LastModified?.getTime() ?? 0 };
  };
  return {
    head,
    put: async (org, key, bytes, signal) => upload({ client, address, place: at(org, key) }, bytes, signal),
    async get(org, key, range) {
      const place = at(org, key);
      let bounds: string | undefined;
      if (range !== undefined) {
        const facts = await head(org, key);
        if (facts === undefined) return undefined;
        bounds = `bytes=${range.from}-${lastByteOf(range, facts.size)}`;
      }
      const found = await ask(() => client.send(new GetObjectCommand({ ...place, Range: bounds })));
      return found?.Body as Readable | undefined;
    },
    async list(org, keyPrefix, page = {}) {
      demandPrefix(org, keyPrefix);
      const below = `${prefix}${org}/`;
      const found = await ask(() =>
        client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: `${below}${keyPrefix}`,
            MaxKeys: page.limit ?? MOST_A_PAGE,
            StartAfter: page.after === undefined ? undefined : `${below}${page.after}`,
          }),
        ),
      );
      const blobs = (found?.Contents ?? []).map(({ Key = '', Size = 0, LastModified }) => ({
        key: Key.slice(below.length),
        size: Size,
        changedMs: LastModified?.getTime() ?? 0,
      }));
      const next = found?.IsTruncated === true ? blobs.at(-1)?.key : undefined;
      return next === undefined ? { blobs } : { blobs, next };
    },
    async delete(org, key) {
      const place = at(org, key);
      await ask(() => client.send(new DeleteObjectCommand(place)));
    },
    async link(org, key, seconds) {
      const place = at(org, key);
      return getSignedUrl(client, new GetObjectCommand(place), { expiresIn: Math.min(seconds, LONGEST_LINK_S) });
    },
  };
}

/** Blobs in a bucket of S3, MinIO or another server that speaks as S3 does. */
export const s3Blobs = defineAdapter<Blobs, typeof config>({
  name: 's3',
  reach: 'hub',
  config,
  faults: faultsOf,
  create({ config: own }) {
    const address = `${own.endpoint === '' ? `s3 (${own.region})` : own.endpoint}, bucket ${own.bucket}`;
    const client = createClient(own);
    const check = async (): Promise<void> => {
      try {
        await client.send(new HeadBucketCommand({ Bucket: own.bucket }));
        // A HEAD says no more than 403: a listing names the reason.
      } catch (head) {
        try {
          await client.send(new ListObjectsV2Command({ Bucket: own.bucket, MaxKeys: 1 }));
        } catch (error) {
          throw problemOf(error, address);
        }
        throw problemOf(head, address);
      }
    };
    return {
      port: createPort(client, own, address),
      async start() {
        try {
          await check();
        } catch (error) {
          // A server that is away is waited for; what only a person can cure is told now.
          if (!(error instanceof Problem) || error.code !== 'blobs.unavailable') throw error;
        }
      },
      stop: () => Promise.resolve(client.destroy()),
      check,
    };
  },
});
