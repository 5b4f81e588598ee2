import { existsSync, statSync, truncateSync } from 'node:fs';
import { diskFiles, type SpoolFiles, type WritableFile } from '../../agent/spool/files.ts';

/** How a write fails: the disk is full at once or after some bytes, the sync finds an error, or the disk is read-only by now. */
export const FAULTS = ['full', 'short', 'late', 'read-only'] as const;
export type Fault = (typeof FAULTS)[number];

const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

/** Files on a disk that fails when told to, and that forgets what was not synced when its power goes. Nothing is really synced: it is for speed. */
export interface FaultyFiles extends SpoolFiles {
  /** From now on writes fail so; undefined: no more. */
  fail(fault: Fault | undefined): void;
  /** The power goes: of what was not synced, this share stays. */
  losePower(share: number): Promise<void>;
}

/** Makes such files. */
export function createFaultyFiles(): FaultyFiles {
  let fault: Fault | undefined;
  /** Bytes of each file that are synced. */
  const synced = new Map<string, number>();
  const opened = new Set<WritableFile>();
  const demandWritable = (): void => {
    if (fault === 'read-only') throw failure('EROFS');
  };
  const wrap = (path: string, file: WritableFile): WritableFile => {
    let length = 0;
    opened.add(file);
    return {
      async write(bytes, position) {
        demandWritable();
        if (fault === 'full') throw failure('ENOSPC');
        // A disk that is nearly full takes a part, and then nothing.
        const some = fault === 'short' ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes;
        if (some.length === 0) throw failure('ENOSPC');
        const written = await file.write(some, position);
        length = Math.max(length, position + written);
        return written;
      },
      sync() {
        if (fault === 'late') return Promise.reject(failure('EIO'));
        synced.set(path, length);
        return Promise.resolve();
      },
      async truncate(to) {
        demandWritable();
        if (fault === 'late') throw failure('EIO');
        await file.truncate(to);
        length = to;
      },
      close() {
        opened.delete(file);
        return file.close();
      },
    };
  };
  return {
    ...diskFiles,
    async create(path) {
      demandWritable();
      if (fault === 'full') throw failure('ENOSPC');
      synced.set(path, 0);
      return wrap(path, await diskFiles.create(path));
    },
    remove(path) {
      demandWritable();
      synced.delete(path);
      diskFiles.remove(path);
    },
    truncate(path, length) {
      demandWritable();
      truncateSync(path, length);
      synced.set(path, length);
    },
    syncFolder: demandWritable,
    replaceText(path, text) {
      demandWritable();
      if (fault === 'full') throw failure('ENOSPC');
      diskFiles.replaceText(path, text);
    },
    fail: (next) => void (fault = next),
    async losePower(share) {
      for (const file of opened) await file.close();
      opened.clear();
      for (const [path, safe] of synced) {
        if (!existsSync(path)) continue;
        const { size } = statSync(path);
        if (size > safe) truncateSync(path, safe + Math.floor((size - safe) * share));
      }
    },
  };
}
