import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, startProgram, until, type Api, type Program } from '#kit/programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const GROUPS = '/api/v1/agents/settings/groups';

interface Group {
  id: string;
  newest: { revision: number; stage: string; haltedBecause: string } | null;
  states: Record<string, number>;
}

let folder = '';
let data = '';
let hub: RunningHub;
let api: Api;
let agent: Program;
let group = '';

const startAgent = (): Program =>
  startProgram('agent', ['run', '--quiet', '--data', data, '--config', join(folder, 'agent.yaml')]);
const statusOf = async () =>
  JSON.parse((await runProgram('agent', ['status', '--json', '--data', data])).output) as {
    pid: number;
    connected: boolean;
    pushed: { revision: string; state: string; problem: string } | null;
  };
const kept = () => JSON.parse(readFileSync(join(data, 'pushed', 'settings.json'), 'utf8')) as Record<string, unknown>;
const groupNow = async (): Promise<Group> => {
  const { items } = await api.call<{ items: Group[] }>('GET', GROUPS);
  const found = items.find(({ id }) => id === group);
  if (found === undefined) throw new Error('the group is gone');
  return found;
};
const push = (settings: object) => api.call<{ revision: number }>('POST', `${GROUPS}/${group}/revisions`, { settings });
const untilState = (state: string) =>
  until(
    `the agent is seen ${state}`,
    async () => ((await groupNow()).states[state] === 1 ? groupNow() : undefined),
    120,
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-pushed-'));
  data = join(folder, 'agent');
  writeFileSync(
    join(folder, 'agent.yaml'),
    `ownLog: false
logs: []
pushed: { trialSeconds: 30 }
`,
  );
  hub = await startHubProgram();
  const { output: token } = await runProgram('hub', ['token', 'create', '--label', 'role=web', '--data', hub.data]);
  await runProgram('agent', ['enroll', '--data', data], { input: token });
  agent = startAgent();
  api = await signInFirst(hub);
  await until('the agent is connected', async () => (await statusOf()).connected || undefined, 60);
  ({ id: group } = await api.call<{ id: string }>('POST', GROUPS, { name: 'web', labels: { role: 'web' } }));
});
afterAll(async () => {
  await agent?.stop();
  await hub?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

test('an interval that is pushed is taken into use, tried out, kept, and named where a person looks', async () => {
  const { revision } = await push({ collectors: { cpu: { interval: 10 } }, log: { level: 'debug' } });
  await untilState('trying');
  const { output } = await runProgram('agent', [
    'print-config',
    '--data',
    data,
    '--config',
    join(folder, 'agent.yaml'),
  ]);
  expect(output).toMatch(new RegExp(`collectors\\.cpu\\.interval +10 +revision ${revision} of the hub`));
  expect((await untilState('applied')).newest?.stage).toBe('all');
  const isTold = async () => (await statusOf()).pushed?.state === 'applied' || undefined;
  await until('the status says so', isTold, 60);
  expect((await statusOf()).pushed).toMatchObject({ revision: String(revision) });
});

test('an agent that its hub hears no more of once settings are in force takes them back by itself, and says so when the hub is there again', async () => {
  const before = kept()['proven'];
  await push({ collectors: { memory: { interval: 10 } } });
  await untilState('trying');
  await hub.program.kill();
  await until('the agent takes them back', () => kept()['trial'] === undefined || undefined, 120);
  expect(kept()['proven']).toEqual(before);
  await hub.restart();
  api = await signInFirst(hub);
  const { newest } = await untilState('rolled-back');
  expect(newest).toMatchObject({ stage: 'halted' });
  expect(newest?.haltedBecause).toMatch(/took it back: the hub acknowledged no batch lately/);
});

test('an agent that is killed right after settings came goes on with their trial; killed twice it goes back by itself', async () => {
  const before = kept()['proven'];
  const { revision } = await push({ collectors: { cpu: { interval: 5 } } });
  await until('they lie on the disk', () => kept()['trial'] !== undefined || undefined, 60);
  await agent.kill();
  agent = startAgent();
  await untilState('applied');
  expect((kept()['proven'] as { revision: string }).revision).toBe(String(revision));
  await push({ collectors: { cpu: { interval: 7 } } });
  await until('they lie on the disk', () => kept()['trial'] !== undefined || undefined, 60);
  for (let n = 0; n < 2; n++) {
    await agent.kill();
    agent = startAgent();
    const { pid } = agent.child;
    await until('the agent runs again', async () => (await statusOf()).pid === pid || undefined, 60);
  }
  expect((await untilState('rolled-back')).newest?.haltedBecause).toMatch(/ended 2 times/);
  expect(kept()['proven']).not.toEqual(before);
  expect((kept()['proven'] as { revision: string }).revision).toBe(String(revision));
});
