import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger, systemClock, type GuardedFetch, type Message } from '#sdk';
import { webhook } from './index.ts';
import { sign, verify } from './signature.ts';

const MESSAGE: Message = {
  key: 'firing-1:firing',
  threads: ['firing-1'],
  state: 'firing',
  severity: 'warning',
  title: 'CPU use on web-1 is 93 %, above 90 %',
  text: 'For 2 min.',
  facts: [['Value', '93 %']],
  url: 'http://127.0.0.1:8080/alerts',
  at: 1_700_000_000_000,
};
const signal = new AbortController().signal;

let server: Server;
let url = '';
let answer = 200;
const received: { headers: IncomingHttpHeaders; body: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString()));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(answer).end('because of the weather');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Stands for the hub's guard, which has tests of its own. */
const call: GuardedFetch = async (to, init) => {
  const reply = await fetch(to, { ...init, redirect: 'manual' });
  return { status: reply.status, text: await reply.text() };
};

function channel(settings: { secret?: string; authorization?: string } = {}) {
  const config = { url, secret: '', authorization: '', ...settings };
  return webhook.create({ config, log: silentLogger, clock: systemClock, fetch: call });
}

test('a message is posted with a signature that its receiver can check', async () => {
  answer = 204;
  await channel({ secret: 'between us', authorization: 'Bearer abc' }).send(MESSAGE, signal);
  const { headers, body } = received.at(-1) ?? { headers: {}, body: '' };
  expect(JSON.parse(body)).toMatchObject({
    version: 1,
    key: MESSAGE.key,
    state: 'firing',
    facts: [{ label: 'Value', value: '93 %' }],
  });
  expect(headers).toMatchObject({
    'x-outrider-delivery': MESSAGE.key,
    authorization: 'Bearer abc',
    'content-type': 'application/json',
  });
  const given = { secret: 'between us', body, nowMs: Date.now(), toleranceMs: 300_000 };
  const signature = String(headers['x-outrider-signature']);
  expect(verify(signature, given)).toBe(true);
  expect(verify(signature, { ...given, secret: 'of others' })).toBe(false);
  expect(verify(signature, { ...given, nowMs: given.nowMs + 600_000 })).toBe(false);
});

test('without a secret nothing is signed', async () => {
  answer = 200;
  await channel().send(MESSAGE, signal);
  expect(received.at(-1)?.headers['x-outrider-signature']).toBeUndefined();
});

test.each([
  [408, true], [429, true], [500, true], [503, true],
  [301, false], [400, false], [401, false], [404, false], [410, false],
])('answer %d says whether to try again: %s', async (status, retryable) => {
  answer = status;
  await expect(channel().send(MESSAGE, signal)).rejects.toMatchObject({
    name: 'Problem',
    retryable,
    message: expect.stringContaining(`answered ${status}: because of the weather`) as string,
  });
}); // prettier-ignore

test('a changed body, time or secret never fits a signature', () => {
  const text = fc.string({ unit: 'binary', maxLength: 50 });
  fc.assert(
    fc.property(text, text, fc.integer({ min: 0, max: 2e12 }), (secret, body, timeMs) => {
      const given = { secret, body, nowMs: timeMs, toleranceMs: 1000 };
      const signature = sign(secret, timeMs, body);
      expect(verify(signature, given)).toBe(true);
      expect(verify(signature, { ...given, body: `${body}x` })).toBe(false);
      expect(verify(signature, { ...given, secret: `${secret}x` })).toBe(false);
      expect(verify(signature.replace('t=', 't=1'), { ...given, toleranceMs: Infinity })).toBe(false);
      expect(verify(body, given)).toBe(false);
    }),
  );
});
