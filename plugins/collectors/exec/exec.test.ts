import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checkSettings, silentLogger, systemClock } from '#sdk';
import { exec } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-exec-'));
chmodSync(folder, 0o755); // Programs run as nobody where the tests run as root.
afterAll(() => rmSync(folder, { recursive: true }));

const program = (name: string, script: string): string => {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
};

async function collect(programs: readonly object[]): Promise<{ values: Record<string, number>; fault?: string }> {
  const faults: string[] = [];
  const config = checkSettings(exec.config, { programs }, faults);
  expect(faults).toEqual([]);
  const redact = (text: string): string => text.replaceAll('hunter2', '***');
  const collector = exec.create({ config, root: '/', clock: systemClock, log: silentLogger, redact });
  const values: Record<string, number> = {};
  const told = collector.collect((metric, value) => {
    values[typeof metric === 'string' ? metric : `${metric.kind} ${metric.name}`] = value;
  }, new AbortController().signal);
  return Promise.resolve(told).then(
    () => ({ values }),
    (error: unknown) => ({ values, fault: (error as Error).message }),
  );
}

test('takes line protocol and JSON of either form', async () => {
  const list =
    '[{"name":"jobs","value":9,"kind":"counter","attributes":{"queue":"a","shard":1}},{"name":"up","value":true}]';
  const { values, fault } = await collect([
    { name: 'lines', command: [program('lines', 'echo "queue,name=a depth=4i,full=f"')] },
    { name: 'list', format: 'json', command: [program('list', `echo '${list}'`)] },
    { name: 'object', format: 'json', command: [program('object', `printf '{"%s": 1.5}' "$1"`), 'load one'] },
  ]);
  expect(fault).toBeUndefined();
  expect(values).toEqual({
    'gauge queue_depth': 4, 'gauge queue_full': 0, 'counter jobs': 9, 'gauge up': 1, 'gauge load one': 1.5,
  }); // prettier-ignore
});

test('a program that fails says why without its secrets, and hurts no other', async () => {
  const { values, fault } = await collect([
    { name: 'bad', command: [program('bad', 'echo "password hunter2 refused" >&2; exit 4')] },
    { name: 'slow', timeout: 0.2, command: [program('slow', 'sleep 600')] },
    { name: 'wordy', maxBytes: 100, command: [program('wordy', 'yes')] },
    { name: 'relative', command: ['lines'] },
    { name: 'many', maxSeries: 2, command: [program('many', 'echo "m a=1,b=2,c=3"')] },
    { name: 'odd', command: [program('odd', 'echo "o x=1"; echo nonsense')] },
  ]);
  expect(values).toEqual({ 'gauge m_a': 1, 'gauge m_b': 2, 'gauge o_x': 1 });
  for (const reason of [
    'bad: it ended with 4: password *** refused',
    'did not end within 0.2 s',
    'printed more than 100 bytes',
    'relative: "lines" is no absolute path',
    'many: it told 3 values',
    'odd: what it printed cannot all be read: line 2: it has no field',
  ])
    expect(fault).toContain(reason);
});

test('programs run as an ordinary user, with the variables that the settings name', async () => {
  const path = program('who', 'printf \'{"uid": %s, "kept": %s}\' "$(id -u)" "${KEPT:-0}"');
  const { values } = await collect([{ name: 'who', format: 'json', command: [path], environment: { KEPT: '7' } }]);
  expect(values['gauge uid']).toBeGreaterThan(0);
  expect(values['gauge kept']).toBe(7);
});

test('settings that name no program or an unknown form are faults', () => {
  const faultsOf = (programs: unknown): string => {
    const faults: string[] = [];
    checkSettings(exec.config, { programs }, faults);
    return faults.join('\n');
  };
  expect(faultsOf([{ name: 'x', command: [] }])).toContain('programs.0.command');
  expect(faultsOf([{ name: 'x', command: ['/x'], format: 'xml' }])).toContain('programs.0.format');
  expect(faultsOf([{ name: 'x', command: ['/x'], shell: true }])).toContain('there is no "shell"');
});
