import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKOUT } from './layers.ts';
import { shapeFaults, type TreeFile } from './shapes.ts';

function checkoutFiles(): TreeFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: CHECKOUT,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => path !== '' && existsSync(join(CHECKOUT, path)))
    .map((path) => ({
      path,
      lines: /\.(ts|tsx|js|mjs|css)$/.test(path) ? readFileSync(join(CHECKOUT, path), 'utf8').split('\n').length : 0,
    }));
}

test('every file of the checkout lies where its kind lies and is named for what it does', () => {
  expect(shapeFaults(checkoutFiles())).toEqual([]);
});

test.each([
  ['an unknown folder at the top', 'scripts/run.ts', 'the top level is fixed'],
  ['a name that says nothing', 'hub/services/users/helpers.ts', 'the name says nothing'],
  ['a name in capitals', 'agent/TailFile.ts', 'kebab-case'],
  ['an unknown kind of file in a service', 'hub/services/users/notes.txt', 'has no file of this name'],
  ['an unknown kind of file in a collector', 'plugins/collectors/cpu/fixture.json', 'has no file of this name'],
])('refuses %s', (_what, path, fault) => {
  expect(shapeFaults([{ path, lines: 10 }]).join('\n')).toContain(fault);
});

test('refuses a file that is too long to hold in the head', () => {
  expect(shapeFaults([{ path: 'agent/tail.ts', lines: 501 }]).join('\n')).toContain('501 lines');
  expect(shapeFaults([{ path: 'agent/tail.ts', lines: 500 }])).toEqual([]);
});

test('refuses a service without a door', () => {
  expect(shapeFaults([{ path: 'hub/services/users/store.ts', lines: 10 }]).join('\n')).toContain(
    'hub/services/users/index.ts: every service has one',
  );
});

test('refuses a collector without a page, and says what writes it', () => {
  expect(shapeFaults([{ path: 'plugins/collectors/fan/index.ts', lines: 10 }])).toEqual([
    'plugins/collectors/fan/README.md: every collector has one: run make docs, which writes it',
  ]);
});
