import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEgress } from '../../egress.ts';
import type { ServiceDefinition } from '../../service.ts';
import { notifications } from './index.ts';
import type { ChannelSettings, NotificationTables } from './tables.ts';

const API = '/api/v1/notifications';

interface Channel {
  id: string;
  name: string;
  settings: ChannelSettings;
}

let hub: StartedUsers;
let owner: SignedInPerson;
let receiver: Server;
let mailServer: SMTPServer;
let hook = '';
let mail: ChannelSettings = {};
/** What the web receiver answers, and the words of the mail server's refusal; none accepts. */
let answer: (authorization: string) => { status: number; text: string };
let refusal = '';
const mails: string[] = [];

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const { status, text } = answer(String(request.headers.authorization));
    request.resume().on('end', () => response.writeHead(status).end(text));
  });
  mailServer = new SMTPServer({
    disabledCommands: ['STARTTLS', 'AUTH'],
    onRcptTo: (_address, _session, done) =>
      refusal === '' ? done() : done(Object.assign(new Error(refusal), { responseCode: 550 })),
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (part: Buffer) => (text += part.toString()));
      stream.on('end', () => done(null, void mails.push(text) as never));
    },
  });
  mailServer.on('error', () => undefined);
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', resolve));
  hook = `http://127.0.0.1:${portOf(receiver)}/hook`;
  const port = portOf(mailServer.server);
  mail = { host: '127.0.0.1', port, tls: 'none', from: 'outrider@example.org', to: ['ops@example.org'] };
  hub = await startUsers([{ definition: notifications as unknown as ServiceDefinition, prefixes: [API] }], {
    egress: createEgress({ allow: ['127.0.0.1/32'] }),
  });
});
afterAll(async () => {
  await hub.stop();
  receiver.closeAllConnections();
  receiver.close();
  await new Promise<void>((resolve) => mailServer.close(resolve));
});
beforeEach(async () => {
  answer = () => ({ status: 204, text: '' });
  refusal = '';
  mails.length = 0;
  owner = await hub.signIn(hub.owner);
});

const call = (method: string, path: string, body?: unknown, who = owner) =>
  hub.call(method, `${API}${path}`, { token: who.token, body });
let count = 0;
const bodyOf = (kind: string, more: Record<string, unknown> = {}) => ({
  kind,
  name: `channel ${++count}`,
  settings: kind === 'mail' ? mail : { url: hook },
  ...more,
});
const add = async (kind: string, more: Record<string, unknown> = {}, who = owner): Promise<Channel> => {
  const reply = await call('POST', '/channels', bodyOf(kind, more), who);
  expect(reply.status).toBe(201);
  return reply.body as unknown as Channel;
};
const savedSettings = (id: string) =>
  hub.relational.forOrg<NotificationTables, ChannelSettings>('notifications', owner.org, async (db) => {
    const row = db.selectFrom('channels').select('settings').where('id', '=', id);
    return (await row.executeTakeFirstOrThrow()).settings;
  });

