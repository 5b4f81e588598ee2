import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentSchema, type AgentSettings } from '../config.ts';
import { describeTests, runTests } from './test.ts';

const settings = loadSettings(agentSchema([]), { env: {}, flags: {} }) as AgentSettings;
let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));
function file(text: string): string {
  const path = join(folder, 'tests.yaml');
  writeFileSync(path, text);
  return path;
}

test('the example passes', () => {
  const example = join(import.meta.dirname, '..', '..', 'deploy', 'agent-log-tests.yaml');
  expect(describeTests(runTests(settings, [example]))).toMatch(/3 passed\n$/);
});

test('what differs is said, fact by fact', () => {
  writeFileSync(join(folder, 'lines.txt'), 'INFO token=abc\nWARN x\n');
  const path = file(`
tests:
  - name: levels
    now: 2026-01-31T12:00:00Z
    inputFile: lines.txt
    expect:
      - { text: INFO token=abc, level: error, redacted: [named-secret] }
`);
  expect(describeTests(runTests(settings, [path]))).toBe(`FAILED levels (${path}:3)
  2 events came, 1 are expected
  event 1: text
    - "INFO token=abc"
    + "INFO token=***"
  event 1: level
    - "error"
    + "info"
  event 2 is one too many: ${JSON.stringify(runTests(settings, [path])[0]?.events[1])}
1 of 1 failed
`);
});

test('an event that a rule drops must be expected to be dropped', () => {
  const path = file(`
tests:
  - name: debug
    settings: { drop: [{ rule: debug, below: info }] }
    input: DEBUG x
    expect: [{ text: DEBUG x }]
`);
  expect(runTests(settings, [path])[0]).toMatchObject({ passed: false });
});

test('faults of a test file are told together', () => {
  const path = file(`
tests:
  - { name: a, expect: [] }
  - { name: b, input: x, now: later, expect: [] }
  - { name: c, input: x, settings: { multiline: { mode: start, start: '(a+)+$' } }, expect: [] }
  - { name: d, inputFile: nowhere.txt, expect: [] }
`);
  expect(() => runTests(settings, [path])).toThrow(
    /yaml:3:5: tests\.0: has no input; .*\n.*yaml:4:\d+: tests\.1\.now: is no time.*\n.*yaml:5:\d+: tests\.2\.settings\.multiline\.start: .* takes too long.*\n.*yaml:6:\d+: tests\.3\.inputFile: .*nowhere\.txt is not there$/,
  );
  const misspelt = 'tests:\n  - name: a\n    input: x\n    expct: []\n    expect: [{ level: warning }]\n';
  expect(() => runTests(settings, [file(misspelt)])).toThrow(
    /yaml:4:5: tests\.0: there is no "expct" here; is "expect" meant\?\n.*yaml:5:\d+: tests\.0\.expect\.0\.level: must be .*; is warn meant\?$/,
  );
  expect(() => runTests(settings, [join(folder, 'none.yaml')])).toThrow(/none\.yaml: there is no such file$/);
  expect(() => runTests(settings, [file('tests: []')])).toThrow(/tests/);
});
