import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '../../hub/catalogue.ts';
import { makeBucket, minio } from '../services/minio.ts';
import { nats } from '../services/nats.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';
import { ownName } from '../services/own-name.ts';
import { freePort, signIn, startProgram, until, type Api, type Program, type ProgramOptions } from './programs.ts';

/** A hub that runs from dist/ on ports and a data folder of its own: one process, or one for each service. */
export interface RunningHub {
  url: string;
  port: number;
  grpcPort: number;
  /** The folder of the process that made the first account; commands reach the hub through it. */
  data: string;
  /** Its processes together; of a split hub each is in `parts`. */
  program: Program;
  /** By service, of a split hub; by `all` else. */
  parts: Map<string, Program>;
  /** Where each part answers itself. */
  urls: Readonly<Record<string, string>>;
  /** Starts what was killed or stopped again, a part or all of it, and waits until it is ready. */
  restart(part?: string): Promise<void>;
  /** Stops it and removes the data. */
  close(): Promise<void>;
}

/** How a hub is run: as one process, or every service as its own. */
export type Topology = 'all' | 'split';

/** How system tests run hubs: `OUTRIDER_TEST_TOPOLOGY=split` gives every service a process. */
const asked = (): Topology => (process.env['OUTRIDER_TEST_TOPOLOGY'] === 'split' ? 'split' : 'all');

async function untilReady(program: Program): Promise<void> {
  let ended = false;
  void program.ended.then(() => (ended = true));
  await until(
    'the hub is ready',
    () => {
      if (ended) throw new Error(program.output());
      return program.output().includes('ready  ') || undefined;
    },
    60,
  ).catch((error: unknown) => {
    throw new Error(`the hub is not ready; it wrote:\n${program.output()}`, { cause: error });
  });
}

/** Several programs as one. */
function together(parts: ReadonlyMap<string, Program>): Program {
  const all = [...parts.values()];
  const first = parts.get('gateway') ?? all[0];
  if (first === undefined) throw new Error('a hub without a process');
  return {
    child: first.child,
    output: () => all.map((part) => part.output()).join(''),
    ended: first.ended,
    stop: async () => {
      for (const part of all.toReversed()) await part.stop();
    },
    kill: async () => {
      await Promise.all(all.map((part) => part.kill()));
    },
  };
}

/** What is different between the processes of a hub. */
interface Part {
  name: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
}

export async function startParts(given: {
  parts: readonly Part[];
  options: ProgramOptions;
  at: Pick<RunningHub, 'port' | 'grpcPort' | 'data' | 'urls'>;
  remove(): Promise<void>;
}): Promise<RunningHub> {
  const { parts, options, at, remove } = given;
  const running = new Map<string, Program>();
  const start = async (wanted: readonly Part[]): Promise<void> => {
    for (const { name, args, env } of wanted)
      running.set(name, startProgram('hub', ['run', ...args], { ...options, env: { ...env, ...options.env } }));
    await Promise.all(wanted.map(async ({ name }) => untilReady(running.get(name) as Program)));
    hub.program = together(running);
  };
  const hub: RunningHub = {
    ...at,
    url: `http://127.0.0.1:${at.port}`,
    program: undefined as unknown as Program,
    parts: running,
    restart: (name) => start(parts.filter((part) => name === undefined || part.name === name)),
    async close() {
      await together(running).stop();
      await remove();
    },
  };
  try {
    await start(parts);
  } catch (error) {
    await together(running).kill();
    await remove();
    throw error;
  }
  return hub;
}

const removing = (folder: string) => (): Promise<void> => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return Promise.resolve();
};

