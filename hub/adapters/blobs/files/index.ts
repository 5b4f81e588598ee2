import { randomUUID } from 'node:crypto';
import { createReadStream, type Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { reasonOf } from '#sdk';
import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import { blobPath, blobProblems, demandPrefix, lastByteOf, type BlobFacts, type Blobs } from '../../../ports/blobs.ts';

const config = Type.Object({
  folder: Type.String({ description: 'Folder of the blobs; empty is blobs/ in the data folder.', default: '' }),
});

/** Behind a name's end, so that `a` may be a blob while `a/b` is one too. No word of a key has an `@`. */
const END = '@';
const MOST_A_PAGE = 1_000;

const isAbsent = (error: unknown): boolean => /^(ENOENT|ENOTDIR)$/.test((error as NodeJS.ErrnoException).code ?? '');

/** What a fault of the file system means; another error is handed on. */
function problemOf(error: unknown, folder: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (/^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM)$/.test(code ?? ''))
    return blobProblems.full(
      `The folder ${folder} cannot be written to (${reasonOf(error)}). Free some space, or let the hub's user write to it.`,
      { cause: error },
    );
  return error;
}

/** Makes a rename or a new folder outlast a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync().finally(() => handle.close());
}

/** Names of files below a folder in the order of their keys, beginning after `after`; each folder is read only when it is come to. */
async function* keysBelow(root: string, at: string, prefix: string, after: string): AsyncGenerator<string> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(root, at), { withFileTypes: true });
  } catch (error) {
    if (isAbsent(error)) return;
    throw error;
  }
  const names = entries.map((entry) =>
    entry.isDirectory() ? `${at}${entry.name}/` : `${at}${entry.name.slice(0, -END.length)}`,
  );
  // Keys are ASCII: the order of their units is that of their bytes. A folder's name ends with its slash, so it stands where its keys do.
  for (const name of names.sort()) {
    if (name.endsWith('/')) {
      const within = name.startsWith(prefix) || prefix.startsWith(name);
      if (within && (name > after || after.startsWith(name))) yield* keysBelow(root, name, prefix, after);
    } else if (name.startsWith(prefix) && name > after) yield name;
  }
}

/** Writes a stream aside, syncs it and puts it into its place; gives its bytes. */
async function writeAside(
  { root, aside, place }: { root: string; aside: string; place: string },
  bytes: Readable,
  signal: AbortSignal | undefined,
): Promise<number> {
  const draft = join(aside, randomUUID());
  try {
    const file = await open(draft, 'wx', 0o600);
    let size = 0;
    try {
      for await (const chunk of bytes) {
        signal?.throwIfAborted();
        await file.appendFile(chunk as Buffer);
        size += (chunk as Buffer).length;
      }
      signal?.throwIfAborted();
      await file.sync();
    } finally {
      await file.close();
    }
    await mkdir(dirname(place), { recursive: true });
    await rename(draft, place);
    await syncFolder(dirname(place));
    return size;
  } catch (error) {
    bytes.destroy();
    await rm(draft, { force: true });
    throw problemOf(error, root);
  }
}

/** Blobs as files below the data folder, each written aside, synced and renamed. */
export const fileBlobs = defineAdapter<Blobs, typeof config>({
  name: 'files',
  reach: 'process',
  config,
  create({ config: { folder }, dataFolder }) {
    const root = folder === '' ? join(dataFolder, 'blobs') : folder;
    const aside = join(root, '.aside');
    const placeOf = (org: string, key: string): string => `${join(root, blobPath(org, key))}${END}`;
    const factsOf = async (org: string, key: string): Promise<BlobFacts | undefined> => {
      try {
        const { size, mtimeMs } = await stat(placeOf(org, key));
        return { key, size, changedMs: Math.round(mtimeMs) };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    };
    const port: Blobs = {
      put: async (org, key, bytes, signal) => writeAside({ root, aside, place: placeOf(org, key) }, bytes, signal),
      async get(org, key, range) {
        const facts = await factsOf(org, key);
        if (facts === undefined) return undefined;
        if (range === undefined) return createReadStream(placeOf(org, key)) as Readable;
        const end = lastByteOf(range, facts.size);
        return createReadStream(placeOf(org, key), { start: range.from, end });
      },
      head: async (org, key) => factsOf(org, key),
      async list(org, prefix, page = {}) {
        demandPrefix(org, prefix);
        const limit = page.limit ?? MOST_A_PAGE;
        const blobs: BlobFacts[] = [];
        for await (const key of keysBelow(join(root, org), '', prefix, page.after ?? '')) {
          if (blobs.length === limit) return { blobs, next: blobs.at(-1)?.key ?? '' };
          const facts = await factsOf(org, key);
          if (facts !== undefined) blobs.push(facts);
        }
        return { blobs };
      },
      async delete(org, key) {
        try {
          await rm(placeOf(org, key), { force: true });
        } catch (error) {
          if (!isAbsent(error)) throw problemOf(error, root);
        }
      },
      async link(org, key) {
        blobPath(org, key);
        return Promise.resolve(undefined);
      },
    };
    return {
      port,
      async start() {
        try {
          // Uploads that a crash left.
          await rm(aside, { recursive: true, force: true });
          await mkdir(aside, { recursive: true, mode: 0o700 });
        } catch (error) {
          throw problemOf(error, root);
        }
      },
      check: async () => void (await stat(aside)),
    };
  },
});
