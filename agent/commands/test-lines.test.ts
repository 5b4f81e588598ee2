import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentSchema, type AgentSettings } from '../config.ts';
import { describeLines, runLines } from './test-lines.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-lines-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const loadedWith = (tree: object) => ({
  settings: loadSettings(agentSchema([]), { env: {}, flags: { ...tree } }) as AgentSettings,
  file: undefined,
});

test('a plain log is called one, with the entry that it went through and what became of its lines', () => {
  const path = join(folder, 'app.log');
  writeFileSync(path, '2026-01-31T12:00:00Z INFO token=abc\n2026-01-31T12:00:01Z DEBUG x: y\n');
  const drop = [{ rule: 'quiet', below: 'info' }];
  const text = describeLines(runLines(loadedWith({ logs: [{ include: [path], drop }] }), [path]), false);
  expect(text).toContain(`${path} is a plain log and no test file: nothing is compared.\n`);
  expect(text).toContain('through logs.0 (a default); 2 events came, 1 of them are dropped by a rule:\n');
  expect(text).toMatch(/^ {2}\S+Z info {4}2026-01-31T12:00:00Z INFO token=\*\*\*$/m);
  expect(text).toContain('[dropped by quiet] ');
  const elsewhere = loadedWith({ logs: [{ include: ['/elsewhere'] }] });
  expect(describeLines(runLines(elsewhere, [path]), false)).toContain(
    'the defaults, because no entry of logs names it',
  );
});

test('a file that holds tests is one of tests, whatever its name, and so is one that is named so', () => {
  const path = join(folder, 'cases');
  writeFileSync(path, 'tests:\n  - { name: a, input: x, expect: [{ text: x }] }\n');
  expect(describeLines(runLines(loadedWith({}), [path]), false)).toBe('ok     a\n1 passed\n');
  const yaml = join(folder, 'cases.yaml');
  writeFileSync(yaml, 'nonsense\n');
  expect(() => runLines(loadedWith({}), [yaml])).toThrow(/must hold settings/);
  expect(() => runLines(loadedWith({}), [join(folder, 'none.log')])).toThrow(/none\.log is not there/);
});
