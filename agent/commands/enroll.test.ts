import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority, type TestAuthority } from '#kit/authority.ts';
import { startConnectProxy } from '../../test/kit/connect-proxy.ts';
import { HUB_SERVER_NAME, writeJoinToken, type EnrolRequest, type JoinToken } from '#proto/enrolment.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readIdentity } from '../link/identity.ts';
import { enroll, readAuthority } from './enroll.ts';
import { describeStatus } from './status.ts';

let authority: TestAuthority;
let server: Server;
let answer: (body: EnrolRequest) => Promise<{ status: number; body: unknown }>;
let url = '';
beforeAll(async () => {
  authority = await createTestAuthority();
  server = createServer((request, reply) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      void answer(JSON.parse(text) as EnrolRequest).then(({ status, body }) => {
        reply.statusCode = status;
        reply.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

let data = '';
beforeEach(() => {
  data = join(mkdtempSync(join(tmpdir(), 'outrider-enroll-')), 'agent');
  answer = async ({ publicKey }) => ({ status: 201, body: await granted(publicKey) });
});
afterEach(() => rmSync(join(data, '..'), { recursive: true }));

const ID = '4e03ba87-0462-416f-b69c-dfd7d5726426';
async function granted(publicKey: string) {
  const certificate = await authority.certify(publicKey, ID);
  return { agentId: ID, resourceName: 'web-1', certificate, ca: authority.ca, link: '127.0.0.1:4320' };
}
const token = (changes: Partial<Record<keyof JoinToken, unknown>> = {}): string =>
  writeJoinToken({
    v: 1,
    url,
    link: 'x:1',
    ca: authority.fingerprint,
    id: ID,
    secret: 's'.repeat(43),
    ...changes,
  } as JoinToken);
const enrolWith = (text: string, force = false): Promise<string> =>
  enroll({ dataFolder: data, token: text, labels: { role: 'web' }, force });

test('a token is traded for an identity, once; by force for another', async () => {
  const asked: EnrolRequest[] = [];
  answer = async (body) => {
    asked.push(body);
    return { status: 201, body: await granted(body.publicKey) };
  };
  expect(await enrolWith(token())).toContain(
    `enrolled as web-1 (${ID}); start it with: outrider-agent run --data ${data}`,
  );
  expect(asked[0]).toMatchObject({ labels: { role: 'web' } });
  const { key, agentId } = readIdentity(data) ?? {};
  expect(agentId).toBe(ID);
  expect(asked[0]?.publicKey).not.toContain('PRIVATE');
  expect(await enrolWith(token())).toBe(
    `already enrolled as ${ID}, so nothing was done. The join token was not used. To join anew, as another agent, stop this one and run: outrider-agent enroll --force --data ${data}\n`,
  );
  expect(asked).toHaveLength(1);
  await enrolWith(token(), true);
  expect(readIdentity(data)?.key).not.toBe(key);
});

test.each([
  ['nothing', () => '', 'agent.no-token', /standard input or in OUTRIDER_JOIN_TOKEN/],
  ['a word', () => 'garbage', 'agent.bad-token', /begins with orj_/],
  ['a cut token', () => token().slice(0, 60), 'agent.bad-token', /Copy the whole word/],
  ['a token of another form', () => token({ v: 2 }), 'agent.bad-token', /Copy the whole word/],
  ['a token without an address', () => token({ url: 'nonsense' }), 'agent.bad-token', /Copy the whole word/],
  ['an address without TLS elsewhere', () => token({ url: 'http://192.0.2.1' }), 'agent.wrong-hub', /without TLS/],
  [
    'an address where nobody listens',
    () => token({ url: 'http://127.0.0.1:1' }),
    'agent.unreachable',
    /hub is running/,
  ],
])('%s is refused in words that say what to do', async (_what, make, code, words) => {
  const refused = enrolWith(make());
  await expect(refused).rejects.toMatchObject({ code });
  await expect(refused).rejects.toThrow(words);
  expect(existsSync(join(data, 'identity'))).toBe(false);
});

test.each([
  [
    { status: 410, body: { title: 'Used up.', detail: 'Make a new one.' } },
    'agent.refused',
    /Used up\. Make a new one\./,
  ],
  [{ status: 502, body: '<html>' }, 'agent.refused', /502 .* Is that address a hub/],
  [{ status: 201, body: {} }, 'agent.refused', /another version/],
])('an answer that is none keeps no identity', async (said, code, words) => {
  answer = () => Promise.resolve(said);
  const refused = enrolWith(token());
  await expect(refused).rejects.toMatchObject({ code });
  await expect(refused).rejects.toThrow(words);
  expect(readIdentity(data)).toBeUndefined();
});

test('a hub with another authority than the token names gets no agent', async () => {
  await expect(enrolWith(token({ ca: 'a'.repeat(64) }))).rejects.toMatchObject({ code: 'agent.wrong-hub' });
  expect(readIdentity(data)).toBeUndefined();
});

describe('behind a proxy with a certificate of its own', () => {
  let proxy: HttpsServer;
  let another: TestAuthority;
  let address = '';
  beforeAll(async () => {
    another = await createTestAuthority();
    proxy = createHttpsServer(await another.server(), (request, reply) => server.emit('request', request, reply));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    address = `https://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => void proxy.close());
  const enrolAt = (trusted: string | undefined): Promise<string> =>
    enroll({ dataFolder: data, token: token({ url: address }), labels: {}, force: false, trusted });

  test('an agent joins when it trusts that one, and still holds the hub to the token', async () => {
    expect(await enrolAt(another.ca)).toContain('enrolled as web-1');
    expect(readIdentity(data)?.ca).toBe(authority.ca);
    rmSync(data, { recursive: true });
    answer = async ({ publicKey }) => ({ status: 201, body: { ...(await granted(publicKey)), ca: another.ca } });
    await expect(enrolAt(another.ca)).rejects.toMatchObject({ code: 'agent.wrong-hub' });
  });

  test('no secret is sent to one that nobody trusts', async () => {
    let asked = 0;
    answer = () => Promise.resolve({ status: 500, body: String((asked += 1)) });
    const refused = enrolAt(undefined);
    await expect(refused).rejects.toMatchObject({ code: 'agent.wrong-hub' });
    await expect(refused).rejects.toThrow(/--ca/);
    expect(asked).toBe(0);
  });
});

test('an agent joins through the proxy of HTTPS_PROXY, and holds the hub to the token', async () => {
  const hub = createHttpsServer(await authority.server(), (request, reply) => server.emit('request', request, reply));
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  const proxy = await startConnectProxy(() => (hub.address() as AddressInfo).port);
  const env = { HTTPS_PROXY: proxy.url };
  const address = `https://${HUB_SERVER_NAME}:8443`;
  const given = { dataFolder: data, labels: {}, force: false, env };
  const wrong = token({ url: address, ca: 'a'.repeat(64) });
  await expect(enroll({ ...given, token: wrong })).rejects.toMatchObject({ code: 'agent.wrong-hub' });
  expect(await enroll({ ...given, token: token({ url: address }) })).toContain('enrolled as web-1');
  expect(new Set(proxy.asked)).toEqual(new Set([`${HUB_SERVER_NAME}:8443`]));
  await proxy.stop();
  hub.close();
});

test('an authority that cannot be read is named', () => {
  expect(() => readAuthority('/no/such/file')).toThrow('/no/such/file');
  expect(() => readAuthority(import.meta.filename)).toThrow('PEM');
});

test('a damaged identity is told, and force mends it', async () => {
  mkdirSync(join(data, 'identity'), { recursive: true });
  writeFileSync(join(data, 'identity', 'agent.json'), '{"agentId":');
  await expect(enrolWith(token())).rejects.toThrow(/outrider-agent enroll --force --data/);
  await enrolWith(token(), true);
  expect(readIdentity(data)?.agentId).toBe(ID);
});

test('the status of an agent that never ran, or was killed, says so, and what of pushed settings is in force', async () => {
  expect(() => describeStatus(data, { json: false, nowMs: Date.now() })).toThrow(/outrider-agent enroll/);
  await enrolWith(token());
  expect(describeStatus(data, { json: false, nowMs: Date.now() })).toMatchObject({
    running: false,
    text: expect.stringMatching(/has not run yet/),
  });
  const status = {
    running: true,
    pid: 2 ** 22 + 1,
    agentId: ID,
    writtenMs: Date.now(),
    files: [],
    hub: 'x',
    skewMs: 0,
  };
  writeFileSync(
    join(data, 'status.json'),
    JSON.stringify({ ...status, connected: true, lastAckMs: null, spoolBytes: 0, drops: { probes: 3, debug: 40 } }),
  );
  expect(describeStatus(data, { json: false, nowMs: Date.now() })).toMatchObject({
    running: false,
    text: expect.stringMatching(/not running[^]*dropped +40 by the rule debug\n +3 by the rule probes\n/),
  });
  const pushedIs = (state: string, pushedInForce: string | null | undefined): string => {
    const pushed = { revision: '5', digest: '', state, code: '', problem: 'no such collector', atMs: 0 };
    writeFileSync(join(data, 'status.json'), JSON.stringify({ ...status, pushed, pushedInForce }));
    return /^pushed +(.*)$/m.exec(describeStatus(data, { json: false, nowMs: Date.now() }).text)?.[1] ?? '';
  };
  const refused = 'revision 5 of the hub, refused: no such collector';
  expect(pushedIs('refused', '4')).toBe(`${refused}; revision 4 is in force`);
  expect(pushedIs('rolled-back', null)).toMatch(/taken back: .*; nothing of the hub is in force$/);
  expect(pushedIs('refused', undefined)).toBe(refused);
  writeFileSync(join(data, 'status.json'), '{"runn');
  expect(describeStatus(data, { json: true, nowMs: Date.now() }).running).toBe(false);
});
