import type { AddressInfo } from 'node:net';
import { createManualClock } from '#kit/manual-clock.ts';
import { freePort, until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { enrolSimulated, openSettingsAgent } from '#kit/simulated-agent.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { SettingsState } from '#proto/agent/v1/index.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceDefinition } from '../../../service.ts';
import { logs } from '../../logs/index.ts';
import { monitoring } from '../../monitoring/index.ts';
import { ingest } from '../index.ts';

const API = '/api/v1/agents';
const GROUPS = `${API}/settings/groups`;
const SLOW = { collectors: { cpu: { interval: 10 } } };
const QUIET = { log: { level: 'error' } };

let stores: Stores;
let hub: StartedUsers;
let admin: SignedInPerson;
let base = '';
let port = 0;
const open: { close(): void }[] = [];

beforeAll(async () => {
  stores = await startStores();
  port = await freePort();
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: ingest as unknown as ServiceDefinition, prefixes: [API], config: { port } },
  ];
  const { series, logstore } = stores;
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports: { series, logstore } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  admin = await hub.outsider();
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
});

const call = (method: string, path: string, body?: unknown, by = admin) =>
  hub.call(method as 'GET', path, { token: by.token, ...(body === undefined ? {} : { body: body as object }) });
async function newGroup(labels: Record<string, string> = {}, name = 'web'): Promise<string> {
  const { status, body } = await call('POST', GROUPS, { name, labels });
  expect(status, JSON.stringify(body)).toBe(201);
  return String(body['id']);
}
async function push(group: string, settings: object, more: object = {}): Promise<number> {
  const { status, body } = await call('POST', `${GROUPS}/${group}/revisions`, { settings, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
  return Number(body['revision']);
}
const groupOf = async (id: string) => {
  const { body } = await call('GET', GROUPS);
  return (
    body['items'] as { id: string; newest: Record<string, unknown> | null; states: Record<string, number> }[]
  ).find((one) => one.id === id);
};
const statesOf = async (id: string): Promise<Record<string, unknown>> => {
  const { body } = await call('GET', `${GROUPS}/${id}/agents`);
  return Object.fromEntries((body['items'] as Record<string, unknown>[]).map((one) => [one['hostname'], one['state']]));
};

/** An agent that says what a test wants of the settings that it gets. */
async function newAgent(hostname: string, labels: Record<string, string> = {}) {
  const { body } = await call('POST', `${API}/tokens`, { labels });
  const identity = await enrolSimulated(base, String(body['token']), hostname);
  const connect = async () => {
    const agent = await openSettingsAgent({ ...identity, link: `127.0.0.1:${port}` });
    open.push(agent);
    /** The nth settings that it gets; the clock of the hub goes on meanwhile. */
    const get = (nth = 0) =>
      until('the hub pushes settings', async () => {
        await hub.clock.advance(3000);
        return agent.pushed[nth];
      });
    return { ...agent, get };
  };
  return { id: identity.agentId, connect };
}

describe('settings for a group', () => {
  test('go to one agent first, to the others once it is well, and to one that comes later at once', async () => {
    const [a, b] = [await newAgent('a', { role: 'web' }), await newAgent('b', { role: 'web' })];
    const [first, second] = [await a.connect(), await b.connect()];
    const group = await newGroup({ role: 'web' });
    const revision = await push(group, SLOW);
    const got = await first.get();
    expect([got.revision, JSON.parse(got.document)]).toEqual([BigInt(revision), SLOW]);
    first.say(got, SettingsState.TRYING);
    await until('it is seen to try', async () => (await statesOf(group))['a'] === 'trying' || undefined);
    expect([await statesOf(group), second.pushed]).toEqual([{ a: 'trying', b: 'waiting' }, []]);
    first.say(got, SettingsState.APPLIED);
    second.say(await second.get(), SettingsState.APPLIED);
    await until('all have it', async () => (await groupOf(group))?.states['applied'] === 2 || undefined);
    expect((await groupOf(group))?.newest).toMatchObject({ stage: 'all', by: admin.username, settings: SLOW });
    const late = await (await newAgent('c', { role: 'web' })).connect();
    expect((await late.get()).revision).toBe(BigInt(revision));
  });

  test('stop when an agent takes them back, and who waits keeps what it has', async () => {
    const agents = await Promise.all(['a', 'b'].map(async (name) => (await newAgent(name)).connect()));
    const [first, second] = agents as [(typeof agents)[0], (typeof agents)[0]];
    const group = await newGroup();
    await push(group, SLOW);
    const got = await first.get();
    first.say(got, SettingsState.ROLLED_BACK, ['pushed.unwell', 'the collector cpu fails']);
    await until('it halts', async () => (await groupOf(group))?.newest?.['stage'] === 'halted' || undefined);
    expect((await groupOf(group))?.newest?.['haltedBecause']).toBe('a took it back: the collector cpu fails');
    await hub.clock.advance(60_000);
    expect([await statesOf(group), second.pushed]).toEqual([{ a: 'rolled-back', b: 'kept' }, []]);
  });

  test('come back to what held before with an undo, for all at once, and only once', async () => {
    const agent = await (await newAgent('a')).connect();
    const group = await newGroup();
    const first = await push(group, SLOW, { canaries: 0 });
    agent.say(await agent.get(0), SettingsState.APPLIED);
    await until('it has them', async () => (await statesOf(group))['a'] === 'applied' || undefined); // Else they are sent again.
    const second = await push(group, QUIET, { canaries: 0 });
    agent.say(await agent.get(1), SettingsState.APPLIED);
    await until('it has them', async () => (await statesOf(group))['a'] === 'applied' || undefined);
    const undo = (revision: number) => call('POST', `${GROUPS}/${group}/undo`, { revision });
    const undone = await undo(second);
    expect([undone.status, undone.body['settings'], undone.body['restores']]).toEqual([201, SLOW, first]);
    expect(JSON.parse((await agent.get(2)).document)).toEqual(SLOW);
    expect((await undo(second)).status).toBe(409);
    const all = await undo(Number(undone.body['revision']));
    expect([all.status, all.body['settings'], all.body['restores']]).toEqual([201, {}, 0]);
    expect((await undo(Number(all.body['revision']))).status).toBe(409);
    const { body } = await call('GET', `${GROUPS}/${group}/revisions`);
    expect([body['total'], (body['items'] as { by: string }[])[0]?.by]).toEqual([4, admin.username]);
  });

  test('wait for an agent that is away, are sent again when no answer comes, and are withdrawn with their group', async () => {
    const one = await newAgent('a');
    const group = await newGroup();
    const revision = await push(group, SLOW, { canaries: 0 });
    expect(await statesOf(group)).toEqual({ a: 'pending' });
    const before = await one.connect();
    expect((await before.get()).revision).toBe(BigInt(revision));
    before.say(await before.get(1), SettingsState.APPLIED);
    await until('it has them', async () => (await statesOf(group))['a'] === 'applied' || undefined);
    before.close();
    // Its folder was emptied meanwhile: it says that it has nothing.
    const after = await one.connect();
    after.say(await after.get(), SettingsState.APPLIED);
    expect((await call('DELETE', `${GROUPS}/${group}`)).status).toBe(204);
    expect(await after.get(1)).toMatchObject({ revision: 0n, document: '' });
  });

  test('are looked at before they are pushed, and bounded', async () => {
    const group = await newGroup();
    const refused = async (settings: object): Promise<number> =>
      (await call('POST', `${GROUPS}/${group}/revisions`, { settings })).status;
    expect(await refused({ collectors: { exec: { interval: 1 } } })).toBe(400);
    expect(await refused({ collectors: { cpu: { interval: 1, enabled: true } } })).toBe(400);
    expect(await refused({ logs: [{ include: ['/etc/shadow'] }] })).toBe(400);
    expect(await refused({ drop: [{ rule: 'x', pattern: '(' }] })).toBe(400);
    const drop = [{ rule: 'x', pattern: '(' }, { rule: 'empty' }]; // prettier-ignore
    const redact = { patterns: [{ name: 'y', pattern: '[' }] };
    const { body } = await call('POST', `${GROUPS}/${group}/revisions`, { settings: { drop, redact } });
    for (const place of [/drop\.0\.pattern: /, /drop\.1: names neither/, /redact\.patterns\.0\.pattern: /])
      expect(body['detail']).toMatch(place);
    expect(await refused({ drop: Array.from({ length: 21 }, () => ({ rule: 'x', below: 'info' })) })).toBe(400);
    expect((await call('POST', GROUPS, { name: 'web', labels: { a: 'b' } })).body['code']).toBe('ingest.group-taken');
  });
});

describe('a narrower group', () => {
  const HIDE = { redact: { ip: true } };
  type Agents = { hostname: string; state: string; group: { name: string }; inForce: { revision: number } | null }[];
  const agentsOf = async (id: string) => {
    const { body } = await call('GET', `${GROUPS}/${id}/agents`);
    return (body['items'] as Agents).map((one) => [
      one.hostname,
      one.state,
      one.group.name,
      one.inForce?.revision ?? null,
    ]);
  };
  const applied = (group: string, count: number) =>
    until('they have it', async () => (await groupOf(group))?.states['applied'] === count || undefined);
  /** Two web servers that have what was pushed to everyone. */
  async function begin() {
    const agents = [await newAgent('a', { role: 'web' }), await newAgent('b', { role: 'web' })] as const;
    const [a, b] = [await agents[0].connect(), await agents[1].connect()];
    const all = await newGroup({}, 'all');
    const first = await push(all, HIDE, { canaries: 0 });
    for (const one of [a, b]) one.say(await one.get(), SettingsState.APPLIED);
    await applied(all, 2);
    return { a, b, all, first, web: await newGroup({ role: 'web' }) };
  }

  test('says what its agents have of a broader one before something takes its place, and who keeps another', async () => {
    const { all, first, web } = await begin();
    const reach = async (group: string) => (await call('GET', `${GROUPS}/${group}/reach`)).body;
    const broader = { revision: first, group: { id: all, name: 'all' }, settings: HIDE };
    expect(await reach(web)).toEqual({ items: [{ ...broader, agents: 2, hosts: ['a', 'b'] }], elsewhere: [] });
    expect([(await agentsOf(web))[0], (await groupOf(web)) as unknown]).toMatchObject([
      ['a', 'elsewhere', 'all', first],
      { agents: 2, newest: null },
    ]);
    await push(web, SLOW, { canaries: 0 });
    expect(await reach(all)).toEqual({ items: [], elsewhere: [{ group: { id: web, name: 'web' }, agents: 2 }] });
    expect((await agentsOf(all))[0]).toEqual(['a', 'elsewhere', 'web', first]);
  });

  test('leaves the broader one’s revision to those that do not try its own, and to all once it is halted or undone', async () => {
    const { a, b, all, first, web } = await begin();
    const second = await push(web, SLOW);
    const got = await a.get(1);
    a.say(got, SettingsState.TRYING);
    await until('it tries', async () => (await statesOf(web))['a'] === 'trying' || undefined);
    expect(await agentsOf(web)).toEqual([
      ['a', 'trying', 'web', second],
      ['b', 'waiting', 'web', first],
    ]);
    a.say(got, SettingsState.REFUSED, ['pushed.not-allowed', 'no such collector']);
    await until('it halts', async () => (await groupOf(web))?.newest?.['stage'] === 'halted' || undefined);
    expect(await agentsOf(web)).toEqual([
      ['a', 'refused', 'web', first],
      ['b', 'kept', 'web', first],
    ]);
    // What comes to everyone later comes to them, too: also to the one that refused.
    const third = await push(all, { ...HIDE, ...QUIET }, { canaries: 0 });
    expect([(await a.get(2)).revision, (await b.get(1)).revision]).toEqual([BigInt(third), BigInt(third)]);
    expect((await call('POST', `${GROUPS}/${web}/undo`, { revision: second })).body['restores']).toBe(0);
    expect((await agentsOf(all)).map(([, , group]) => group)).toEqual(['all', 'all']);
  });
});

test('an agent that is not there is said to have gone when it went', async () => {
  const one = await newAgent('a');
  const agent = await one.connect();
  const group = await newGroup();
  const seen = async () =>
    ((await call('GET', `${GROUPS}/${group}/agents`)).body['items'] as { connected: boolean; lastSeenMs: number }[])[0];
  await until('it is there', async () => (await seen())?.connected || undefined);
  await hub.clock.advance(60_000);
  const wentMs = hub.clock.now();
  agent.close();
  await until('it is gone', async () => (await seen())?.lastSeenMs === wentMs || undefined);
  expect(await seen()).toMatchObject({ connected: false });
});

describe('who may push', () => {
  test('an admin does; a viewer and an editor see, and nobody else does', async () => {
    admin = await hub.join('admin');
    const group = await newGroup();
    const revision = await push(group, SLOW);
    const [viewer, editor] = [await hub.join('viewer'), await hub.join('editor')];
    for (const person of [viewer, editor]) {
      const status = async (method: string, path: string, body?: object) =>
        (await call(method, path, body, person)).status;
      expect(await status('GET', GROUPS)).toBe(200);
      expect(await status('GET', `${GROUPS}/${group}/revisions`)).toBe(200);
      expect(await status('GET', `${GROUPS}/${group}/agents`)).toBe(200);
      expect(await status('GET', `${GROUPS}/${group}/reach`)).toBe(200);
      expect(await status('POST', GROUPS, { name: 'mine', labels: {} })).toBe(403);
      expect(await status('POST', `${GROUPS}/${group}/revisions`, { settings: {} })).toBe(403);
      expect(await status('POST', `${GROUPS}/${group}/undo`, { revision })).toBe(403);
      expect(await status('DELETE', `${GROUPS}/${group}`)).toBe(403);
    }
    for (const path of [GROUPS, `${GROUPS}/${group}/reach`]) expect((await hub.call('GET', path, {})).status).toBe(401);
  });

  test('an admin of another organisation sees and changes nothing, and pushes to none of its agents', async () => {
    const agent = await (await newAgent('a')).connect();
    const group = await newGroup();
    const revision = await push(group, SLOW);
    const mine = await agent.get();
    const other = await hub.outsider();
    const status = async (method: string, path: string, body?: object) =>
      (await call(method, path, body, other)).status;
    expect((await call('GET', GROUPS, undefined, other)).body['items']).toEqual([]);
    expect(await status('GET', `${GROUPS}/${group}/revisions`)).toBe(404);
    expect(await status('GET', `${GROUPS}/${group}/agents`)).toBe(404);
    expect(await status('GET', `${GROUPS}/${group}/reach`)).toBe(404);
    expect(await status('POST', `${GROUPS}/${group}/revisions`, { settings: {} })).toBe(404);
    expect(await status('POST', `${GROUPS}/${group}/undo`, { revision })).toBe(404);
    expect(await status('DELETE', `${GROUPS}/${group}`)).toBe(404);
    const theirs = (await call('POST', GROUPS, { name: 'all', labels: {} }, other)).body['id'];
    await call('POST', `${GROUPS}/${String(theirs)}/revisions`, { settings: QUIET, canaries: 0 }, other);
    await hub.clock.advance(30_000);
    expect(new Set(agent.pushed.map((one) => one.revision))).toEqual(new Set([mine.revision]));
  });
});
