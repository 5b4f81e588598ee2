import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileSink, writeFileDurably, type Clock, type Logger } from '#sdk';
import pg from 'pg';
import { problems } from '../sessions/index.ts';
import { findBinaries, OWN_SERVER, type Binaries } from './binaries.ts';
import { keeperFor, ownedFolder, type Keeper } from './keeper.ts';
import { programEnvironment, startServer, stopLeftover, type ServerAddress, type ServerGiven } from './server.ts';

/** Passwords of a cluster: of the superuser that only sets it up, and of the hub. */
interface Secrets {
  admin: string;
  hub: string;
}

/** A PostgreSQL of our own that runs, and runs again when it ends by itself. */
export interface Cluster {
  /** How the hub's user connects. */
  connection: pg.PoolConfig;
  stop(): Promise<void>;
}

/** What a cluster needs from its adapter. */
export interface ClusterGiven {
  dataFolder: string;
  log: Logger;
  clock: Clock;
  fail(error: Error): void;
}

const ADMIN = 'outrider_admin';
const HUB = 'outrider';
const DATABASE = 'outrider';
/** More ends than this within a minute are not bad luck. */
const RESTARTS = 3;
const RESTART_MS = 250;

function secretsOf(dataFolder: string, { cluster }: Keeper): Secrets {
  const file = join(dataFolder, 'postgres.secret');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  if (existsSync(cluster)) {
    throw problems.cannotStart(
      `${file} is missing, and ${cluster} opens with nothing else. Bring it back, or restore a backup into a new data folder.`,
    );
  }
  const secrets = { admin: randomBytes(24).toString('base64url'), hub: randomBytes(24).toString('base64url') };
  writeFileDurably(file, JSON.stringify(secrets));
  return secrets;
}

async function runInitdb(keeper: Keeper, binaries: Binaries, flags: readonly string[]): Promise<void> {
  const given = { ...keeper.user, env: programEnvironment(binaries), cwd: keeper.socket };
  const child = spawn(binaries.initdb, flags, given);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  const code = await new Promise<number | null>((resolve) =>
    child.on('close', resolve).on('error', (error) => ((output += error.message), resolve(1))),
  );
  if (code === 0) return;
  throw problems.cannotStart(
    `initdb failed in ${keeper.cluster}: ${output.trim().split('\n').slice(-3).join(' ')} Mend what it names (a missing library: install the system’s package that brings it). ${OWN_SERVER}`,
  );
}

/** Makes the cluster aside and gives it its name when it is complete: a hub that is killed meanwhile begins again. */
async function initialise(keeper: Keeper, binaries: Binaries, secrets: Secrets): Promise<void> {
  const aside = `${keeper.cluster}.new`;
  rmSync(aside, { recursive: true, force: true });
  ownedFolder(aside, keeper.user);
  const passwords = join(keeper.socket, 'first');
  writeFileSync(passwords, secrets.admin, { mode: 0o600 });
  if (keeper.user !== undefined) chownSync(passwords, keeper.user.uid, keeper.user.gid);
  const names = ['-U', ADMIN, `--pwfile=${passwords}`, '--auth=scram-sha-256'];
  const letters = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  try {
    await runInitdb(keeper, binaries, ['-D', aside, ...names, ...letters]);
  } finally {
    rmSync(passwords, { force: true });
  }
  renameSync(aside, keeper.cluster);
  if (process.platform === 'win32') return;
  const folder = openSync(dirname(keeper.cluster), 'r');
  fsyncSync(folder);
  closeSync(folder);
}

function checkMajor(keeper: Keeper, { major }: Binaries): void {
  const found = readFileSync(join(keeper.cluster, 'PG_VERSION'), 'utf8').trim();
  if (found === major) return;
  throw problems.otherMajor(
    `The data folder holds PostgreSQL ${found}, this version runs ${major}. Restore a backup into a new data folder.`,
  );
}

/** A socket in a folder that is closed to others; on Windows, whose driver knows none, a free port of loopback. */
async function addressFor(keeper: Keeper): Promise<ServerAddress> {
  if (process.platform !== 'win32') return { host: keeper.socket, port: 5432 };
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return { host: '127.0.0.1', port: typeof address === 'object' && address !== null ? address.port : 5432 };
}

/** Creates the hub's user and database; what exists is left as it is. */
async function prepareDatabase(address: ServerAddress, secrets: Secrets): Promise<void> {
  const client = new pg.Client({ ...address, ssl: false, user: ADMIN, password: secrets.admin, database: 'postgres' });
  await client.connect();
  try {
    const { rows } = await client.query<{ role: boolean; database: boolean }>(
      `SELECT to_regrole($1) IS NOT NULL AS role, EXISTS (SELECT FROM pg_database WHERE datname = $2) AS database`,
      [HUB, DATABASE],
    );
    if (rows[0]?.role !== true)
      await client.query(`CREATE ROLE ${HUB} LOGIN CREATEROLE NOINHERIT PASSWORD '${secrets.hub}'`);
    if (rows[0]?.database !== true) await client.query(`CREATE DATABASE ${DATABASE} OWNER ${HUB}`);
  } finally {
    await client.end();
  }
}

/** Starts the server again whenever it ends by itself, a few times in a minute. */
function superviseServer(given: ServerGiven, { log, clock, fail }: ClusterGiven) {
  const stopping = new AbortController();
  const ends: number[] = [];
  let server = startServer(given);
  const ready = server.ready();
  const watch = async (): Promise<void> => {
    for (;;) {
      const reason = await server.ended;
      if (stopping.signal.aborted) return;
      const now = clock.monotonic();
      ends.push(now);
      const lately = ends.filter((at) => now - at < 60_000).length;
      if (lately > RESTARTS) return fail(problems.cannotStart(`PostgreSQL ends again and again: ${reason}.`));
      log.warn('PostgreSQL ended by itself and is started again', { reason });
      await clock.sleep(RESTART_MS * lately, stopping.signal);
      if (stopping.signal.aborted) return;
      server = startServer(given);
    }
  };
  return {
    ready: () => ready,
    watch: () => void watch(),
    async stop() {
      stopping.abort();
      await server.stop();
    },
  };
}

/** Starts PostgreSQL for a data folder, sets it up the first time, and starts it again when it ends by itself. */
export async function startCluster(given: ClusterGiven): Promise<Cluster> {
  const { dataFolder, log, clock } = given;
  const keeper = keeperFor(dataFolder);
  const binaries = findBinaries(keeper);
  const secrets = secretsOf(dataFolder, keeper);
  if (!existsSync(keeper.cluster)) await initialise(keeper, binaries, secrets);
  checkMajor(keeper, binaries);
  await stopLeftover(keeper, clock, log);
  const address = await addressFor(keeper);
  const sink = fileSink(join(dataFolder, 'log'), 'postgres', 5_000_000, 2);
  const server = superviseServer({ keeper, binaries, address, sink, clock }, given);
  try {
    await server.ready();
    await prepareDatabase(address, secrets);
  } catch (error) {
    await server.stop();
    throw error;
  }
  server.watch();
  return {
    connection: { ...address, ssl: false, user: HUB, password: secrets.hub, database: DATABASE },
    async stop() {
      await server.stop();
      rmSync(keeper.socket, { recursive: true, force: true });
    },
  };
}
