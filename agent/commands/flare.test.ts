import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '#kit/authority.ts';
import { loadSettings } from '#sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { agentSchema, type AgentSettings } from '../config.ts';
import { keepIdentity } from '../link/identity.ts';
import { writeFlare } from './flare.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-flare-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function unpack(path: string): string {
  const into = join(folder, 'unpacked');
  mkdirSync(into);
  execFileSync('tar', ['xzf', path, '-C', into]);
  return into;
}

test('a flare holds what support needs, and neither secrets nor keys', async () => {
  const data = join(folder, 'data');
  const authority = await createTestAuthority();
  const { key, certificate } = await authority.agent('agent-1');
  keepIdentity(data, { agentId: 'agent-1', link: 'hub.example.com:4320', ca: authority.ca, key, certificate });
  mkdirSync(join(data, 'log'));
  writeFileSync(join(data, 'log', 'agent.log'), '{"msg":"scrape of http://root:hunter2@db failed"}\n');
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, `data: ${data}\nlabels: { api_key: hunter2, role: web }\n`);
  const schema = agentSchema(await collectorsFor(process.platform));
  const settings = loadSettings(schema, { file, env: {}, flags: {} }) as AgentSettings;
  const out = join(folder, 'flare.tar.gz');
  const loaded = { settings, file, unknown: [] };
  const given = { dataFolder: data, loaded, faults: [], out, nowMs: Date.now(), flags: {} };
  mkdirSync(join(data, 'spool'));
  const told = await writeFlare({ ...given, env: { OUTRIDER_SECRET: 'hunter2', HOME: '/x' } });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  const into = unpack(out);
  const read = (name: string): string => readFileSync(join(into, name), 'utf8');
  expect(spawnSync('grep', ['-rlE', 'hunter2|BEGIN', into]).stdout.toString()).toBe('');
  expect(read('log/agent.log')).toContain('http://root:***@db');
  expect(read('outrider-agent.yaml')).toContain('role: web');
  expect(JSON.parse(read('machine.json'))).toMatchObject({ variables: ['OUTRIDER_SECRET'] });
  expect(JSON.parse(read('collected.json'))).toContainEqual(expect.objectContaining({ name: 'system.uptime' }));
  expect(read('files.txt')).toContain('identity/agent.json');
  expect(read('print-config.txt')).toMatch(/^labels +.*\n/m);
  expect(read('spool.txt')).toContain('quarantine    empty');
  expect(told).toContain(out);
  await expect(writeFlare({ ...given, env: {} })).rejects.toThrow(/--out/);
});

test('with settings that are faulty and an agent that never ran, it says so outside and inside, and holds the rest', async () => {
  const out = join(folder, 'flare.tar.gz');
  const faults = ['agent.yaml:3:1: logs: must be array', 'agent.yaml:4:1: drop: must be array'];
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, 'labels: { api_key: hunter2, role: web }\nlogs: 1\n');
  const schema = agentSchema(await collectorsFor(process.platform));
  const settings = loadSettings(schema, { env: {}, flags: {} }) as AgentSettings;
  const loaded = { settings, file, unknown: [] };
  const dataFolder = join(folder, 'none');
  const told = await writeFlare({ dataFolder, loaded, faults, out, nowMs: Date.now(), env: {}, flags: {} });
  const into = unpack(out);
  const read = (name: string): string => readFileSync(join(into, name), 'utf8');
  for (const text of [told, read('READ-ME-FIRST.txt')]) {
    expect(text).toContain(`NO agent is running with the data folder ${dataFolder}, and none ever has`);
    expect(text).toContain(`no agent starts with ${file}, which has 2 faults\n${faults.join('\n')}\n`);
  }
  expect(read('check-config.txt')).toBe(`not to be had: ${faults.join('\n')}\n`);
  expect(read('outrider-agent.yaml')).toMatch(/role: web[^]*logs: 1/);
  expect(read('machine.json')).toContain(process.version);
});
