import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { Type } from 'typebox';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defineService, type ServiceDefinition } from '../../service.ts';

const ECHO = '/api/v1/echo';

/** Streams that the service below has open; their readers left when they are destroyed. */
const streams = new Set<PassThrough>();

/** A service that answers in every way that a service may. */
const echo = defineService({
  name: 'echo',
  summary: 'Says back what reaches a service.',
  needs: [],
  config: Type.Object({}),
  create: () => ({
    routes(app) {
      const viewer = { config: { role: 'viewer' } } as const;
      const anyone = { config: { role: 'public' } } as const;
      app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) =>
        done(null, body),
      );
      app.all(`${ECHO}/anyone`, anyone, (request) => ({
        headers: request.headers,
        query: request.query,
        principal: request.principal,
        body: Buffer.isBuffer(request.body) ? request.body.toString('hex') : request.body,
      }));
      app.get(`${ECHO}/viewer/:id`, viewer, () => 'x'.repeat(5000));
      app.get(`${ECHO}/slow`, anyone, async () => {
        await hub.clock.advance(300);
        return {};
      });
      app.get(`${ECHO}/editor`, { config: { role: 'editor' } }, () => ({}));
      app.get(`${ECHO}/unchanged`, anyone, (_request, reply) => reply.code(304).header('etag', '"1"').send());
      app.get(`${ECHO}/fault`, anyone, () => Promise.reject(new Error('a secret of the hub')));
      app.get('/internal/echo/secret', { config: { role: 'service' } }, () => ({ secret: 1 }));
      app.get(`${ECHO}/stream`, viewer, (_request, reply) => {
        const body = new PassThrough();
        streams.add(body.on('close', () => streams.delete(body)));
        body.write('data: 1\n\n');
        return reply.type('text/event-stream').send(body);
      });
    },
  }),
});
const services = [{ definition: echo as unknown as ServiceDefinition, prefixes: [ECHO] }];

let folder: string;
let hub: StartedUsers;
let viewer: SignedInPerson;
let port: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-page-'));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>The page</title>');
  writeFileSync(join(folder, 'assets', 'main-1a2b3c.js'), `// ${'x'.repeat(3000)}`);
  hub = await startUsers(services, { limits: { page: folder } });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
  ({ port } = hub.listener.server.address() as AddressInfo);
});
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  viewer = await hub.join('viewer');
});

/** Calls over a socket, with the path exactly as given. */
function rawCall(method: string, path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) =>
    httpRequest({ host: '127.0.0.1', port, method, path, headers }, resolve).on('error', reject).end(),
  );
}

