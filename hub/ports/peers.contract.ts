import { setTimeout as delay } from 'node:timers/promises';
import { Problem, silentLogger, systemClock } from '#sdk';
import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServiceApp, OUTSIDE_HEADER, type ServiceApp } from '../http.ts';
import { openEventStream } from '../event-stream.ts';
import type { Principal } from '../principal.ts';
import type { Peers } from './peers.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const PERSON: Principal = { org: ORG, user: ORG, name: 'on-call engineer', role: 'editor', via: 'session' };

/** Peers that reach some apps, and how to end them. */
export interface MadePeers {
  peers: Peers;
  stop(): Promise<void>;
}

/** A service that answers who asks, how much time is left, and whatever else the cases need. */
async function echo(gone: () => void, peers: () => Peers): Promise<ServiceApp> {
  const app = await createServiceApp('echo', silentLogger);
  const service = { role: 'service' } as const;
  app.get('/internal/echo/who', { config: service }, (request) => ({ principal: request.principal }));
  app.get('/api/v1/echo/mine', { config: { role: 'editor' } }, (request) => ({ principal: request.principal }));
  app.get('/api/v1/echo/owners', { config: { role: 'owner' } }, () => ({}));
  app.route({
    method: ['GET', 'POST', 'PUT', 'DELETE'],
    url: '/internal/echo/call/*',
    config: service,
    handler: ({ method, url, headers, body }) => ({
      method,
      url,
      id: headers['x-request-id'],
      given: headers['x-given'],
      body: body ?? null,
    }),
  });
  app.post(
    '/internal/echo/json',
    { config: service, schema: { body: Type.Object({ n: Type.Integer() }) } },
    ({ body }) => body,
  );
  app.get('/internal/echo/refuse', { config: service }, () => {
    throw new Problem('echo.full', { status: 507, title: 'It is full.' }, 'No room is left.', { facts: { bytes: 7 } });
  });
  app.get('/internal/echo/slow', { config: service }, async () => {
    await delay(1_500);
    return {};
  });
  app.get('/internal/echo/nested', { config: service }, async () => {
    const outcome = await peers()
      .call('echo', { method: 'GET', path: '/internal/echo/slow' })
      .then(
        () => 'answered',
        (error: Problem) => error.code,
      );
    return { outcome };
  });
  app.get('/internal/echo/stream', { config: service }, (_request, reply) => {
    const stream = openEventStream(systemClock, gone);
    stream.send('hello', { n: 1 });
    void delay(400).then(() => stream.send('hello', { n: 2 }));
    return reply.type('text/event-stream').send(stream.body);
  });
  app.get('/internal/echo/bytes', { config: service }, (_request, reply) =>
    reply.type('application/octet-stream').send(Buffer.alloc(3_000_000, 7)),
  );
  await app.ready();
  return app;
}