/** What all processes of one hub share, on real servers: its settings, and the end of the servers. */
export async function sharedStores(): Promise<{ env: Record<string, string>; stop(): Promise<void> }> {
  const [database, bus, cache] = await Promise.all(
    [postgres, nats, redis].map(async (kind) => (await kind.find()).start()),
  );
  const blobs = await (await minio.find()).start();
  const name = ownName('hub');
  const bucket = name.replaceAll('_', '-');
  await makeBucket(blobs.address, bucket);
  const env = {
    OUTRIDER_PEERS__SECRET: 'a secret that every process of this test knows',
    OUTRIDER_RELATIONAL__ADAPTER: 'postgres',
    OUTRIDER_RELATIONAL__URL: await emptyDatabase(database?.address ?? { url: '' }, name),
    OUTRIDER_BUS__ADAPTER: 'nats',
    OUTRIDER_BUS__SERVERS: bus?.address.url ?? '',
    OUTRIDER_BUS__PREFIX: name,
    // The server keeps the room free, and hubs of other tests share it.
    OUTRIDER_BUS__MAX_GB: '0.2',
    OUTRIDER_CACHE__ADAPTER: 'redis',
    OUTRIDER_CACHE__URL: cache?.address.url ?? '',
    OUTRIDER_CACHE__PREFIX: name,
    OUTRIDER_BLOBS__ADAPTER: 's3',
    OUTRIDER_BLOBS__ENDPOINT: blobs.address.url,
    OUTRIDER_BLOBS__BUCKET: bucket,
    OUTRIDER_BLOBS__ACCESS_KEY: blobs.address.accessKey,
    OUTRIDER_BLOBS__SECRET_KEY: blobs.address.secretKey,
  };
  return {
    env,
    stop: async () => void (await Promise.all([database, bus, cache, blobs].map(async (server) => server?.stop()))),
  };
}

/** One process for each service, on real servers for what they share; each has a data folder of its own. */
async function startSplitHub(extra: readonly string[], options: ProgramOptions): Promise<RunningHub> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-hub-'));
  const stores = await sharedStores();
  const names = Object.keys(services);
  const ports = Object.fromEntries(await Promise.all(names.map(async (one) => [one, await freePort()] as const)));
  const grpcPort = await freePort();
  const shared: Record<string, string> = {
    ...stores.env,
    OUTRIDER_URL: `http://127.0.0.1:${ports['gateway']}`,
    ...Object.fromEntries(
      names.map((one) => [`OUTRIDER_PEERS__ADDRESSES__${one.toUpperCase()}`, `http://127.0.0.1:${ports[one]}`]),
    ),
  };
  const parts = names.map((one): Part => {
    const data = join(folder, one);
    const args = ['--target', one, '--data', data, '--port', String(ports[one])];
    return {
      name: one,
      args: [...args, ...(one === 'ingest' ? ['--grpc-port', String(grpcPort)] : []), ...extra],
      env: shared,
    };
  });
  return startParts({
    parts,
    options,
    at: {
      port: ports['gateway'] ?? 0,
      grpcPort,
      data: join(folder, 'users'),
      urls: Object.fromEntries(names.map((one) => [one, `http://127.0.0.1:${ports[one]}`])),
    },
    async remove() {
      await stores.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  });
}

/** Starts a hub on free ports and waits until it is ready. */
export async function startHubProgram(
  extra: readonly string[] = [],
  options: ProgramOptions = {},
  topology: Topology = asked(),
): Promise<RunningHub> {
  if (topology === 'split') return startSplitHub(extra, options);
  const data = mkdtempSync(join(tmpdir(), 'outrider-hub-'));
  const [port, grpcPort] = [await freePort(), await freePort()];
  const args = ['--data', data, '--port', String(port), '--grpc-port', String(grpcPort), ...extra];
  return startParts({
    parts: [{ name: 'all', args, env: {} }],
    options,
    at: { port, grpcPort, data, urls: { all: `http://127.0.0.1:${port}` } },
    remove: removing(data),
  });
}

/** Signs in as the administrator that the hub made at its first start. */
export function signInFirst(hub: RunningHub): Promise<Api> {
  const { username, password } = JSON.parse(readFileSync(join(hub.data, 'first-sign-in.json'), 'utf8')) as Record<
    string,
    string
  >;
  return signIn(hub.url, username ?? '', password ?? '');
}
