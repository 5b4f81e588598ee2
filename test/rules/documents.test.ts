import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { Type } from 'typebox';
import { generatedDocuments, settingsTable } from './documents.ts';
import { CHECKOUT } from './layers.ts';

test('settings tables and the types of the web API are what make docs would write', { timeout: 180_000 }, async () => {
  const stale = (await generatedDocuments())
    .filter(
      ({ path, text }) => !existsSync(join(CHECKOUT, path)) || readFileSync(join(CHECKOUT, path), 'utf8') !== text,
    )
    .map(({ path }) => `${path}: run make docs`);
  expect(stale).toEqual([]);
});

test('a setting without a description is refused', () => {
  expect(() => settingsTable([{ path: ['quiet'], schema: Type.Boolean() }], 'x')).toThrow('quiet');
});

/** Paths that a text names between backticks: with a folder in them, and an ending or a closing slash. */
function namedPaths(text: string): string[] {
  return [...text.matchAll(/`([\w.-]+\/[\w./-]*(?:\/|\.(?:ts|tsx|css|md|mjs|yaml|proto|service)))`/g)].map(
    ([, path]) => path ?? '',
  );
}

test('every path that a README names exists', () => {
  const files = execFileSync('git', ['ls-files', '*.md'], { cwd: CHECKOUT, encoding: 'utf8' }).split('\n');
  const lost = files
    .filter((file) => file !== '' && existsSync(join(CHECKOUT, file)))
    .flatMap((file) =>
      namedPaths(readFileSync(join(CHECKOUT, file), 'utf8'))
        .filter((path) => !path.startsWith('/') && !path.startsWith('dist/') && !path.startsWith('node_modules/'))
        .filter((path) => ![path, join(dirname(file), path)].some((one) => existsSync(join(CHECKOUT, normalize(one)))))
        .map((path) => `${file}: ${path}`),
    );
  expect(lost).toEqual([]);
});
