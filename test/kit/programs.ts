import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** The checkout. */
export const CHECKOUT_ROOT = join(import.meta.dirname, '..', '..');

/** A program of ours that runs from dist/. */
export interface Program {
  child: ChildProcess;
  /** Everything that it wrote to the terminal so far. */
  output(): string;
  /** Resolves with code and signal once it has ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends it the polite way and waits. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL and waits. */
  kill(): Promise<void>;
}

/** How to start a program. */
export interface ProgramOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
  /** Flags for Node itself. */
  nodeArgs?: readonly string[];
}

/** Starts `dist/outrider-<name>` with the Node that runs the tests. */
export function startProgram(name: 'hub' | 'agent', args: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(
    process.execPath,
    [...(options.nodeArgs ?? []), join(CHECKOUT_ROOT, 'dist', `outrider-${name}`), ...args],
    {
      cwd: CHECKOUT_ROOT,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (output += part.toString()));
  child.stdin?.end(options.input ?? '');
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
  };
  return { child, output: () => output, ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/** Runs a program to its end. */
export async function runProgram(name: 'hub' | 'agent', args: readonly string[], options: ProgramOptions = {}) {
  const program = startProgram(name, args, options);
  const { code } = await program.ended;
  return { code, output: program.output() };
}

/** A port of loopback that nobody uses now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Waits until `probe` gives something; fails with the last reason after `seconds`. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  seconds = 30,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  let reason: unknown;
  while (performance.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      reason = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${seconds} s in vain: ${what}`, { cause: reason });
}

/** Calls the web API as one person. */
export interface Api {
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  raw(method: string, path: string, body?: unknown): Promise<Response>;
  token: string;
}

/** Signs in and gives the API of that person. */
export async function signIn(url: string, username: string, password: string): Promise<Api> {
  const reply = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  });
  if (!reply.ok) throw new Error(`sign-in answered ${reply.status}: ${await reply.text()}`);
  const { accessToken } = (await reply.json()) as { accessToken: string };
  return apiWith(url, accessToken);
}

/** The API with a token or a key. */
export function apiWith(url: string, token: string): Api {
  const raw = (method: string, path: string, body?: unknown): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  return {
    token,
    raw,
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const reply = await raw(method, path, body);
      const text = await reply.text();
      if (!reply.ok) throw new Error(`${method} ${path} answered ${reply.status}: ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    },
  };
}
