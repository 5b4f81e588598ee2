import { createHash } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { defineProblems, reasonOf } from './problem.ts';

const problems = defineProblems('data', {
  notWritable: { status: 500, title: 'The data folder cannot be written.' },
  inUse: { status: 409, title: 'Another program uses the data folder.' },
  newer: { status: 409, title: 'The data folder was written by a newer version.' },
});

/** A data folder that this process owns until it closes it. */
export interface DataFolder {
  path: string;
  close(): void;
}

/** A number that differs between two processes that had the same id; empty where the system has none. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return ''; // Not Linux, or the process is gone.
  }
}

function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return start === '' || startOf(pid) === start;
}

function takeLock(path: string, program: string): void {
  const lock = join(path, 'lock');
  for (let tries = 0; tries < 2; tries++) {
    try {
      const file = openSync(lock, 'wx', 0o600);
      writeSync(file, `${process.pid} ${startOf(process.pid)}\n`);
      closeSync(file);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const [pid = '', start = ''] = readFileSync(lock, 'utf8').trim().split(' ');
    if (isAlive(Number(pid), start)) {
      throw problems.inUse(
        `${path} is in use by process ${pid}. Stop that ${program} first, or give this one a data folder of its own.`,
      );
    }
    unlinkSync(lock); // Its owner was killed.
  }
}

function checkFormat(path: string, format: number): void {
  const file = join(path, 'format');
  let found: number;
  try {
    found = Number(readFileSync(file, 'utf8'));
  } catch {
    writeFileSync(file, `${format}\n`, { mode: 0o600 });
    return;
  }
  if (found > format) {
    throw problems.newer(
      `${path} has format ${found}; this version reads up to ${format}. Install the newer version again, or use another data folder.`,
    );
  }
}

/** Node's own recursive way never returns where the kernel answers ENOENT to a new folder, as below /proc: so one by one. */
function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  // Those above are as any other folder: the database's own user must be able to pass.
  if (dirname(path) !== path) makeFolder(dirname(path), 0o755);
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** Makes the folder if needed, checks its format and takes it for this process. Throws a Problem with one sentence that says what to do. */
export function openDataFolder(path: string, program: string, format: number): DataFolder {
  try {
    makeFolder(path, 0o700);
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    takeLock(path, program);
  } catch (error) {
    if (error instanceof Error && error.name === 'Problem') throw error;
    throw problems.notWritable(
      `${path} cannot be written (${reasonOf(error)}). Make it writable for this user, or choose another folder with --data.`,
      { cause: error },
    );
  }
  const close = (): void => {
    try {
      unlinkSync(join(path, 'lock'));
    } catch {
      // Somebody removed the folder under us; there is nothing left to give back.
    }
  };
  try {
    checkFormat(path, format);
  } catch (error) {
    close();
    throw error;
  }
  return { path, close };
}

/** Writes a file so that a crash leaves the old or the new content, never a part: aside, fsync, rename, fsync of the folder. */
export function writeFileDurably(path: string, content: string | Uint8Array, mode = 0o600): void {
  const aside = `${path}.new`;
  const file = openSync(aside, 'w', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(aside, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** A path for a local socket that belongs to a data folder, short enough for every system. */
export function socketPath(dataFolder: string, name: string): string {
  if (process.platform === 'win32') {
    return `\\\\.\\pipe\\outrider-${name}-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}`;
  }
  const near = join(dataFolder, `${name}.sock`);
  if (Buffer.byteLength(near) < 100) return near;
  return join(tmpdir(), `outrider-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}-${name}.sock`);
}
