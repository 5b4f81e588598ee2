import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faultsOf } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadAgentSettings } from './load.ts';
import { settingFaults } from './setting-faults.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-faults-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const faultsIn = async (text: string): Promise<readonly string[]> => {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, text);
  const error: unknown = await loadAgentSettings({ file, env: {}, flags: {} }).catch((thrown: unknown) => thrown);
  return faultsOf(error).map((fault) => fault.replace(file, 'FILE'));
};

test('faults of form and of meaning are told at once, each with line and column', async () => {
  const faults = await faultsIn(`spool: { limit: 1 }
logs:
  - include: [/var/log/a.log]
    format: nonsense
    multiline: { mode: start, start: '(', flushSeconds: 0 }
    timezone: Mars/Olympus
    drop:
      - { rule: a, pattern: '(a+)+$', bellow: info }
      - { rule: b }
drop: [{ rule: 'no name', pattern: '[' }]
redact:
  secrets: maybe
  patterns:
    - { name: x, pattern: '*' }
link:
  transport: nats
  compression: bzip2
  nats: { servers: ['nats://hub.example.com'], key: k.pem }
`);
  const placed = faults.map((fault) => /^FILE:\d+:\d+: [\w.]+:/.exec(fault)?.[0] ?? fault);
  expect(placed).toEqual([
    'FILE:1:10: spool.limit:',
    'FILE:4:5: logs.0.format:',
    'FILE:5:31: logs.0.multiline.start:',
    'FILE:5:43: logs.0.multiline.flushSeconds:',
    'FILE:6:5: logs.0.timezone:',
    'FILE:8:20: logs.0.drop.0.pattern:',
    'FILE:8:39: logs.0.drop.0:',
    'FILE:9:9: logs.0.drop.1:',
    'FILE:10:10: drop.0.rule:',
    'FILE:10:27: drop.0.pattern:',
    'FILE:12:3: redact.secrets:',
    'FILE:14:18: redact.patterns.0.pattern:',
    'FILE:17:3: link.compression:',
    'FILE:18:3: link.nats:',
    'FILE:18:21: link.nats.servers.0:',
  ]);
  expect(faults.join('\n')).toContain('logs.0.multiline.start: /(/ is no regular expression: Unterminated group');
});

test('what no schema has seen is borne, of whatever type', () => {
  const odd = [undefined, null, 'x', 1, [], {}, [null], { nats: 1 }, { servers: [1] }, { patterns: [1, null] }];
  for (const value of odd)
    for (const key of ['logs', 'drop', 'redact', 'link', 'multiline'])
      expect(() => settingFaults({ [key]: value, logs: [{ [key]: value }] })).not.toThrow();
  expect(() => settingFaults(undefined)).not.toThrow();
  expect(settingFaults({ link: { transport: 'nats', nats: { servers: 'x' } } })).toEqual([]);
  expect(settingFaults({ link: { transport: 'nats', nats: {} } })).toEqual([expect.stringContaining('is missing')]);
});