describe('channels', () => {
  test('every kind says what it wants to know, and which of it is secret', async () => {
    const { status, body } = await call('GET', '/channel-kinds', undefined, await hub.join('viewer'));
    expect(status).toBe(200);
    const [first, second] = body['items'] as Record<string, never>[];
    expect(first).toMatchObject({
      name: 'mail',
      spacingSeconds: 60,
      destination: ['host', 'port', 'tls', 'verifyCertificate'],
      settings: {
        type: 'object',
        required: ['host', 'from', 'to'],
        properties: {
          port: { type: 'integer', default: 587, minimum: 1, maximum: 65535 },
          tls: { type: 'string', enum: ['starttls', 'tls', 'none'], default: 'starttls' },
          verifyCertificate: { type: 'boolean', default: true },
          password: { type: 'string', secret: true, default: '' },
          to: { type: 'array', items: { type: 'string' }, minItems: 1 },
        },
      },
    });
    expect(second).toMatchObject({ name: 'webhook', spacingSeconds: 0, settings: { required: ['url'] } });
  });

  test('are made, listed, changed and removed', async () => {
    const body = bodyOf('mail', { minSeverity: 'warning' });
    const made = await call('POST', '/channels', body);
    expect(made.body).toMatchObject({
      kind: 'mail',
      name: body.name,
      minSeverity: 'warning',
      enabled: true,
      waiting: 0,
      lastSentMs: null,
      settings: { ...mail, verifyCertificate: true, user: '', password: '' },
    });
    const path = `/channels/${String(made.body['id'])}`;
    expect((await call('GET', path)).body).toEqual(made.body);
    expect((await call('GET', '/channels')).body['items']).toContainEqual(made.body);
    const settings = { ...mail, to: ['night@example.org', 'Ops <ops@example.org>'] };
    const changed = await call('PUT', path, { name: 'Night watch', settings, enabled: false });
    expect(changed.body).toMatchObject({ name: 'Night watch', enabled: false, minSeverity: 'info', settings });
    expect(changed.body['formerNames']).toEqual([body.name]);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).body['code']).toBe('notifications.not-found');
    expect((await call('DELETE', path)).status).toBe(404);
    expect((await call('PUT', path, { name: 'Night watch', settings })).status).toBe(404);
  });

  test('never show a secret, keep one that is left out, and send none to another place', async () => {
    const made = await add('webhook', { settings: { url: hook, secret: 'between us', authorization: 'Bearer abc' } });
    expect(made.settings).toEqual({ url: hook, secret: '***', authorization: '***' });
    const path = `/channels/${made.id}`;
    const put = (settings: unknown) => call('PUT', path, { name: made.name, settings });
    expect((await put({ url: hook, authorization: '***' })).status).toBe(200);
    expect(await savedSettings(made.id)).toEqual({ url: hook, secret: 'between us', authorization: 'Bearer abc' });
    const elsewhere = await put({ url: 'https://evil.example.org' });
    expect(elsewhere.body).toMatchObject({ status: 400, code: 'notifications.invalid-settings' });
    expect(elsewhere.body['faults']).toEqual([
      expect.stringContaining('secret: must be given again') as string,
      expect.stringContaining('authorization: must be given again') as string,
    ]);
    expect((await put({ url: hook, secret: '', authorization: 'new' })).body['settings']).toMatchObject({ secret: '' });
    expect(await savedSettings(made.id)).toEqual({ url: hook, secret: '', authorization: 'new' });
    const everything = JSON.stringify([await call('GET', path), await call('GET', '/channels')]);
    expect(everything).not.toMatch(/between us|Bearer abc|"new"/);
  });

  test('two changes at once do not lose a secret', async () => {
    const made = await add('webhook', { settings: { url: hook, secret: 'between us' } });
    const put = (settings: unknown) => call('PUT', `/channels/${made.id}`, { name: made.name, settings });
    const replies = await Promise.all([put({ url: hook, authorization: 'one' }), put({ url: hook })]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(await savedSettings(made.id)).toMatchObject({ secret: 'between us' });
  });

  test('have names of their own, in any case, and another kind of channel needs a new one', async () => {
    const made = await add('webhook', { name: 'Büro' });
    expect((await call('POST', '/channels', bodyOf('mail', { name: 'BÜRO' }))).body['code']).toBe(
      'notifications.taken',
    );
    const other = await add('mail');
    const taken = await call('PUT', `/channels/${other.id}`, { name: 'büro', settings: mail });
    expect(taken.status).toBe(409);
    const kind = { kind: 'mail', name: made.name, settings: mail };
    expect((await call('PUT', `/channels/${made.id}`, kind)).status).toBe(400);
  });

  test('are fifty at most', async () => {
    const { token } = await hub.outsider();
    const post = (n: number) =>
      hub.call('POST', `${API}/channels`, { token, body: bodyOf('webhook', { name: `many ${n}` }) });
    for (let n = 0; n < 49; n++) expect((await post(n)).status).toBe(201);
    const last = await Promise.all([post(49), post(50), post(51)]);
    expect(last.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });
});

