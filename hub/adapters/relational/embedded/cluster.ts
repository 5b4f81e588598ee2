import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably, type Clock, type Logger } from '#sdk';
import pg from 'pg';
import { problems } from '../sessions/index.ts';
import { findBinaries, type Binaries } from './binaries.ts';
import { keeperFor, type Keeper } from './keeper.ts';

/** Passwords of a cluster: of the superuser that only sets it up, and of the hub. */
interface Secrets {
  admin: string;
  hub: string;
}

/** A running PostgreSQL of our own. */
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
const START_MS = 60_000;
const STOP_MS = 8_000;
/** More crashes than this within a minute are not bad luck. */
const CRASHES = 3;

/** Small, durable, reachable by a socket only. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  shared_buffers: '32MB',
  max_connections: '40',
  max_wal_size: '256MB',
  jit: 'off',
  max_parallel_workers: '2',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

function secretsOf(dataFolder: string): Secrets {
  const file = join(dataFolder, 'postgres.secret');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const secrets = { admin: randomBytes(24).toString('base64url'), hub: randomBytes(24).toString('base64url') };
  writeFileDurably(file, JSON.stringify(secrets));
  return secrets;
}

const identity = ({ uid, gid }: Keeper): { uid?: number; gid?: number } => (uid === undefined ? {} : { uid, gid });

function environment({ libraries }: Binaries): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries };
}

async function initialise(keeper: Keeper, binaries: Binaries, secrets: Secrets): Promise<void> {
  const passwords = join(keeper.socket, 'first');
  writeFileSync(passwords, secrets.admin, { mode: 0o600 });
  if (keeper.uid !== undefined) chownSync(passwords, keeper.uid, keeper.gid ?? keeper.uid);
  const args = [
    '-D',
    keeper.cluster,
    '-U',
    ADMIN,
    `--pwfile=${passwords}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ];
  const child = spawn(binaries.initdb, args, { ...identity(keeper), env: environment(binaries), cwd: keeper.socket });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  const code = await new Promise<number | null>((resolve) =>
    child.on('close', resolve).on('error', (error) => ((output += error.message), resolve(1))),
  );
  rmSync(passwords, { force: true });
  if (code === 0) return;
  throw problems.cannotStart(`initdb failed in ${keeper.cluster}: ${output.trim().split('\n').slice(-3).join(' ')}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // No such process, or not one of ours.
  }
}

/** Stops a server that a killed hub left behind, so that two never work on one cluster. */
async function stopLeftover(keeper: Keeper, clock: Clock, log: Logger): Promise<void> {
  const file = join(keeper.cluster, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || !isAlive(pid) || !isPostgres(pid)) return;
  log.warn('stopping the PostgreSQL that a killed hub left behind', { pid });
  for (const [signal, waitMs] of [
    ['SIGINT', STOP_MS],
    ['SIGQUIT', STOP_MS],
    ['SIGKILL', STOP_MS],
  ] as const) {
    process.kill(pid, signal);
    for (let waited = 0; waited < waitMs && isAlive(pid); waited += 20) await clock.sleep(20);
    if (!isAlive(pid)) return;
  }
}

/** Guards against a process id that was given to somebody else since. */
function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return process.platform !== 'linux';
  }
}

const LOG_LIMIT = 10_000_000;

function openLog(dataFolder: string): number {
  const folder = join(dataFolder, 'log');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'postgres.log');
  if (existsSync(path) && statSync(path).size > LOG_LIMIT) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}

function launch(keeper: Keeper, binaries: Binaries, dataFolder: string): ChildProcess {
  const settings = Object.entries({ ...SETTINGS, unix_socket_directories: keeper.socket }).flatMap(([key, value]) => [
    '-c',
    `${key}=${value}`,
  ]);
  const log = openLog(dataFolder);
  try {
    // A process group of its own: Ctrl-C must reach the hub alone, which stops the server last.
    return spawn(binaries.postgres, ['-D', keeper.cluster, ...settings], {
      ...identity(keeper),
      env: environment(binaries),
      cwd: keeper.cluster,
      detached: true,
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

async function connects(config: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // The answer of connect() says all.
  try {
    await client.connect();
    return true;
  } catch {
    return false; // Still starting.
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function untilReady(child: ChildProcess, config: pg.ClientConfig, given: ClusterGiven): Promise<void> {
  const deadline = given.clock.monotonic() + START_MS;
  while (given.clock.monotonic() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) break;
    if (await connects(config)) return;
    await given.clock.sleep(25);
  }
  child.kill('SIGQUIT');
  throw problems.cannotStart(`PostgreSQL did not start; ${join(given.dataFolder, 'log', 'postgres.log')} says why.`);
}

/** Creates the hub's user and database; what exists is left as it is. */
async function prepareDatabase(admin: pg.ClientConfig, secrets: Secrets): Promise<void> {
  const client = new pg.Client({ ...admin, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount !== 0) return;
    await client.query(`CREATE ROLE ${HUB} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD '${secrets.hub}'`);
    await client.query(`CREATE DATABASE ${DATABASE} OWNER ${HUB}`);
  } finally {
    await client.end();
  }
}

function checkMajor(keeper: Keeper, { major }: Binaries): void {
  const found = readFileSync(join(keeper.cluster, 'PG_VERSION'), 'utf8').trim();
  if (found === major) return;
  throw problems.otherMajor(
    `The data folder holds PostgreSQL ${found}, this version runs ${major}. Restore a backup into a new data folder.`,
  );
}

async function stopServer(child: ChildProcess, clock: Clock): Promise<void> {
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  if (ended()) return;
  child.kill('SIGINT');
  for (let waited = 0; waited < STOP_MS && !ended(); waited += 10) await clock.sleep(10);
  if (!ended()) child.kill('SIGQUIT');
}

/** Starts PostgreSQL for a data folder, sets it up the first time, and starts it again when it dies. */
export async function startCluster(given: ClusterGiven): Promise<Cluster> {
  const { dataFolder, log, clock, fail } = given;
  const secrets = secretsOf(dataFolder);
  const keeper = keeperFor(dataFolder);
  const binaries = findBinaries(join(dataFolder, 'postgres-libraries'), keeper);
  await stopLeftover(keeper, clock, log);
  if (!existsSync(join(keeper.cluster, 'PG_VERSION'))) await initialise(keeper, binaries, secrets);
  checkMajor(keeper, binaries);
  const admin = { host: keeper.socket, user: ADMIN, password: secrets.admin, database: 'postgres' };
  let stopping = false;
  let child = launch(keeper, binaries, dataFolder);
  const crashes: number[] = [];
  const watch = (): void => {
    child.once('exit', (code, signal) => {
      if (stopping) return;
      const now = clock.monotonic();
      crashes.push(now);
      log.error('PostgreSQL ended by itself and is started again', { code, signal });
      if (crashes.filter((at) => now - at < 60_000).length > CRASHES)
        return fail(problems.cannotStart('PostgreSQL ends again and again.'));
      child = launch(keeper, binaries, dataFolder);
      watch();
    });
  };
  await untilReady(child, admin, given);
  await prepareDatabase(admin, secrets);
  watch();
  return {
    connection: { host: keeper.socket, user: HUB, password: secrets.hub, database: DATABASE },
    async stop() {
      stopping = true;
      await stopServer(child, clock);
    },
  };
}
