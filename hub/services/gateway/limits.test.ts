import { startUsers, type StartedUsers } from '#kit/sign-in.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

let hub: StartedUsers;
beforeAll(async () => {
  const limits = { requestsPerSecond: 5, burst: 10, signInsPerSecond: 1, signInBurst: 4 };
  hub = await startUsers([], { limits, publicUrl: 'https://hub.example:8080' });
});
afterAll(() => hub.stop());

const profile = (token: string, ip: string) => hub.call('GET', '/api/v1/users/profile', { token, ip });

test('a person may call so often wherever they are, and is told how often', async () => {
  const { token } = await hub.signIn(hub.owner, { ip: '198.51.100.1' });
  const first = await profile(token, '198.51.100.1');
  expect(first.headers).toMatchObject({ 'ratelimit-limit': '10', 'ratelimit-remaining': '9', 'ratelimit-reset': '1' });
  for (let n = 2; n <= 10; n++) expect((await profile(token, `198.51.100.${n}`)).status).toBe(200);
  const refused = await profile(token, '198.51.100.1');
  expect(refused.body).toMatchObject({ status: 429, code: 'gateway.too-many-requests', retryAfter: 1 });
  expect(refused.headers['retry-after']).toBe('1');
  await hub.clock.advance(200);
  expect((await profile(token, '198.51.100.1')).status).toBe(200);
});

test('signing in is rarer, by address', async () => {
  const refresh = (ip: string) => hub.call('POST', '/api/v1/auth/refresh', { ip });
  for (let n = 0; n < 4; n++) expect((await refresh('203.0.113.1')).status).toBe(204);
  expect((await refresh('203.0.113.1')).status).toBe(429);
  expect((await refresh('203.0.113.2')).status).toBe(204);
});

test('an address that keeps sending wrong keys is not listened to for a while', async () => {
  for (let n = 0; n < 8; n++) expect((await profile(`ork_${n}`, '203.0.113.9')).status).toBe(401);
  expect((await profile('ork_9', '203.0.113.9')).status).toBe(429);
  expect((await profile('ork_9', '203.0.113.8')).status).toBe(401);
  await hub.clock.advance(1000);
  expect((await profile('ork_9', '203.0.113.9')).status).toBe(401);
});

test('where people come by https the cookie travels by https alone, and browsers are told to stay there', async () => {
  const reply = await hub.call('POST', '/api/v1/auth/login', { body: hub.owner, ip: '203.0.113.20' });
  expect(String(reply.headers['set-cookie'])).toMatch(/; Secure$/);
  expect(reply.headers['strict-transport-security']).toContain('max-age=31536000');
  const out = await hub.call('POST', '/api/v1/auth/logout', { cookie: reply.cookie, ip: '203.0.113.20' });
  expect(String(out.headers['set-cookie'])).toMatch(/Max-Age=0; Secure$/);
});
