import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '#kit/authority.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keepIdentity } from '../link/identity.ts';
import { createSources } from '../sources.ts';
import { describeStatus } from './status.ts';

let folder = '';
const NOW = Date.UTC(2026, 0, 31, 12);
const FAULTS = ['agent.yaml:3:1: logs: must be a list', 'agent.yaml:9:3: link.nats.servers: is missing'];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-status-'));
  const authority = await createTestAuthority();
  const { key, certificate } = await authority.agent('agent-1');
  keepIdentity(folder, { agentId: 'agent-1', link: 'hub:4320', ca: authority.ca, key, certificate });
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(settings: object, running = true, detection: object | null = null): void {
  const status = {
    ...{ running, pid: process.pid, writtenMs: NOW, connected: true, hub: 'hub:4320', agentId: 'agent-1' },
    ...{ files: [], spoolBytes: 0, skewMs: 0, linesRead: 0, linesCarried: 0, linesSpooled: 0 },
    ...{ linesWaiting: 0, linesAcknowledged: 0, linesLost: 0, lastAckMs: NOW, settings, detection },
  };
  writeFileSync(join(folder, 'status.json'), JSON.stringify(status));
}

test('a file that is faulty is said not to be what runs, with each of its faults in a row', () => {
  write({ file: 'agent.yaml', sinceMs: NOW, faults: FAULTS, awaitRestart: [] });
  const { text, running, isInForce } = describeStatus(folder, { json: false, nowMs: NOW });
  expect([running, isInForce]).toEqual([true, false]);
  expect(text).toContain(
    [
      'settings      agent.yaml on the disk is NOT what runs: it has 2 faults, and the agent goes on with what it read at 2026-01-31T12:00:00Z',
      ...FAULTS.map((fault) => `              ${fault}`),
      '',
    ].join('\n'),
  );
  const json = JSON.parse(describeStatus(folder, { json: true, nowMs: NOW }).text) as object;
  expect(json).toMatchObject({ running: true, settings: { faults: FAULTS } });
});

test('where no agent runs, the file as it is now counts: no agent starts with it', () => {
  const now = { file: 'agent.yaml', faults: FAULTS };
  const never = describeStatus(folder, { json: false, nowMs: NOW, now });
  expect(never.isInForce).toBe(false);
  expect(never.text).toContain(`no agent starts with agent.yaml, which has 2 faults\n              ${FAULTS[0]}`);
  write({ file: 'agent.yaml', sinceMs: NOW, faults: [], awaitRestart: [] }, false);
  expect(describeStatus(folder, { json: false, nowMs: NOW, now }).text).toContain('no agent starts with');
});

test('what an agent of an older version wrote down is understood', () => {
  write({ file: 'agent.yaml', sinceMs: NOW, awaitRestart: ['spool'] });
  const { text, isInForce } = describeStatus(folder, { json: false, nowMs: NOW });
  expect(isInForce).toBe(true);
  expect(text).toContain('agent.yaml; await a restart: spool');
});

test('commands that look find the data folder that a faulty file names, and its faults', async () => {
  const file = join(folder, 'agent.yaml');
  mkdirSync(join(folder, 'other'));
  writeFileSync(file, `data: ${join(folder, 'other')}\nlogs: 1\nspool: { limit: x }\n`);
  const { tolerant, load } = createSources({});
  const { loaded, faults } = await tolerant({ config: file });
  expect(loaded).toMatchObject({ file, settings: { data: join(folder, 'other') } });
  expect(faults).toHaveLength(2);
  await expect(load({ config: file })).rejects.toThrow(/logs/);
});

const OWN = { phase: 'aside', rows: 0, of: 8640, progress: 0, dueMs: 0, problem: '' };
test.each([
  [
    { judge: { alias: 'champion', version: 'v3', createdMs: NOW }, shadow: { alias: 'shadow', version: 'v4', createdMs: NOW }, own: OWN },
    ['v3 of 2026-01-31, given by the hub, judges; v4 of 2026-01-31 only looks on'],
  ],
  [
    { judge: null, shadow: null, own: { ...OWN, phase: 'gathering', rows: 1200 }, problems: ['it is too long'] },
    ['no model judges yet; 1200 of 8640 windows are gathered to learn a model from', 'one of the hub’s is not used: it is too long'],
  ],
  [
    { judge: { alias: 'own', version: 'own-1', createdMs: NOW }, shadow: null, own: { ...OWN, phase: 'resting', dueMs: NOW + 7 * 86_400_000 } },
    ['own-1 of 2026-01-31, learnt here, judges; the next one is learnt from 2026-02-07 on'],
  ],
  [
    { judge: null, shadow: null, own: { ...OWN, phase: 'training', progress: 0.42, problem: 'no room' } },
    ['no model judges yet; a model is learnt now (42 %); the last attempt failed: no room'],
  ],
  [
    { judge: null, shadow: null, own: { ...OWN, phase: 'impossible' } },
    ['no model judges yet; none is learnt here: this agent runs from source, without the program that learns one'],
  ],
])('which model judges, of when, and how far the next one is, is told', (models, rows) => {
  const detection = { series: 40, templates: 3, score: 0.1, openSinceMs: null, moved: 0, models: { problems: [], ...models } };
  write({ file: 'agent.yaml', sinceMs: NOW, faults: [], awaitRestart: [] }, true, detection);
  const { text } = describeStatus(folder, { json: false, nowMs: NOW });
  expect(text).toContain(rows.map((row, n) => `${n === 0 ? 'models       ' : '             '} ${row}\n`).join(''));
  const json = JSON.parse(describeStatus(folder, { json: true, nowMs: NOW }).text) as { detection: unknown };
  expect(json.detection).toEqual(detection);
}); // prettier-ignore
