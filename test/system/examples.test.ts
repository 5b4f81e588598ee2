import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT_ROOT, freePort, signIn, type ProgramOptions } from '#kit/programs.ts';
import { signInFirst, startHubProgram } from '#kit/running-hub.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { elasticsearch8 } from '../services/elasticsearch.ts';
import { onServer, ownName } from '../services/index.ts';
import { influxdb } from '../services/influxdb.ts';
import { makeBucket, minio, type MinioAddress } from '../services/minio.ts';
import { nats } from '../services/nats.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';

const FOLDER = join(CHECKOUT_ROOT, 'deploy', 'examples');
const settings = (name: string): string[] => ['--config', join(FOLDER, `${name}.yaml`)];
const start = (name: string, env: ProgramOptions['env'] = {}) => startHubProgram(settings(name), { env }, 'all');

/** The status of an address whose certificate nobody knows. */
const statusOf = (url: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const call = request(url, { rejectUnauthorized: false }, (reply) => resolve(reply.resume().statusCode ?? 0));
    call.on('error', reject).end();
  });

test('every example has a test', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(['cluster.yaml', 'laptop.yaml', 'one-server.yaml']);
});

test('the laptop starts, and its administrator signs in', async () => {
  const hub = await start('laptop');
  try {
    expect((await (await signInFirst(hub)).raw('GET', '/api/v1/monitoring/resources')).status).toBe(200);
  } finally {
    await hub.close();
  }
});

test('the one server starts, and shows a certificate', async () => {
  const hub = await start('one-server', { OUTRIDER_LISTEN: '127.0.0.1' });
  try {
    expect(await statusOf(`https://127.0.0.1:${hub.port}/ready`)).toBe(200);
  } finally {
    await hub.close();
  }
});

const kinds = { postgres, nats, redis, influxdb, elasticsearch: elasticsearch8, minio };
const addresses = {} as Record<keyof typeof kinds, Record<string, string>>;
for (const [name, kind] of Object.entries(kinds) as [keyof typeof kinds, typeof postgres][])
  await onServer(kind, (address) => void (addresses[name] = address as unknown as Record<string, string>));

describe.runIf(Object.keys(addresses).length === Object.keys(kinds).length)('the cluster', () => {
  let secrets = '';
  beforeAll(() => void (secrets = mkdtempSync(join(tmpdir(), 'outrider-secrets-'))));
  afterAll(() => rmSync(secrets, { recursive: true, force: true }));
  /** The path of a file with a secret in it, as a secret store mounts one. */
  const secret = (name: string, text = 'unused'): string => {
    const path = join(secrets, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };

  test('starts on real stores with its secrets in files', async () => {
    const name = ownName('examples');
    const bucket = name.replaceAll('_', '-');
    await makeBucket(addresses.minio as unknown as MinioAddress, bucket);
    const own = await freePort();
    const hub = await start('cluster', {
      OUTRIDER_LISTEN: '127.0.0.1',
      OUTRIDER_URL: `http://127.0.0.1:${own}`,
      OUTRIDER_PEERS__SECRET_FILE: secret('peers', 'a secret of more than thirty-two characters'),
      OUTRIDER_RELATIONAL__URL_FILE: secret(
        'postgres-url',
        await emptyDatabase(addresses.postgres as { url: string }, name),
      ),
      OUTRIDER_SERIES__URL: addresses.influxdb['url'] ?? '',
      OUTRIDER_SERIES__ORG: addresses.influxdb['org'] ?? '',
      OUTRIDER_SERIES__BUCKET: name,
      OUTRIDER_SERIES__TOKEN_FILE: secret('influx-token', addresses.influxdb['token']),
      OUTRIDER_LOGSTORE__URLS: addresses.elasticsearch['url'] ?? '',
      OUTRIDER_LOGSTORE__PREFIX: name,
      OUTRIDER_LOGSTORE__API_KEY_FILE: secret('elasticsearch-api-key'),
      OUTRIDER_CACHE__URL_FILE: secret('redis-url', addresses.redis['url']),
      OUTRIDER_CACHE__PREFIX: name,
      OUTRIDER_BUS__SERVERS: addresses.nats['url'] ?? '',
      OUTRIDER_BUS__REPLICAS: '1',
      OUTRIDER_BUS__MAX_GB: '0.2',
      OUTRIDER_BUS__PREFIX: name,
      OUTRIDER_BUS__PASSWORD_FILE: secret('nats-password'),
      OUTRIDER_BLOBS__ENDPOINT: addresses.minio['url'] ?? '',
      OUTRIDER_BLOBS__BUCKET: bucket,
      OUTRIDER_BLOBS__ACCESS_KEY: addresses.minio['accessKey'] ?? '',
      OUTRIDER_BLOBS__SECRET_KEY_FILE: secret('s3-secret-key', addresses.minio['secretKey']),
    });
    try {
      const ready = await fetch(`${hub.url}/ready`);
      expect(await ready.json()).toMatchObject({ status: 'ready' });
      const api = await signInFirst(hub);
      for (const path of [
        'monitoring/resources',
        'logs/search?from=-5m',
        'notifications/channels',
        'predictions/anomalies',
        'agents',
      ])
        expect((await api.raw('GET', `/api/v1/${path}`)).status, path).toBe(200);
      await expect(signIn(hub.url, 'admin', 'wrong')).rejects.toThrow('401');
    } finally {
      await hub.close();
    }
  });
});
