import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync, linkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { bornOf } from './processes.ts';

/** Writes one line of progress. */
export type Say = (line: string) => void;

const READY = 'ready.json';

/** What is kept of a program between runs. */
export interface Kept {
  folder: string;
  /** How long it took to get it, whenever that was. */
  seconds: number;
  /** It was there already. */
  cached: boolean;
}

/** Where built and fetched programs are kept. */
export function keptFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'outrider-test');
}

function complete(folder: string): number | undefined {
  try {
    const { seconds } = JSON.parse(readFileSync(join(folder, READY), 'utf8')) as { seconds: number };
    return seconds;
  } catch {
    return undefined; // Not there, or half of it: the file is written last.
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Takes the lock when nobody alive holds it. A link is made with its content at once, so nobody reads half a lock. */
function take(lock: string): boolean {
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, born: bornOf(process.pid) }));
  try {
    linkSync(mine, lock);
    return true;
  } catch {
    if (existsSync(lock) && !held(lock)) setAside(lock, mine);
    return false; // Free now or soon: the next try is a race that one wins.
  } finally {
    rmSync(mine, { force: true });
  }
}

/** True while the process that wrote the lock lives. */
function held(lock: string): boolean {
  try {
    const { pid, born } = JSON.parse(readFileSync(lock, 'utf8')) as { pid: number; born?: string };
    return born !== undefined && bornOf(pid) === born;
  } catch {
    return false; // Released meanwhile, or written by something else.
  }
}

/** Takes the lock of a dead process away. Moved before it is looked at, so that a lock taken meanwhile is put back. */
function setAside(lock: string, name: string): void {
  const aside = `${name}.aside`;
  try {
    renameSync(lock, aside);
    if (held(aside)) linkSync(aside, lock);
    rmSync(aside);
  } catch {
    // Another run was faster.
  }
}

/** Gives the folder of a kept program. Builds it under a lock when it is not there: into a folder of another name, which is renamed when it is whole. */
export async function keep(
  name: string,
  version: string,
  build: (half: string, say: Say, folder: string) => Promise<void>,
): Promise<Kept> {
  const root = keptFolder();
  const folder = join(root, `${name}-${version}`);
  const had = complete(folder);
  if (had !== undefined) return { folder, seconds: had, cached: true };
  mkdirSync(root, { recursive: true });
  const say: Say = (line) => process.stderr.write(`  ${name} ${version}: ${line}\n`);
  const lock = join(root, `${name}-${version}.lock`);
  for (let waited = 0; !take(lock); waited += 1) {
    if (waited % 100 === 99) say(`another run builds it (waited ${(waited + 1) / 10} s)`);
    await pause(100);
  }
  try {
    const meanwhile = complete(folder);
    if (meanwhile !== undefined) return { folder, seconds: meanwhile, cached: true };
    return { folder, seconds: await fill(root, folder, (half) => build(half, say, folder), say), cached: false };
  } finally {
    rmSync(lock, { force: true });
  }
}

async function fill(root: string, folder: string, build: (half: string) => Promise<void>, say: Say): Promise<number> {
  const title = folder.slice(root.length + 1);
  for (const old of readdirSync(root)) {
    if (old.startsWith(`.half-${title}.`)) rmSync(join(root, old), { recursive: true, force: true });
  }
  const half = join(root, `.half-${title}.${process.pid}`);
  mkdirSync(half);
  const started = performance.now();
  const elapsed = (): number => Math.round((performance.now() - started) / 100) / 10;
  const beat = setInterval(() => say(`still getting it (${elapsed()} s)`), 10_000);
  try {
    say('getting it …');
    await build(half);
    writeFileSync(join(half, READY), JSON.stringify({ seconds: elapsed() }));
    rmSync(folder, { recursive: true, force: true }); // What somebody left there is not complete, or we would not be here.
    renameSync(half, folder);
    say(`there after ${elapsed()} s`);
    return elapsed();
  } catch (error) {
    rmSync(half, { recursive: true, force: true });
    throw error;
  } finally {
    clearInterval(beat);
  }
}