/** What any way to call a sister must do; `make` gives peers that reach the apps by name. */
export function peersContract(
  name: string,
  make: (apps: Readonly<Record<string, ServiceApp>>) => Promise<MadePeers>,
): void {
  describe(`peers ${name}`, () => {
    let made: MadePeers;
    let app: ServiceApp;
    let ended: Promise<void>;
    beforeEach(async () => {
      let end: () => void = () => undefined;
      ended = new Promise((resolve) => (end = resolve));
      app = await echo(
        () => end(),
        () => made.peers,
      );
      made = await make({ echo: app });
    });
    afterEach(async () => {
      await made.stop();
      await app.close();
    });
    const get = (path: string, more: object = {}) =>
      made.peers.json<Record<string, unknown>>('echo', { method: 'GET', path, ...more });
    const failure = (work: Promise<unknown>): Promise<Problem> =>
      work.then(
        () => expect.fail('it succeeded'),
        (error: Problem) => error,
      );

    test('method, path, query, headers and body arrive as they were sent', async () => {
      const call = {
        path: '/internal/echo/call/a%2Fb',
        query: 'x=1&y=%20',
        requestId: 'r-1',
        headers: { 'x-given': 'yes' },
      };
      const answer = { url: '/internal/echo/call/a%2Fb?x=1&y=%20', id: 'r-1', given: 'yes' };
      expect(await get(call.path, call)).toMatchObject({ ...answer, method: 'GET' });
      for (const method of ['POST', 'PUT', 'DELETE'] as const) {
        const body = JSON.stringify({ method });
        expect(await made.peers.json('echo', { ...call, method, body })).toMatchObject({
          ...answer,
          method,
          body: { method },
        });
      }
    });

    test('the principal arrives, and only what was given', async () => {
      expect(await get('/internal/echo/who')).toEqual({ principal: null });
      expect(await get('/api/v1/echo/mine', { principal: PERSON })).toEqual({ principal: PERSON });
      expect(await failure(get('/api/v1/echo/mine'))).toMatchObject({ code: 'http.unauthenticated', status: 401 });
      const header = Buffer.from(JSON.stringify(PERSON)).toString('base64url');
      if (name !== 'local')
        expect(await get('/internal/echo/who', { headers: { 'x-outrider-principal': header } })).toEqual({
          principal: null,
        });
    });

    test('a role is demanded where the service runs', async () => {
      expect(await failure(get('/api/v1/echo/owners', { principal: PERSON }))).toMatchObject({
        code: 'http.forbidden',
        status: 403,
      });
      expect(await failure(get('/internal/echo/who', { principal: PERSON }))).toMatchObject({ code: 'http.forbidden' });
      expect(await failure(get('/internal/echo/who', { headers: { [OUTSIDE_HEADER]: '1' } }))).toMatchObject({
        code: 'http.forbidden',
      });
    });

    test('a refusal comes back as the Problem that it was, with its facts', async () => {
      expect(await failure(get('/internal/echo/refuse'))).toMatchObject({
        code: 'echo.full',
        status: 507,
        message: 'No room is left.',
        facts: { bytes: 7 },
      });
      const invalid = made.peers.json('echo', { method: 'POST', path: '/internal/echo/json', body: '{"n":"x"}' });
      expect(await failure(invalid)).toMatchObject({ code: 'http.invalid-request', status: 400 });
    });

    test('a status is an answer, not a rejection', async () => {
      const reply = await made.peers.call('echo', { method: 'GET', path: '/internal/echo/nowhere' });
      expect(reply.status).toBe(404);
      reply.body.resume();
    });

    test('an unknown service is named', async () => {
      expect(await failure(made.peers.call('nobody', { method: 'GET', path: '/x' }))).toMatchObject({
        code: 'peers.unknown-service',
        message: expect.stringContaining('nobody') as string,
      });
    });

    test('large bodies arrive whole', async () => {
      const reply = await made.peers.call('echo', { method: 'GET', path: '/internal/echo/bytes' });
      let size = 0;
      for await (const part of reply.body) size += (part as Buffer).length;
      expect(size).toBe(3_000_000);
    });

    test('who waits too long is told so, and waits no longer', async () => {
      const late = await failure(get('/internal/echo/slow', { deadlineMs: 100 }));
      expect(late).toMatchObject({ code: 'peers.late', retryable: true });
    });

    test('a deadline travels with the call: what it calls has no more time than it has', async () => {
      expect(
        await get('/internal/echo/nested', { deadlineMs: 1_000 }).catch(({ code }: Problem) => ({ outcome: code })),
      ).toEqual({ outcome: 'peers.late' });
      expect(await get('/internal/echo/nested', { deadlineMs: 9_000 })).toEqual({ outcome: 'answered' });
    });

    test('an event stream arrives as it is made, outlives the deadline, and ends when its reader goes', async () => {
      const reader = new AbortController();
      const reply = await made.peers.call('echo', {
        method: 'GET',
        path: '/internal/echo/stream',
        signal: reader.signal,
        deadlineMs: 250,
      });
      expect(reply.headers['content-type']).toContain('text/event-stream');
      let text = '';
      reply.body.on('error', () => undefined);
      reply.body.on('data', (part: Buffer) => (text += part.toString()));
      await expect.poll(() => text).toContain('{"n":2}');
      reader.abort();
      if (!reply.body.destroyed) reply.body.destroy();
      await ended;
    });

    test('a caller who is gone before the answer is a rejection', async () => {
      const gone = new AbortController();
      const answer = failure(
        made.peers.call('echo', { method: 'GET', path: '/internal/echo/slow', signal: gone.signal }),
      );
      gone.abort();
      expect((await answer) instanceof Error).toBe(true);
    });
  });
}
