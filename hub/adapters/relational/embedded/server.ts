import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock, LineSink, Logger } from '#sdk';
import { problems } from '../sessions/index.ts';
import { OWN_SERVER, type Binaries } from './binaries.ts';
import type { Keeper } from './keeper.ts';

/** One life of PostgreSQL's first process. */
export interface Server {
  /** Resolves when it takes connections; rejects with its own last words when it ends before. */
  ready(): Promise<void>;
  /** Resolves when it has ended, with how. */
  ended: Promise<string>;
  /** Ends it within eight seconds. */
  stop(): Promise<void>;
}

/** Where a server listens: a socket's folder, or loopback on systems whose driver knows no such sockets. */
export interface ServerAddress {
  host: string;
  port: number;
}

/** What is needed to run a server. */
export interface ServerGiven {
  keeper: Keeper;
  binaries: Binaries;
  address: ServerAddress;
  /** Takes its log. */
  sink: LineSink;
  clock: Clock;
}

const READY_MS = 120_000;
const FAST_STOP_MS = 6_000;
const QUICK_STOP_MS = 1_500;

/** Small, durable, nobody replicates from it. Statements that fail are told to who asked, not to the log: they may quote data. */
const SETTINGS: Readonly<Record<string, string>> = {
  unix_socket_permissions: '0700',
  shared_buffers: '32MB',
  max_connections: '40',
  wal_level: 'minimal',
  max_wal_senders: '0',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  max_logical_replication_workers: '0',
  io_method: 'sync',
  jit: 'off',
  fsync: 'on',
  log_min_messages: 'log',
  log_checkpoints: 'off',
  timezone: 'UTC',
};

/** The environment of PostgreSQL's programs: nothing of the hub's own. */
export function programEnvironment({ libraries }: Binaries): NodeJS.ProcessEnv {
  return { PATH: '/usr/bin:/bin', LC_ALL: 'C', LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries };
}

function flagsFor({ keeper, address }: ServerGiven): string[] {
  const bySocket = address.host === keeper.socket;
  const settings = {
    ...SETTINGS,
    listen_addresses: bySocket ? '' : address.host,
    unix_socket_directories: bySocket ? keeper.socket : '',
    port: String(address.port),
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
}

/** What the server writes about itself: its process id in the first line, its state in the eighth. */
function readPidFile(cluster: string): { pid: number; state: string } | undefined {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return { pid: Number(lines[0]), state: lines[7]?.trim() ?? '' };
  } catch {
    return undefined; // It was removed in between.
  }
}

/** Starts PostgreSQL on its cluster. */
export function startServer(given: ServerGiven): Server {
  const { keeper, binaries, sink, clock } = given;
  // A process group of its own: Ctrl-C must reach the hub alone, which stops the server last.
  const child: ChildProcess = spawn(binaries.postgres, ['-D', keeper.cluster, ...flagsFor(given)], {
    ...keeper.user,
    env: programEnvironment(binaries),
    cwd: keeper.cluster,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let lastWords = '';
  let over = false;
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      sink.write(`${line}\n`);
      if (/FATAL|PANIC|error/i.test(line)) lastWords = line.replace(/^.*?\] /, '');
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve((lastWords = error.message)));
    child.once('close', (code, signal) => resolve(lastWords || `it ended with ${signal ?? `code ${code}`}`));
  }).finally(() => (over = true));
  const endsWithin = async (ms: number): Promise<boolean> => {
    const patience = new AbortController();
    await Promise.race([ended, clock.sleep(ms, patience.signal)]);
    patience.abort();
    return over;
  };
  return {
    ended,
    async ready() {
      const deadline = clock.monotonic() + READY_MS;
      while (clock.monotonic() < deadline) {
        const { pid, state } = readPidFile(keeper.cluster) ?? {};
        if (pid === child.pid && state === 'ready') return;
        if (await endsWithin(10))
          throw problems.cannotStart(
            `PostgreSQL did not start: ${await ended}. Its own words are in log/postgres.log of the data folder. ${OWN_SERVER}`,
          );
      }
      throw problems.cannotStart(
        `PostgreSQL did not start within ${READY_MS / 1000} s. Its own words are in log/postgres.log of the data folder. ${OWN_SERVER}`,
      );
    },
    async stop() {
      for (const [signal, ms] of [
        ['SIGINT', FAST_STOP_MS],
        ['SIGQUIT', QUICK_STOP_MS],
      ] as const) {
        if (!over) child.kill(signal);
        if (await endsWithin(ms)) return;
      }
      child.kill('SIGKILL');
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** True when a process runs on this cluster; its number may have gone to somebody else since. */
function runsOn(pid: number, cluster: string): boolean {
  if (process.platform === 'win32') return true;
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout.includes(cluster);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(cluster);
  } catch {
    return false; // It has just ended.
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Stops the server that a killed hub left behind, so that two never work on one cluster. */
export async function stopLeftover(keeper: Keeper, clock: Clock, log: Logger): Promise<void> {
  const { pid } = readPidFile(keeper.cluster) ?? {};
  if (pid === undefined || !Number.isInteger(pid) || pid <= 1 || !isAlive(pid)) return;
  // PostgreSQL takes any process of that number for its own and refuses to start, as happens after each kill in a container.
  const forget = (): void => rmSync(join(keeper.cluster, 'postmaster.pid'), { force: true });
  if (!runsOn(pid, keeper.cluster)) return forget();
  log.warn('stopping the PostgreSQL that a killed hub left behind', { pid });
  for (const [signal, ms] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', QUICK_STOP_MS],
    ['SIGKILL', QUICK_STOP_MS],
  ] as const) {
    send(pid, signal);
    // One that has ended but was not yet buried by its new parent has no command line any more.
    for (let waited = 0; waited < ms; waited += 20) {
      if (!isAlive(pid) || !runsOn(pid, keeper.cluster)) return forget();
      await clock.sleep(20);
    }
  }
  throw problems.cannotStart(`The PostgreSQL of a killed hub does not end: stop process ${pid}.`);
}