describe('bad input', () => {
  test.each([
    [{ host: '' }, 'host'],
    [{ port: 0 }, 'port'],
    [{ port: 'many' }, 'port'],
    [{ tls: 'maybe' }, 'tls'],
    [{ to: [] }, 'to'],
    [{ to: ['a@example.org\r\nBcc: evil@example.org'] }, 'to'],
    [{ from: 'a@example.org\nX: y' }, 'from'],
    [{ colour: 'red' }, 'colour'],
    [{ password: '***' }, 'password'],
    [{ password: 'a\u0000b' }, 'password'],
    [{ user: '\ud800' }, 'user'],
  ])('settings with %j name the field at fault', async (wrong, field) => {
    const reply = await call('POST', '/channels', bodyOf('mail', { settings: { ...mail, ...wrong } }));
    expect(reply.body).toMatchObject({ status: 400, code: 'notifications.invalid-settings' });
    expect(reply.body['detail']).toContain(field);
  });

  test.each([
    ['a name with a line break', { name: 'a\r\nBcc: evil@example.org' }],
    ['a name of blanks', { name: '  ' }],
    ['no name', { name: '' }],
    ['a long name', { name: 'x'.repeat(101) }],
    ['an unknown kind', { kind: 'pigeon' }],
    ['a kind that every object has', { kind: 'constructor' }],
    ['settings that are no object', { settings: 'host' }],
    ['settings with an object inside', { settings: { url: { $ne: '' } } }],
    ['a field that is not known', { org: 'another' }],
    ['an unknown severity', { minSeverity: 'loud' }],
  ])('%s is refused', async (_what, wrong) => {
    const { total } = (await call('GET', '/channels')).body;
    expect((await call('POST', '/channels', bodyOf('webhook', wrong))).status).toBe(400);
    expect((await call('GET', '/channels')).body['total']).toBe(total);
  });

  test('a huge body, a broken one and a wrong id are refused', async () => {
    const huge = bodyOf('webhook', { settings: { url: hook, secret: 'x'.repeat(2_000_000) } });
    expect((await call('POST', '/channels', huge)).status).toBe(413);
    expect((await call('GET', '/channels/1')).status).toBe(400);
    expect((await call('GET', '/deliveries?status=lost')).status).toBe(400);
    expect((await call('GET', '/deliveries?firing=%00')).status).toBe(400);
    expect((await call('GET', '/channels?limit=100000')).status).toBe(400);
    const prototype = '{"kind":"webhook","name":"p","settings":{"url":"https://a","__proto__":{"x":"y"}}}';
    const headers = { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' };
    for (const payload of [prototype, '{'])
      expect((await hub.listener.inject({ method: 'POST', url: `${API}/channels`, headers, payload })).statusCode).toBe(
        400,
      );
  });
});

describe('who may', () => {
  test('a viewer sees channels without their settings, and changes and tests nothing', async () => {
    const made = await add('webhook', { settings: { url: hook } });
    const viewer = await hub.join('viewer');
    const seen = await call('GET', `/channels/${made.id}`, undefined, viewer);
    expect(seen.body).toMatchObject({ name: made.name, enabled: true });
    const list = await call('GET', '/channels', undefined, viewer);
    expect(JSON.stringify([seen.body, list.body])).not.toContain('settings');
    for (const who of [viewer, await hub.join('editor')]) {
      expect((await call('POST', '/channels', bodyOf('webhook'), who)).body['code']).toBe('http.forbidden');
      const put = { name: 'mine', settings: { url: 'https://evil.example.org' } };
      expect((await call('PUT', `/channels/${made.id}`, put, who)).status).toBe(403);
      expect((await call('DELETE', `/channels/${made.id}`, undefined, who)).status).toBe(403);
      expect((await call('POST', `/channels/${made.id}/test`, undefined, who)).status).toBe(403);
    }
    expect((await hub.call('GET', `${API}/channels`)).status).toBe(401);
  });

  test('another organisation neither sees, changes, tests nor removes a channel, and has its own names', async () => {
    const made = await add('webhook');
    const outsider = await hub.outsider();
    const path = `/channels/${made.id}`;
    expect((await call('GET', '/channels', undefined, outsider)).body['total']).toBe(0);
    expect((await call('GET', path, undefined, outsider)).status).toBe(404);
    const put = { name: 'mine', settings: { url: hook } };
    expect((await call('PUT', path, put, outsider)).status).toBe(404);
    expect((await call('DELETE', path, undefined, outsider)).status).toBe(404);
    expect((await call('POST', `${path}/test`, undefined, outsider)).status).toBe(404);
    await add('webhook', { name: made.name }, outsider);
    expect((await call('POST', `${path}/test`)).status).toBe(200);
    expect((await call('GET', '/deliveries', undefined, outsider)).body['total']).toBe(0);
  });

  test('the hub’s own routes are for no user', async () => {
    expect((await hub.call('POST', '/internal/notifications/test', { token: owner.token, body: {} })).status).toBe(404);
  });
});

describe('a test', () => {
  test('is sent at once, also through a channel that is switched off, and is in the history', async () => {
    const { id, name } = await add('mail', { name: 'Nachtwache ✓', enabled: false });
    const reply = await call('POST', `/channels/${id}/test`);
    expect(reply.body).toEqual({
      detail: `The test message was handed over through “${name}” (mail): look whether it has arrived.`,
    });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('admin asked for this test');
    const history = (await call('GET', `/deliveries?channel=${id}`)).body;
    expect(history).toMatchObject({ total: 1, items: [{ state: 'test', status: 'sent', channelName: name }] });
    expect((await call('GET', `/channels/${id}`)).body['lastSentMs']).toBe(hub.clock.now());
  });

  test('that is refused says so in the server’s own words', async () => {
    refusal = 'no such person here';
    const { id } = await add('mail');
    const reply = await call('POST', `/channels/${id}/test`);
    expect(reply.body).toMatchObject({ status: 502, code: 'notifications.test-failed' });
    expect(reply.body['detail']).toContain('550 no such person here');
    expect((await call('GET', `/deliveries?channel=${id}&status=failed`)).body).toMatchObject({
      items: [{ status: 'failed', reason: reply.body['detail'] }],
    });
  });

  test('never repeats a secret that the receiver says', async () => {
    answer = (authorization) => ({ status: 401, text: `I do not know ${authorization}` });
    const { id } = await add('webhook', { settings: { url: hook, authorization: 'Bearer abc' } });
    const reply = await call('POST', `/channels/${id}/test`);
    expect(reply.body['detail']).toContain('answered 401: I do not know ***');
    expect(JSON.stringify((await call('GET', '/deliveries')).body)).not.toContain('Bearer abc');
  });

  test('to an address that the hub does not call says what to do', async () => {
    const { id } = await add('webhook', { settings: { url: 'http://169.254.169.254/latest' } });
    expect((await call('POST', `/channels/${id}/test`)).body['detail']).toContain('egress.allow');
  });

  test('is sent by name for the hub’s own command, which is told the names there are', async () => {
    const { name } = await add('webhook');
    const command = (wanted: string) =>
      hub.peers.json<{ detail: string }>('notifications', {
        method: 'POST',
        path: '/internal/notifications/test',
        body: JSON.stringify({ name: wanted }),
      });
    expect((await command(name.toUpperCase())).detail).toContain(name);
    await expect(command('nobody')).rejects.toMatchObject({
      code: 'notifications.not-found',
      message: expect.stringContaining(`there are: `) as string,
    });
    await add('webhook', { name }, await hub.outsider());
    await expect(command(name)).rejects.toMatchObject({ code: 'notifications.ambiguous' });
  });
});
