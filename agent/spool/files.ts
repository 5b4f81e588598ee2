import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of the spool that is written to. */
export interface WritableFile {
  /** Writes some of the bytes at a place; returns how many. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Makes what was written durable. */
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** A file of the spool that is read. */
export interface ReadableFile {
  /** Reads some bytes from a place into `into`; returns how many, 0 at the end. */
  read(into: Uint8Array, position: number): number;
  close(): void;
}

/** What the spool asks of the disk. Tests put one in its place that fails. */
export interface SpoolFiles {
  makeFolder(folder: string): void;
  list(folder: string): { name: string; bytes: number; modifiedMs: number }[];
  /** Creates a file that must not be there. */
  create(path: string): Promise<WritableFile>;
  openRead(path: string): ReadableFile;
  /** Cuts the end of a file off, durably. */
  truncate(path: string, length: number): void;
  remove(path: string): void;
  /** Makes a change of a folder's names durable. */
  syncFolder(folder: string): void;
  readText(path: string): string;
  /** Replaces a small file, without waiting for the disk. */
  replaceText(path: string, text: string): void;
}

/** The files of this machine. */
export const diskFiles: SpoolFiles = {
  makeFolder: (folder) => void mkdirSync(folder, { recursive: true, mode: 0o700 }),
  list: (folder) =>
    readdirSync(folder).flatMap((name) => {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      return stat?.isFile() === true ? [{ name, bytes: stat.size, modifiedMs: stat.mtimeMs }] : [];
    }),
  async create(path) {
    const file = await open(path, 'wx', 0o600);
    return {
      write: async (bytes, position) => (await file.write(bytes, 0, bytes.length, position)).bytesWritten,
      sync: () => file.datasync(),
      truncate: (length) => file.truncate(length),
      close: () => file.close(),
    };
  },
  openRead(path) {
    const file = openSync(path, 'r');
    return {
      read: (into, position) => readSync(file, into, 0, into.length, position),
      close: () => closeSync(file),
    };
  },
  truncate(path, length) {
    const file = openSync(path, 'r+');
    try {
      ftruncateSync(file, length);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  remove: (path) => rmSync(path, { force: true }),
  syncFolder(folder) {
    if (process.platform === 'win32') return; // A folder cannot be opened there.
    const file = openSync(folder, 'r');
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  },
  readText: (path) => readFileSync(path, 'utf8'),
  replaceText(path, text) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  },
};
