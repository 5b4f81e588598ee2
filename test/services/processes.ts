import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { reasonOf } from '#sdk';

/** A program to run as a server. */
export interface Command {
  program: string;
  args: readonly string[];
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** The user and group to run as, for programs that refuse root; without one, whoever runs the tests. */
  owner?: Owner;
  /** A file into which the server writes its pid when `program` is only its launcher. */
  pidFile?: string;
}

/** A user of the machine, by numbers. */
export interface Owner {
  uid: number;
  gid: number;
}

/** A process of ours: the pid alone is not enough, for pids are used again. */
export interface OwnProcess {
  pid: number;
  born: string;
}

/** Plain data about a server that runs, enough to end it from another process. */
export interface Instance {
  /** The server, then what launched it. */
  processes: OwnProcess[];
  /** Where it keeps its files, removed when it stops. */
  folder: string;
  /** The signal that it takes as a request to end. */
  signal: NodeJS.Signals;
  /** The engine and the name, when it is a container. */
  container?: { engine: string; id: string };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** When a process began, in words of the system; undefined when there is none (a dead one that nobody has collected counts as none). */
export function bornOf(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      // The first thread may be dead while others still hold files and ports: then the process is not gone.
      const dead = (fields[0] === 'Z' || fields[0] === 'X') && readdirSync(`/proc/${pid}/task`).length <= 1;
      return dead ? undefined : fields[19];
    } catch {
      return undefined; // It has ended.
    }
  }
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}

/** True while this very process runs. */
export const lives = ({ pid, born }: OwnProcess): boolean => bornOf(pid) === born;

function signal(one: OwnProcess, name: NodeJS.Signals): void {
  try {
    if (lives(one)) process.kill(one.pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

async function gone(processes: readonly OwnProcess[], seconds: number): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000;
  while (processes.some(lives)) {
    if (performance.now() > deadline) return false;
    await pause(20);
  }
  return true;
}

/** Ends a server as a crash would: SIGKILL, its files stay. */
export async function killInstance({ processes, container }: Instance): Promise<void> {
  if (container !== undefined) spawnSync(container.engine, ['kill', container.id]);
  for (const one of processes) signal(one, 'SIGKILL');
  await gone(processes, 60);
}

/** Ends a server as asked, kills it when it does not follow within 30 s, and removes its files. */
export async function endInstance(instance: Instance): Promise<void> {
  const { processes, container, folder } = instance;
  if (container !== undefined) spawnSync(container.engine, ['rm', '--force', container.id]);
  const [server] = processes;
  if (server !== undefined) signal(server, instance.signal);
  if (!(await gone(processes, 30))) await killInstance(instance);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** A scratch folder for one server. Outside of the home folder: a server that runs as another user must reach it. */
export function scratch(owner?: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-server-'));
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

/** For programs that refuse root: the named user when there is one, else nobody. Undefined when we are not root. */
export function unprivileged(user?: string): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const [, , uid, gid] = users.find(([name]) => name === user) ?? users.find(([name]) => name === 'nobody') ?? [];
  return { uid: Number(uid ?? 65_534), gid: Number(gid ?? 65_534) };
}

/** The last lines of a server's log, for messages. */
export function lastLines(file: string, count = 12): string {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count).join('\n') : '';
}

/** How a command is run. */
export interface RunOptions {
  /** Where its log goes, and what is removed with it. */
  folder: string;
  /** It goes on when the process that started it ends. */
  detached: boolean;
  note?(instance: Instance): void;
  signal: NodeJS.Signals;
  /** Rejects until the server answers. */
  ready(): Promise<unknown>;
  /** How long a slow machine may need. */
  seconds: number;
}

/** Runs a command and waits until it answers; when it ends before, rejects with its last words. */
export async function runServer(command: Command, options: RunOptions): Promise<Instance> {
  const { program, args, owner, pidFile } = command;
  mkdirSync(options.folder, { recursive: true });
  const log = join(options.folder, 'output.log');
  if (pidFile !== undefined) rmSync(pidFile, { force: true });
  const output = openSync(log, 'a');
  const child = spawn(program, [...args], {
    cwd: command.cwd ?? options.folder,
    env: { PATH: process.env['PATH'], HOME: options.folder, LC_ALL: 'C.UTF-8', ...command.env },
    detached: options.detached,
    stdio: ['ignore', output, output],
    ...owner,
  });
  closeSync(output);
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined); // Looked at below; a later failure to send a signal is none of this.
  child.unref();
  const launcher: OwnProcess = { pid: child.pid ?? -1, born: bornOf(child.pid ?? -1) ?? '' };
  const instance: Instance = { processes: [launcher], folder: options.folder, signal: options.signal };
  options.note?.(instance);
  try {
    await Promise.race([failed, untilReady(`${program}`, () => lives(launcher), { ...options, log })]);
    if (pidFile !== undefined) {
      const pid = Number(readFileSync(pidFile, 'utf8'));
      instance.processes.unshift({ pid, born: bornOf(pid) ?? '' });
      options.note?.(instance);
    }
  } catch (error) {
    await killInstance(instance);
    throw error;
  }
  if (!options.detached) endWithUs(instance);
  return instance;
}

async function untilReady(
  title: string,
  runs: () => boolean,
  { ready, seconds, log }: Pick<RunOptions, 'ready' | 'seconds'> & { log: string },
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    if (!runs()) throw new Error(`${title} ended before it answered: ${lastLines(log)}`);
    try {
      await ready();
      return;
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`${title} did not answer within ${seconds} s (${reasonOf(error)}): ${lastLines(log)}`, {
          cause: error,
        });
      }
      await pause(30);
    }
  }
}

const ours = new Set<Instance>();

/** Ends a server when this process ends without having stopped it. */
function endWithUs(instance: Instance): void {
  if (ours.size === 0) {
    process.once('exit', () => {
      for (const { processes } of ours) for (const one of processes) signal(one, 'SIGKILL');
    });
  }
  ours.add(instance);
}

/** No longer ours to end. */
export function forget(instance: Instance): void {
  ours.delete(instance);
}

/** Rejects unless a GET of this URL answers 2xx. */
export async function answers(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
  return response;
}