describe('who is asking', () => {
  test('is told to the service by the gateway alone: nothing that a caller sends passes for it', async () => {
    const headers = {
      'x-outrider-principal': Buffer.from('{"role":"owner"}').toString('base64url'),
      'x-forwarded-for': '10.0.0.1',
      'x-request-id': 'mine',
      cookie: viewer.cookie,
      connection: 'upgrade',
      'x-anything': '1',
    };
    const { status, body } = await hub.call('GET', `${ECHO}/anyone?a=1&a=2&b=%20?`, { headers });
    expect(status).toBe(200);
    expect(body['principal']).toBeNull();
    expect(body['query']).toEqual({ a: ['1', '2'], b: ' ?' });
    expect(body['headers']).toMatchObject({ 'x-forwarded-for': '192.0.2.1', 'x-outrider-outside': '1' });
    for (const name of ['cookie', 'connection', 'x-anything', 'authorization', 'x-outrider-principal'])
      expect(body['headers']).not.toHaveProperty(name);
    expect(body['headers']).not.toMatchObject({ 'x-request-id': 'mine' });
  });

  test('with a token is its person; the token stays outside', async () => {
    const { body } = await hub.call('GET', `${ECHO}/anyone`, { token: viewer.token });
    expect(body['principal']).toMatchObject({ user: viewer.id, org: viewer.org, role: 'viewer', via: 'session' });
    expect(body['headers']).not.toHaveProperty('authorization');
  });

  test('with a wrong token is refused even where nobody need sign in, except to sign in', async () => {
    const forged = `${viewer.token.slice(0, -6)}AAAAAA`;
    for (const token of ['x', forged, `e30.${viewer.token.split('.')[1]}.`, 'a b']) {
      const { status, body, headers } = await hub.call('GET', `${ECHO}/anyone`, { token });
      expect([status, body['code']]).toEqual([401, 'gateway.bad-credential']);
      expect(headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(headers['www-authenticate']).toBe('Bearer');
    }
    const body = { username: viewer.username, password: viewer.password };
    expect((await hub.call('POST', '/api/v1/auth/login', { token: forged, body })).status).toBe(200);
    const basic = await hub.call('GET', `${ECHO}/anyone`, { headers: { authorization: 'Basic YTpi' } });
    expect(basic.status).toBe(401);
  });

  test('without a token may do what is public and nothing else', async () => {
    expect((await hub.call('GET', `${ECHO}/anyone`)).status).toBe(200);
    expect((await hub.call('GET', `${ECHO}/viewer/1`)).body).toMatchObject({
      status: 401,
      code: 'http.unauthenticated',
    });
    const refused = await hub.call('GET', `${ECHO}/editor`, { token: viewer.token });
    expect(refused.body).toMatchObject({ status: 403, code: 'http.forbidden', needs: 'editor', has: 'viewer' });
  });

  test('with the cookie alone may read event streams and nothing else', async () => {
    const { cookie } = viewer;
    expect((await hub.call('GET', `${ECHO}/viewer/1`, { cookie })).status).toBe(401);
    const accept = 'text/event-stream';
    expect((await hub.call('POST', '/api/v1/users/api-keys', { cookie, headers: { accept }, body: {} })).status).toBe(
      401,
    );
    const foreign: Record<string, string>[] = [{ 'sec-fetch-site': 'same-site' }, { origin: 'http://evil.example' }];
    for (const sent of foreign) {
      const reply = await hub.call('GET', `${ECHO}/stream`, { cookie, headers: { accept, ...sent } });
      expect(reply.body['code']).toBe('gateway.cross-site');
    }
    const wrong = `${cookie.slice(0, -3)}AAA`;
    expect((await hub.call('GET', `${ECHO}/stream`, { cookie: wrong, headers: { accept } })).status).toBe(401);
  });
});

describe('a path', () => {
  test('reaches the service that owns it, and nothing internal by any spelling', async () => {
    expect((await hub.call('GET', '/api/v1/nothing')).body['code']).toBe('gateway.unknown-path');
    const bad = [
      '/internal/echo/secret',
      `${ECHO}/../../../internal/echo/secret`,
      `${ECHO}/%2e%2e/%2e%2e/%2e%2e/internal/echo/secret`,
      `${ECHO}/..%2f..%2f..%2finternal/echo/secret`,
      `${ECHO}\\..\\..\\..\\internal\\echo\\secret`,
      `/api/v1/auth/../../../internal/echo/secret`,
      `http://hub/internal/echo/secret`,
      `//internal/echo/secret`,
    ];
    for (const path of bad) {
      for (const token of ['', viewer.token]) {
        const headers = token === '' ? undefined : { authorization: `Bearer ${token}` };
        const reply = await rawCall('GET', path, headers);
        reply.resume();
        expect([path, reply.statusCode]).toEqual([path, 404]);
      }
    }
  });

  test('that is internal refuses whatever the gateway forwards, should one ever get there', async () => {
    const reply = await hub.peers.call('echo', {
      method: 'GET',
      path: '/internal/echo/secret',
      headers: { 'x-outrider-outside': '1' },
    });
    expect(reply.status).toBe(403);
  });
});

describe('an answer', () => {
  test('carries body bytes both ways unread', async () => {
    const bytes = Buffer.from([0, 255, 128, 10]);
    const reply = await hub.listener.inject({
      method: 'POST',
      url: `${ECHO}/anyone`,
      headers: { 'content-type': 'application/octet-stream' },
      payload: bytes,
    });
    expect(reply.json()).toMatchObject({ body: bytes.toString('hex') });
    const empty = await hub.call('POST', `${ECHO}/anyone`);
    expect(empty.status).toBe(200);
  });

  test('to a body over a megabyte is a problem', async () => {
    const reply = await hub.call('POST', `${ECHO}/anyone`, { body: 'x'.repeat(1_048_577) });
    expect(reply.body).toMatchObject({ status: 413, code: 'http.too-large' });
  });

  test('is compressed when it is worth it, and names its request', async () => {
    const headers = { 'accept-encoding': 'gzip' };
    const reply = await rawCall('GET', `${ECHO}/viewer/1`, { ...headers, authorization: `Bearer ${viewer.token}` });
    const parts: Buffer[] = [];
    for await (const part of reply) parts.push(part as Buffer);
    expect(reply.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(Buffer.concat(parts)).toString()).toBe('x'.repeat(5000));
    expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(reply.headers).not.toHaveProperty('x-outrider-route');
  });

  test('of a fault says nothing of its cause but the request', async () => {
    const { status, body, headers } = await hub.call('GET', `${ECHO}/fault`);
    expect([status, body['code'], body['instance']]).toEqual([500, 'http.internal', headers['x-request-id']]);
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  test('without a body has none', async () => {
    const reply = await rawCall('GET', `${ECHO}/unchanged`);
    reply.resume();
    expect([reply.statusCode, reply.headers.etag]).toEqual([304, '"1"']);
  });

  test('has the headers that keep a browser safe', async () => {
    const { headers } = await hub.call('GET', `${ECHO}/anyone`);
    expect(headers['content-security-policy']).toContain("script-src 'self';");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  });

  test('is measured from its arrival to its answer', async () => {
    await hub.call('GET', `${ECHO}/slow`);
    const sum = 'outrider_http_request_duration_seconds_sum';
    expect(await hub.metrics.metrics()).toContain(
      `${sum}{service="echo",route="${ECHO}/slow",method="GET",status="200"} 0.3`,
    );
  });

  test('is measured under its route and not its address', async () => {
    await hub.call('GET', `${ECHO}/viewer/12345`, { token: viewer.token });
    await hub.call('GET', '/api/v1/nothing');
    const text = await hub.metrics.metrics();
    const count = 'outrider_http_request_duration_seconds_count';
    expect(text).toContain(`${count}{service="echo",route="${ECHO}/viewer/:id",method="GET",status="200"}`);
    expect(text).toContain(`${count}{service="gateway",route="refused",method="GET",status="404"}`);
    expect(text).not.toContain('12345');
  });
});

describe('an event stream', () => {
  const open = async (headers: Record<string, string>): Promise<IncomingMessage> => {
    const reply = await rawCall('GET', `${ECHO}/stream`, { accept: 'text/event-stream', ...headers });
    await new Promise((resolve) => reply.once('data', resolve));
    return reply;
  };
  const ended = (reply: IncomingMessage): Promise<void> =>
    new Promise((resolve) => reply.on('error', () => undefined).once('close', resolve));

  test('opens with the cookie, is not held back, and ends inside when its reader leaves', async () => {
    const reply = await open({ cookie: viewer.cookie, 'accept-encoding': 'gzip' });
    expect(reply.headers).toMatchObject({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    expect(reply.headers).not.toHaveProperty('content-encoding');
    expect(streams.size).toBe(1);
    reply.destroy();
    await expect.poll(() => streams.size).toBe(0);
  });

  test('lives on when its session is renewed, and ends with the session', async () => {
    const reply = await open({ cookie: viewer.cookie });
    const over = ended(reply);
    const renewed = await hub.call('POST', '/api/v1/auth/refresh', { cookie: viewer.cookie });
    await hub.clock.advance(60_000);
    await hub.call('GET', `${ECHO}/anyone`);
    expect(reply.destroyed).toBe(false);
    await hub.call('POST', '/api/v1/auth/logout', { cookie: renewed.cookie });
    await hub.clock.advance(30_000);
    await over;
    await expect.poll(() => streams.size).toBe(0);
  });

  test('that a key opened ends when the key is removed', async () => {
    const body = { name: 'reader', role: 'viewer' };
    const made = await hub.call('POST', '/api/v1/users/api-keys', { token: viewer.token, body });
    const over = ended(await open({ authorization: `Bearer ${String(made.body['key'])}` }));
    await hub.call('DELETE', `/api/v1/users/api-keys/${String(made.body['id'])}`, { token: viewer.token });
    await hub.clock.advance(30_000);
    await over;
  });
});

describe('the page', () => {
  const get = (path: string, headers: Record<string, string> = { accept: 'text/html' }) =>
    hub.listener.inject({ method: 'GET', url: path, headers });

  test('is the answer to every address of the page, always fresh', async () => {
    for (const path of ['/', '/hosts/web-1?range=-2h', '/register?invitation=x']) {
      const reply = await get(path);
      expect([reply.statusCode, reply.headers['cache-control']]).toEqual([200, 'no-cache']);
      expect(reply.body).toContain('The page');
    }
    const { headers } = await get('/');
    const again = await get('/', { accept: 'text/html', 'if-none-match': String(headers.etag) });
    expect(again.statusCode).toBe(304);
  });

  test('has files that are kept for ever, and a missing one is missing', async () => {
    const file = await get('/assets/main-1a2b3c.js', { 'accept-encoding': 'gzip' });
    expect(file.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(file.headers['content-encoding']).toBe('gzip');
    // A page that is built anew beside a running hub has other names.
    writeFileSync(join(folder, 'assets', 'main-4d5e6f.js'), '// new');
    expect((await get('/assets/main-4d5e6f.js')).body).toBe('// new');
    for (const path of ['/assets/main-old.js', '/api/v2/x', '/api/v1/x', '/internal/x'])
      expect([path, (await get(path)).statusCode]).toEqual([path, 404]);
    expect((await get('/hosts', { accept: 'application/json' })).json()).toMatchObject({ code: 'http.not-found' });
  });
});
