import { spawn, type ChildProcess } from 'node:child_process';
import { setPriority } from 'node:os';
import { kill } from 'node:process';
import type { Readable } from 'node:stream';
import type { Clock } from '#sdk';

/** A program, what it may take, and who may stop it. */
export interface ProgramCall {
  /** An absolute path and arguments; no shell reads them. */
  command: readonly [path: string, ...args: string[]];
  timeoutMs: number;
  /** Bytes of its output that are taken; one that prints more is stopped. */
  mostBytes: number;
  signal: AbortSignal;
  clock: Clock;
  /** Beside PATH and the language. */
  env?: Readonly<Record<string, string>>;
  /** The user that it runs as, where the agent may choose. */
  user?: { uid: number; gid: number };
}

/** What a program said. A code other than zero is for the caller to judge. */
export interface ProgramAnswer {
  /** `undefined` when a signal ended it. */
  code: number | undefined;
  output: string;
  /** The last line of its standard error. */
  complaint: string;
}

/** Programs get these and nothing of the agent's own environment. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C', LC_ALL: 'C' };

/** What is kept of standard error, from its end. */
const COMPLAINT_BYTES = 2048;

/** How long a pipe may stay open after the program's end: something that left its group may hold it. */
const GRACE_MS = 250;

/** The least urgent; the order of disk requests follows it. */
const LOWEST_PRIORITY = 19;

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left.
  }
}

function becomeLessUrgent(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, LOWEST_PRIORITY);
  } catch {
    // It has ended already.
  }
}

/** Keeps at most so many bytes of a stream, the first or the last ones. */
function keepBytes(stream: Readable, most: number, end: 'first' | 'last', onMore = (): void => {}): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    const whole = Buffer.concat([kept, chunk]);
    if (whole.length > most) onMore();
    kept = whole.length <= most ? whole : end === 'first' ? whole.subarray(0, most) : whole.subarray(-most);
  });
  return () => kept.toString('utf8');
}

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1)?.trim() ?? '';

function begin({ command: [path, ...args], env, user }: ProgramCall): ChildProcess {
  const child = spawn(path, args, {
    cwd: '/',
    env: { ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // A group of its own, so that its children end with it.
    ...user,
  });
  becomeLessUrgent(child.pid);
  return child;
}

/**
 * Runs a program to its end, at the lowest priority. Rejects when it cannot be run, runs too long, prints too much or is
 * stopped by the signal; it and all that it started have ended then.
 */
export function runProgram(call: ProgramCall): Promise<ProgramAnswer> {
  const { clock, signal, timeoutMs, mostBytes } = call;
  const name = call.command[0];
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error(`${name} was not run: it is time to stop`));
    const child = begin(call);
    let fault: Error | undefined;
    const end = (why: string): void => {
      fault ??= new Error(`${name} ${why}`);
      endGroup(child.pid);
    };
    const stopped = (): void => end('was stopped');
    const cancels = [clock.after(timeoutMs, () => end(`did not end within ${timeoutMs / 1000} s`))];
    signal.addEventListener('abort', stopped, { once: true });
    const { stdout, stderr } = child as { stdout: Readable; stderr: Readable };
    const output = keepBytes(stdout, mostBytes, 'first', () => end(`printed more than ${mostBytes} bytes`));
    const complaint = keepBytes(stderr, COMPLAINT_BYTES, 'last');
    child.once('error', (error) => {
      fault ??= new Error(`${name} cannot be run: ${error.message}`, { cause: error });
    });
    child.once('exit', () => {
      endGroup(child.pid);
      cancels.push(clock.after(GRACE_MS, () => [stdout, stderr].forEach((stream) => stream.destroy())));
    });
    child.once('close', (code) => {
      cancels.forEach((cancel) => cancel());
      signal.removeEventListener('abort', stopped);
      if (fault !== undefined) reject(fault);
      else resolve({ code: code ?? undefined, output: output(), complaint: lastLine(complaint()) });
    });
  });
}
