import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planFor, planSettings } from './assemble.ts';
import { settingFaults } from './config.ts';

let folder = '';
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'outrider-hub-config-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ['listen', { listen: '999.1.1.1' }],
  ['listen', { listen: 'two words' }],
  ['port', { port: 4320, ingest: { port: 4320 } }],
  ['tls.key', { tls: { certificate: '/nope', key: '', plain: false } }],
  ['tls.certificate', { tls: { certificate: '', key: '/nope', plain: false } }],
  ['tls.certificate', { tls: { certificate: '/nope', key: import.meta.filename, plain: false } }],
  ['tls', { tls: { certificate: import.meta.filename, key: import.meta.filename, plain: false } }],
  ['egress.allow', { egress: { allow: ['10.0.0.0/8', '10.0.0.0/99'] } }],
])('a fault of %s is one sentence: %j', (place, settings) => {
  const faults = settingFaults(settings);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(new RegExp(`^${place}: `));
});

test.each([
  { listen: '::1' },
  { listen: 'localhost' },
  { listen: 'web-1.example.org' },
  { port: 0, ingest: { port: 0 } },
  { egress: { allow: ['10.0.0.0/8', 'fd00::/8'] } },
])('%j is no fault', (settings) => {
  expect(settingFaults(settings)).toEqual([]);
});

/** The place and the setting of each fault of a file, and the words in which they are told. */
async function faultsOf(...lines: string[]): Promise<{ places: string[]; message: string }> {
  const file = join(folder, 'outrider-hub.yaml');
  writeFileSync(file, lines.join('\n'));
  const sources = { file, env: {}, flags: {} };
  try {
    planSettings(await planFor('all', sources), sources);
  } catch (error) {
    const { message } = error as Error;
    const told = message.split('\n').map((line) => line.slice(file.length + 1)); // 4:8: log.level: …
    return { places: told.map((line) => line.split(': ', 2).join(' ')), message };
  }
  return { places: [], message: '' };
}

test('faults of single settings, of settings against each other and of an adapter stand in one list', async () => {
  const { places, message } = await faultsOf(
    'port: 8080',
    'ingest: { port: 8080 }',
    'log: { level: loud }',
    'gateway: { burst: 1.5 }',
    'listen: 999.1.1.1',
    'relational: { adapter: postgres, url: "mysql://me:secret@host/db" }',
  );
  expect(places.sort()).toEqual([
    '1:1 port',
    '3:8 log.level',
    '4:12 gateway.burst',
    '5:1 listen',
    '6:34 relational.url',
  ]);
  expect(message).not.toContain('secret');
});

test('an adapter that does not exist hides no other fault, and its settings are none', async () => {
  const { places } = await faultsOf(
    'listen: 999.1.1.1',
    'relational: { adapter: postgress, url: "postgres://host/db" }',
  );
  expect(places.sort()).toEqual(['1:1 listen', '2:15 relational.adapter']);
});

test('a text that is no YAML is told with its place', async () => {
  expect((await faultsOf('listen: [')).message).toMatch(/outrider-hub\.yaml:1:\d+: /);
});

test('servers of NATS that are no addresses are refused in plain words, for agents and for the bus', async () => {
  const { message } = await faultsOf(
    'ingest: { nats: { servers: [foo] } }',
    'bus: { adapter: nats, servers: [foo] }',
    'logs: { days: -1 }',
  );
  expect(message).toMatch(/ingest\.nats\.servers\.0: must be an address like tls:\/\/host:4222/);
  expect(message).toMatch(/bus\.servers\.0: must be an address like nats:\/\/host:4222/);
  expect(message).toMatch(/logs\.days: must be (at least|more than) \S+, and is -1/);
});
