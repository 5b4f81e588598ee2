import { generateKeyPairSync } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { create } from '@bufbuild/protobuf';
import { createTestAuthority } from '#kit/authority.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { freePort, until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { batchMessage, enrolSimulated, openSimulated, tableOf, type SimulatedIdentity } from '#kit/simulated-agent.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { AgentMessageSchema, type AgentMessage, type HubMessage } from '#proto/agent/v1/index.ts';
import { readJoinToken, writeJoinToken, type JoinToken } from '#proto/enrolment.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { LogStore } from '../../ports/logstore.ts';
import type { SeriesStore } from '../../ports/series.ts';
import type { ServiceDefinition } from '../../service.ts';
import { logs } from '../logs/index.ts';
import { monitoring } from '../monitoring/index.ts';
import { ingest } from './index.ts';
import type { IngestTables } from './store.ts';

const API = '/api/v1/agents';
const HOUR = 3_600_000;
const TABLE = tableOf(['system.cpu.busy', 'system.memory.limit']);
const EPOCH = 7n;

/** What a store does before it stores: a test may hold it or let it fail. */
const before = { series: () => Promise.resolve(), logs: () => Promise.resolve() };

let stores: Stores;
let hub: StartedUsers;
let admin: SignedInPerson;
let base: string;
let port: number;
const open: { close(): void }[] = [];
beforeAll(async () => {
  stores = await startStores();
  port = await freePort();
  const series: SeriesStore = {
    ...stores.series,
    append: async (org, write) => (await before.series(), stores.series.append(org, write)),
  };
  const logstore: LogStore = {
    ...stores.logstore,
    append: async (org, write) => (await before.logs(), stores.logstore.append(org, write)),
  };
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: logs as unknown as ServiceDefinition, prefixes: ['/api/v1/logs'] },
    { definition: ingest as unknown as ServiceDefinition, prefixes: [API], config: { port } },
  ];
  // Certificates are looked at by TLS, which has a clock of its own.
  hub = await startUsers(services, { clock: createManualClock(Date.now()), ports: { series, logstore } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  base = `http://127.0.0.1:${(hub.listener.server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  admin = await hub.join('admin');
});
afterEach(() => {
  for (const stream of open.splice(0)) stream.close();
  before.series = before.logs = () => Promise.resolve();
});

const newToken = async (wish: Record<string, unknown> = {}, by = admin): Promise<string> => {
  const { status, body } = await hub.call('POST', `${API}/tokens`, { token: by.token, body: wish });
  expect(status, JSON.stringify(body)).toBe(201);
  return String(body['token']);
};
const publicKey = (namedCurve = 'P-256'): string =>
  generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
const enrol = (token: string, more: Record<string, unknown> = {}) =>
  hub.call('POST', `${API}/enroll`, { body: { token, publicKey: publicKey(), hostname: 'web-1', ...more } });
const newAgent = async (by = admin): Promise<SimulatedIdentity> => ({
  ...(await enrolSimulated(base, await newToken({}, by), 'web-1')),
  link: `127.0.0.1:${port}`,
});

/** A stream whose messages a test waits for. */
function connect(identity: Parameters<typeof openSimulated>[0], ...more: [epoch?: bigint, options?: object]) {
  const got: HubMessage['kind'][] = [];
  const stream = openSimulated(identity, more[0] ?? EPOCH, ({ kind }) => got.push(kind), more[1]);
  open.push(stream);
  type Kind = Exclude<HubMessage['kind'], { case: undefined }>;
  /** Waits for the message of a kind, counted from 0. */
  const get = async <Case extends Kind['case']>(name: Case, nth = 0) => {
    const sent = (kind: HubMessage['kind']): kind is Extract<Kind, { case: Case }> => kind.case === name;
    const found = await until(`the hub sends ${name}`, () => got.filter(sent)[nth]);
    return found.value as Extract<Kind, { case: Case }>['value'];
  };
  return { ...stream, got, get };
}
const batch = (seq: number, more: Partial<Parameters<typeof batchMessage>[0]> = {}): AgentMessage =>
  batchMessage({
    epoch: EPOCH,
    seq: BigInt(seq),
    timeMs: hub.clock.now(),
    table: TABLE,
    values: [0.5, 8e9],
    lines: [`line of ${seq}`],
    withTable: true,
    ...more,
  });
const linesOf = async (agent: string, by = admin): Promise<string[]> => {
  const query = new URLSearchParams({ host: agent, from: '-1d', to: '+1h' });
  const { body } = await hub.call('GET', `/api/v1/logs/search?${query}`, { token: by.token });
  return (body['items'] as { text: string }[]).map(({ text }) => text);
};
/** Sends one batch and waits until it is acknowledged: the sign that an agent is well. */
const sends = async (stream: ReturnType<typeof connect>, seq: number): Promise<void> => {
  const acks = stream.got.filter((kind) => kind.case === 'ack').length;
  stream.send(batch(seq));
  expect((await stream.get('ack', acks)).seq).toBe(BigInt(seq));
};

describe('a join token', () => {
  test('lets as many agents in as it says, with its labels', async () => {
    const token = await newToken({ uses: 2, labels: { room: 'b2' }, ephemeral: true });
    const first = await enrol(token, { labels: { room: 'mine', rack: '4' } });
    expect(first.status).toBe(201);
    expect((await enrol(token)).status).toBe(201);
    const third = await enrol(token);
    expect([third.status, third.body['code']]).toEqual([410, 'ingest.token-used']);
    expect(third.body['detail']).toContain('outrider-hub token create');
    const resource = await hub.call('GET', `/api/v1/monitoring/resources/${String(first.body['agentId'])}`, {
      token: admin.token,
    });
    expect(resource.body).toMatchObject({ name: 'web-1', ephemeral: true, labels: { room: 'b2', rack: '4' } });
  });

  test('ends at its hour', async () => {
    const token = await newToken({ expiresInHours: 2 });
    await hub.clock.advance(2 * HOUR);
    const late = await enrol(token);
    hub.clock.jump(-2 * HOUR);
    expect([late.status, late.body['code']]).toEqual([410, 'ingest.token-expired']);
  });

  test('that is forged or cut off is refused, whatever is wrong with it', async () => {
    const token = await newToken();
    const read = readJoinToken(token) as JoinToken;
    const forged = [
      writeJoinToken({ ...read, secret: `${read.secret.slice(0, -1)}${read.secret.endsWith('A') ? 'E' : 'A'}` }),
      writeJoinToken({ ...read, id: crypto.randomUUID() }),
      token.slice(0, -9),
      'orj_e30',
      'orj_%%%',
      '',
    ];
    for (const text of forged) {
      const { status, body } = await enrol(text);
      expect([status, body['code']]).toEqual([401, 'ingest.token-forged']);
    }
    expect((await enrol(token)).status).toBe(201);
  });

  test('is not used up by a key of the wrong kind or a request that is not valid', async () => {
    const token = await newToken();
    expect((await enrol(token, { publicKey: publicKey('P-384') })).body['code']).toBe('ingest.bad-key');
    expect((await enrol(token, { publicKey: 'none' })).body['code']).toBe('ingest.bad-key');
    expect((await enrol(token, { hostname: '' })).status).toBe(400);
    expect((await enrol(token, { agentId: 'mine' })).status).toBe(400);
    expect((await enrol(token)).status).toBe(201);
  });

  test('is listed without its secret and can be withdrawn', async () => {
    const token = await newToken({ uses: 3, labels: { a: 'b' } });
    const { id, secret } = readJoinToken(token) as JoinToken;
    const { body } = await hub.call('GET', `${API}/tokens`, { token: admin.token });
    const rows = body['items'] as Record<string, unknown>[];
    expect(rows.find((row) => row['id'] === id)).toMatchObject({ uses: 3, usesLeft: 3, labels: { a: 'b' } });
    expect(JSON.stringify(body)).not.toContain(secret);
    expect((await hub.call('DELETE', `${API}/tokens/${id}`, { token: admin.token })).status).toBe(204);
    expect((await hub.call('DELETE', `${API}/tokens/${id}`, { token: admin.token })).status).toBe(404);
    expect((await enrol(token)).status).toBe(401);
  });
});

describe('an agent', () => {
  test('is welcomed by the name that it enrolled with, and listed as connected', async () => {
    const identity = await newAgent();
    const stream = connect(identity, EPOCH, { clockMs: hub.clock.now() + 9000 });
    expect(await stream.get('welcome')).toMatchObject({
      agentId: identity.agentId,
      resourceName: 'web-1',
      ackedLive: 0n,
    });
    const row = async () => {
      const { body } = await hub.call('GET', API, { token: admin.token });
      return (body['items'] as Record<string, unknown>[]).find(({ id }) => id === identity.agentId);
    };
    expect(await row()).toMatchObject({ connected: true, version: 'simulated', skewMs: 9000, revoked: false });
    stream.close();
    await until('it is seen to be gone', async () => (await row())?.['connected'] === false);
  });

  test('gets its acknowledgement once both stores have the batch, not before', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    for (const [seq, store] of (['series', 'logs'] as const).entries()) {
      let release: () => void = () => undefined;
      let reached = false;
      before[store] = () => ((reached = true), new Promise((resolve) => (release = resolve)));
      stream.send(batch(seq + 1));
      await until('the batch is with the store', () => reached);
      const other = store === 'series' ? stores.logstore : stores.series;
      await until('the other one has it', async () => {
        const { live } = await other.acknowledged(admin.org, identity.agentId, EPOCH);
        return live === BigInt(seq + 1);
      });
      expect(stream.got.filter((kind) => kind.case === 'ack')).toHaveLength(seq);
      before[store] = () => Promise.resolve();
      release();
      expect((await stream.get('ack', seq)).seq).toBe(BigInt(seq + 1));
    }
    expect(await linesOf(identity.agentId)).toEqual(expect.arrayContaining(['line of 1', 'line of 2']));
  });

  test('that sends a batch again has it once, also over a new stream', async () => {
    const identity = await newAgent();
    const first = connect(identity);
    await first.get('welcome');
    await sends(first, 1);
    await sends(first, 1);
    first.close();
    const second = connect(identity);
    expect((await second.get('welcome')).ackedLive).toBe(1n);
    await sends(second, 1);
    await sends(second, 2);
    expect((await linesOf(identity.agentId)).sort()).toEqual(['line of 1', 'line of 2']);
    const query = 'name=system.cpu.busy&from=-1h&to=%2B1h&step=1h';
    const { body } = await hub.call('GET', `/api/v1/monitoring/metrics/${identity.agentId}?${query}`, {
      token: admin.token,
    });
    expect((body['series'] as { avg: number[] }[])[0]?.avg[0]).toBe(0.5);
  });

  test('with a new epoch begins anew', async () => {
    const identity = await newAgent();
    const first = connect(identity);
    await first.get('welcome');
    await sends(first, 1);
    const other = connect(identity, 8n);
    expect((await other.get('welcome')).ackedLive).toBe(0n);
    other.send(batch(1, { epoch: 8n, lines: ['of a new life'] }));
    await other.get('ack');
    expect((await linesOf(identity.agentId)).sort()).toEqual(['line of 1', 'of a new life']);
  });

  test('that connects twice keeps the newer stream', async () => {
    const identity = await newAgent();
    const older = connect(identity);
    await older.get('welcome');
    const newer = connect(identity);
    expect((await older.get('refusal')).code).toBe('ingest.replaced');
    await older.ended;
    await newer.get('welcome');
    await sends(newer, 1);
  });

  test('renews its certificate over the stream, for a key that never leaves it', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const renew = (der: Uint8Array): boolean =>
      stream.send(create(AgentMessageSchema, { kind: { case: 'renew', value: { publicKey: der } as never } }));
    renew(pair.publicKey.export({ type: 'spki', format: 'der' }));
    const { chain } = await stream.get('certificate');
    const renewed = {
      ...identity,
      certificate: chain,
      key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
    const next = connect(renewed);
    expect((await next.get('welcome')).agentId).toBe(identity.agentId);
    await sends(next, 1);
    next.send(create(AgentMessageSchema, { kind: { case: 'renew', value: { publicKey: Uint8Array.of(1) } as never } }));
    expect((await next.get('refusal')).code).toBe('ingest.bad-key');
  });

  test('whose batch cannot be stored is told to come again, and nothing is acknowledged', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    before.logs = () => Promise.reject(new Error('IO Error: No space left on device'));
    stream.send(batch(1));
    stream.send(batch(2));
    expect(await stream.get('refusal')).toMatchObject({ code: 'ingest.not-stored', retry: true });
    await stream.ended;
    expect(stream.got.filter((kind) => kind.case === 'ack')).toEqual([]);
    before.logs = () => Promise.resolve();
    const again = connect(identity);
    expect((await again.get('welcome')).ackedLive).toBe(0n);
    await sends(again, 1);
    await sends(again, 2);
    expect((await linesOf(identity.agentId)).sort()).toEqual(['line of 1', 'line of 2']);
  });
});

describe('a revoked agent', () => {
  test('is cut off at once and not let in again', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    const path = `${API}/${identity.agentId}/revoke`;
    expect((await hub.call('POST', path, { token: admin.token })).status).toBe(204);
    expect(await stream.get('refusal')).toMatchObject({ code: 'ingest.revoked', retry: false });
    await stream.ended;
    expect((await connect(identity).get('refusal')).code).toBe('ingest.revoked');
  });

  test('is cut off within ten seconds when another hub revoked it', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    await hub.relational.forOrg<IngestTables, unknown>('ingest', admin.org, (db) =>
      db.updateTable('agents').set({ revoked_at: new Date() }).where('id', '=', identity.agentId).execute(),
    );
    await hub.clock.advance(10_000);
    expect((await stream.get('refusal')).code).toBe('ingest.revoked');
    await stream.ended;
  });

  test('is what a deleted resource leaves behind', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    await sends(stream, 1);
    const path = `/api/v1/monitoring/resources/${identity.agentId}`;
    expect((await hub.call('DELETE', path, { token: admin.token })).status).toBe(204);
    expect((await stream.get('refusal')).code).toBe('ingest.revoked');
    expect(await linesOf(identity.agentId)).toEqual([]);
    expect(await stores.series.list(admin.org, identity.agentId)).toEqual([]);
  });
});

describe('whatever is sent', () => {
  const gzip = (bytes: number): Uint8Array => gzipSync(Buffer.alloc(bytes));
  const spoilt = (change: Record<string, unknown>): AgentMessage => {
    const message = batch(1);
    Object.assign(message.kind.value as object, change);
    return message;
  };
  test.each<[string, () => AgentMessage | Uint8Array, string, boolean]>([
    ['bytes that are no message', () => Uint8Array.of(0xff, 0xff, 0xff, 0xff), 'ingest.bad-frame', false],
    ['a message of no kind', () => create(AgentMessageSchema, {}), 'ingest.bad-frame', false],
    ['a batch without a lane', () => spoilt({ lane: 0 }), 'ingest.bad-frame', false],
    ['a batch without a number', () => spoilt({ seq: 0n }), 'ingest.bad-frame', false],
    ['a batch of another epoch', () => spoilt({ epoch: 9n }), 'ingest.bad-frame', false],
    ['an encoding of the future', () => spoilt({ encoding: 9 }), 'ingest.unknown-encoding', false],
    ['metrics that are not gzip', () => spoilt({ metrics: Uint8Array.of(1, 2, 3) }), 'ingest.bad-frame', false],
    ['metrics that are no metrics', () => spoilt({ metrics: gzipSync('zzz') }), 'monitoring.bad-frame', false],
    ['lines that are no lines', () => spoilt({ logs: gzipSync(Buffer.alloc(9, 255)) }), 'logs.bad-frame', false],
    ['a batch that unpacks to more than 16 MB', () => spoilt({ logs: gzip(17e6) }), 'ingest.too-large', false],
    [
      'a name that is too long',
      () => batch(1, { table: tableOf(['n'.repeat(2000)]), values: [1] }),
      'ingest.bad-frame',
      false,
    ],
    ['a table that the hub does not know', () => batch(1, { withTable: false }), 'series.unknown-table', true],
  ])('%s is refused by name and hurts nobody else', async (_what, message, code, retry) => {
    const [bad, good] = [connect(await newAgent()), connect(await newAgent())];
    await Promise.all([bad.get('welcome'), good.get('welcome')]);
    bad.send(message());
    expect(await bad.get('refusal')).toMatchObject({ code, retry });
    await bad.ended;
    expect(bad.got.filter((kind) => kind.case === 'ack')).toEqual([]);
    await sends(good, 1);
  });

  test('a frame over the limit ends its stream and no other', async () => {
    const [bad, good] = [connect(await newAgent()), connect(await newAgent())];
    await Promise.all([bad.get('welcome'), good.get('welcome')]);
    bad.send(new Uint8Array(5_000_000));
    expect(await bad.ended).toContain('RESOURCE_EXHAUSTED');
    await sends(good, 1);
  });

  test('a batch or a wish before the hello, a second hello and a newer protocol are refused', async () => {
    const early = connect(await newAgent(), EPOCH, { silent: true });
    early.send(batch(1));
    expect((await early.get('refusal')).detail).toContain('before its hello');
    const renewing = connect(await newAgent(), EPOCH, { silent: true });
    renewing.send(create(AgentMessageSchema, { kind: { case: 'renew', value: {} as never } }));
    expect((await renewing.get('refusal')).code).toBe('ingest.bad-frame');
    const twice = connect(await newAgent());
    await twice.get('welcome');
    twice.send(create(AgentMessageSchema, { kind: { case: 'hello', value: {} as never } }));
    expect((await twice.get('refusal')).detail).toContain('twice');
    const newer = connect(await newAgent(), EPOCH, { protocol: 2 });
    expect(await newer.get('refusal')).toMatchObject({ code: 'ingest.newer-protocol', retry: false });
  });

  test('more batches than are worked on wait in the sender, and all arrive in order', async () => {
    const identity = await newAgent();
    const stream = connect(identity);
    await stream.get('welcome');
    for (let seq = 1; seq <= 40; seq++) stream.send(batch(seq, { withTable: seq === 1 }));
    await stream.get('ack', 39);
    const order = stream.got.flatMap((kind) => (kind.case === 'ack' ? [Number(kind.value.seq)] : []));
    expect(order).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });
});

describe('the agents’ port', () => {
  test('opens to certificates of this hub alone', async () => {
    const identity = await newAgent();
    const foreign = await createTestAuthority();
    const stranger = { ...identity, ...(await foreign.agent(identity.agentId)) };
    const ended = await connect(stranger).ended;
    expect(ended).toMatch(/UNAVAILABLE|UNAUTHENTICATED|ECONNRESET|alert/i);
    const believer = { ...identity, ca: foreign.ca };
    expect(await connect(believer).ended).toMatch(/UNAVAILABLE/);
  });

  test('does not open to an agent that the database does not know', async () => {
    const identity = await newAgent();
    await hub.relational.forOrg<IngestTables, unknown>('ingest', admin.org, (db) =>
      db.deleteFrom('agents').where('id', '=', identity.agentId).execute(),
    );
    expect((await connect(identity).get('refusal')).code).toBe('ingest.revoked');
  });
});

describe('people', () => {
  test('need the role of an administrator to let agents in or cut them off', async () => {
    const { token } = await hub.join('editor');
    const identity = await newAgent();
    const calls = [
      ['POST', `${API}/tokens`, {}],
      ['GET', `${API}/tokens`, undefined],
      ['DELETE', `${API}/tokens/${identity.agentId}`, undefined],
      ['POST', `${API}/${identity.agentId}/revoke`, undefined],
    ] as const;
    for (const [method, path, body] of calls) {
      expect((await hub.call(method, path, { token, body })).status).toBe(403);
      expect((await hub.call(method, path, { body })).status).toBe(401);
    }
    expect((await hub.call('GET', API, { token })).status).toBe(200);
    expect((await hub.call('GET', API)).status).toBe(401);
  });

  test('of another organisation see no agent, cut off none, and let in their own alone', async () => {
    const outsider = await hub.outsider();
    const identity = await newAgent();
    const tokenId = (readJoinToken(await newToken()) as JoinToken).id;
    const { token } = outsider;
    expect((await hub.call('POST', `${API}/${identity.agentId}/revoke`, { token })).status).toBe(404);
    expect((await hub.call('DELETE', `${API}/tokens/${tokenId}`, { token })).status).toBe(404);
    expect((await hub.call('GET', `${API}/tokens`, { token })).body['total']).toBe(0);
    const theirs = await newAgent(outsider);
    const stream = connect(theirs);
    await stream.get('welcome');
    await sends(stream, 1);
    expect((await hub.call('GET', API, { token })).body['total']).toBe(1);
    expect(await linesOf(theirs.agentId)).toEqual([]);
    expect(await linesOf(theirs.agentId, outsider)).toEqual(['line of 1']);
  });

  test('of no organisation reach what only parts of the hub may ask', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const path of ['/internal/ingest/certificate', '/internal/ingest/tokens'])
      expect((await hub.call('GET', path, { token: admin.token, headers })).status).toBe(404);
    const made = await hub.peers.json<{ token: string }>('ingest', {
      method: 'POST',
      path: '/internal/ingest/tokens',
      body: JSON.stringify({ uses: 1 }),
    });
    expect((await enrol(made.token)).status).toBe(201);
  });
});
