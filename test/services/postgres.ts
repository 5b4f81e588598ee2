import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, until } from '#kit';
import pg from 'pg';
import type { FoundServer, RunningServer, ServerKind } from './index.ts';

const run = promisify(execFile);

/** Address of a server for tests, as a user who may create roles and databases. */
export interface PostgresAddress {
  url: string;
}

const VARIABLE = 'OUTRIDER_TEST_POSTGRES_URL';
const PASSWORD = 'for-tests-only';
const DEBIAN = '/usr/lib/postgresql';

/** Folder of an installed `initdb` and `postgres`, the newest of Debian's first. */
function installed(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return folders.find((folder) => ['initdb', 'postgres'].every((program) => existsSync(join(folder, program))));
}

/** PostgreSQL refuses to run as root: the user of Debian's package, else nobody. */
function identity(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}

async function answers(url: string): Promise<true> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // The answer of connect() says all.
  await client.connect();
  await client.end();
  return true;
}

async function end(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** Makes a scratch cluster and runs it on a free port of loopback. */
async function startInstalled(programs: string): Promise<RunningServer<PostgresAddress>> {
  const owner = identity();
  const folder = mkdtempSync(join(tmpdir(), 'outrider-server-'));
  const [cluster, passwords] = [join(folder, 'cluster'), join(folder, 'password')];
  writeFileSync(passwords, PASSWORD, { mode: 0o600 });
  if (owner.uid !== undefined) for (const path of [folder, passwords]) chownSync(path, owner.uid, owner.gid ?? 0);
  const given = { ...owner, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } };
  const how = ['-D', cluster, '-U', 'admin', `--pwfile=${passwords}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  await run(join(programs, 'initdb'), [...how, '--no-sync'], given);
  const port = await freePort();
  const settings = { listen_addresses: '127.0.0.1', port, unix_socket_directories: '', fsync: 'off' };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const child = spawn(join(programs, 'postgres'), ['-D', cluster, ...flags], { ...given, stdio: 'ignore' });
  const url = `postgres://admin:${PASSWORD}@127.0.0.1:${port}/postgres`;
  try {
    await until('PostgreSQL answers', () => answers(url));
  } catch (error) {
    await end(child, folder);
    throw error;
  }
  return { address: { url }, stop: () => end(child, folder) };
}

async function installPackage(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-q'], { env });
  await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'postgresql'], { env });
}

async function find(): Promise<FoundServer<PostgresAddress>> {
  const url = process.env[VARIABLE];
  if (url !== undefined) {
    return { how: VARIABLE, start: () => Promise.resolve({ address: { url }, stop: () => Promise.resolve() }) };
  }
  let programs = installed();
  if (programs === undefined && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    await installPackage();
    programs = installed();
  }
  const folder = programs;
  if (folder === undefined) throw new Error(`install PostgreSQL, or name a server for tests in ${VARIABLE}`);
  return { how: folder, start: () => startInstalled(folder) };
}

/** PostgreSQL: an address in the environment, an installed program, else Debian's package when root. */
export const postgres: ServerKind<PostgresAddress> = { name: 'PostgreSQL', find };

/** The user as whom a hub signs in during tests. It stays the same on one server: roles belong to whoever made them. */
const HUB = 'outrider_test';

/** Makes an empty database for a hub and gives its URL. */
export async function emptyDatabase(address: PostgresAddress, name: string): Promise<string> {
  const admin = new pg.Client({ connectionString: address.url });
  await admin.connect();
  try {
    const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [HUB]);
    if (rowCount === 0) await admin.query(`CREATE ROLE ${HUB} LOGIN CREATEROLE NOINHERIT PASSWORD '${PASSWORD}'`);
    await admin.query(`DROP DATABASE IF EXISTS ${name}`);
    await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
    await admin.query(`GRANT CREATE ON DATABASE ${name} TO ${HUB}`);
  } finally {
    await admin.end();
  }
  const url = new URL(address.url);
  url.username = HUB;
  url.password = PASSWORD;
  url.pathname = `/${name}`;
  return url.href;
}
