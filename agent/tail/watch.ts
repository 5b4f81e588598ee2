import { existsSync } from 'node:fs';
import type { FSWatcher } from 'chokidar';
import { reasonOf } from '#sdk';
import type { GlobMatcher } from './globs.ts';

/** Calls `notice` when something happens to a file that fits. Folders that do not exist yet are left to the poll. */
export async function watchFiles(
  matchers: readonly GlobMatcher[],
  notice: () => void,
  failed: (reason: string) => void,
): Promise<FSWatcher> {
  const { watch } = await import('chokidar');
  const bases = matchers.flatMap(({ bases: own }) => own);
  const folders = [...new Set(bases.map(({ folder }) => folder))].filter((folder) => existsSync(folder));
  const watcher = watch(folders, {
    ignoreInitial: true,
    persistent: false,
    depth: Math.max(0, ...bases.map(({ depth }) => depth)),
    // Without this, each file of a folder would take a watch of its own.
    ignored: (path, stats) => stats?.isFile() === true && !matchers.some(({ matches }) => matches(path)),
  });
  watcher.on('all', notice);
  watcher.on('error', (error) => failed(reasonOf(error)));
  return watcher;
}
