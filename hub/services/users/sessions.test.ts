import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { KEY_LIFE_MS } from './access-token.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const API = '/api/v1/users';

let hub: StartedUsers;
let person: SignedInPerson;
beforeAll(async () => {
  hub = await startUsers();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  person = await hub.join('viewer');
});

const refresh = (cookie: string, headers: Record<string, string> = {}) =>
  hub.call('POST', '/api/v1/auth/refresh', { cookie, headers });
const login = (username: string, password: string, ip?: string) =>
  hub.call('POST', '/api/v1/auth/login', { body: { username, password }, ip });
const profile = (token: string) => hub.call('GET', `${API}/profile`, { token });
const tokenOf = (reply: { body: Record<string, unknown> }): string => String(reply.body['accessToken']);

describe('signing in', () => {
  test('works by name or address in any case, and remembers when', async () => {
    const byName = await login(person.username.toUpperCase(), person.password);
    expect(byName.body).toMatchObject({ expiresIn: 300, user: { id: person.id, role: 'viewer' } });
    expect((await login(`${person.username}@example.org`, person.password)).status).toBe(200);
    const { token } = await hub.signIn(hub.owner);
    const { items } = (await hub.call('GET', `${API}?limit=1000`, { token })).body as { items: { id: string }[] };
    expect(items.find(({ id }) => id === person.id)).toMatchObject({ lastLoginMs: hub.clock.now() });
  });

  test('gives an ES256 token of minutes, and a cookie that no script reads and no other site sends', async () => {
    const reply = await login(person.username, person.password);
    expect(decodeProtectedHeader(tokenOf(reply))).toMatchObject({ alg: 'ES256', typ: 'JWT' });
    const { exp = 0, iat = 0, sub } = decodeJwt(tokenOf(reply));
    expect([exp - iat, sub]).toEqual([300, person.id]);
    expect(reply.headers['set-cookie']).toMatch(
      /^outrider_session=[\w.-]{80}; Path=\/api\/v1; HttpOnly; SameSite=Strict; Max-Age=2592000$/,
    );
    expect(reply.headers['cache-control']).toBe('no-store');
  });

  test('says the same of a wrong password and of nobody', async () => {
    const [wrong, nobody] = [await login(person.username, 'wrong'), await login('nobody', 'wrong')];
    expect(wrong.body).toMatchObject({ code: 'users.wrong-credentials', status: 401 });
    expect({ ...nobody.body, instance: '' }).toEqual({ ...wrong.body, instance: '' });
    expect((await login('a\u0000b', 'wrong')).status).toBe(400);
  });

  test('is slowed down after five failures, and says for how long', async () => {
    for (let n = 0; n < 5; n++) expect((await login(person.username, 'wrong')).status).toBe(401);
    const held = await login(person.username, person.password);
    expect(held).toMatchObject({ status: 429, body: { code: 'users.throttled', retryAfter: 1 } });
    expect(held.headers['retry-after']).toBe('1');
    expect((await login(person.username, person.password, '198.51.100.9')).status).toBe(200);
    await hub.clock.advance(1000);
    expect((await login(person.username, person.password)).status).toBe(200);
  });

  test('from an IPv6 network counts as one', async () => {
    for (let n = 1; n <= 5; n++) await login(person.username, 'wrong', `2001:db8::${n}`);
    expect((await login(person.username, 'wrong', '2001:db8::99')).status).toBe(429);
    expect((await login(person.username, person.password, '2001:db8:0:1::1')).status).toBe(200);
  });
});

describe('a session', () => {
  test('is renewed with a new token each time, for days on end', async () => {
    let { cookie } = person;
    for (let day = 0; day < 40; day++) {
      await hub.clock.advance(DAY);
      const reply = await refresh(cookie);
      expect(reply.status).toBe(200);
      expect(reply.cookie).not.toBe(cookie);
      cookie = reply.cookie ?? '';
    }
  });

  test('of two tabs that come at once is one session: both get the same successor', async () => {
    const replies = await Promise.all([refresh(person.cookie), refresh(person.cookie), refresh(person.cookie)]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(replies.map(({ cookie }) => cookie)).size).toBe(1);
    await hub.clock.advance(9_999);
    expect((await refresh(person.cookie)).cookie).toBe(replies[0]?.cookie);
    expect((await refresh(replies[0]?.cookie ?? '')).status).toBe(200);
  });

  test('whose old token is used after the grace ends for everyone who has a part of it', async () => {
    const { cookie = '' } = await refresh(person.cookie);
    await hub.clock.advance(10_000);
    expect((await refresh(person.cookie)).body['code']).toBe('users.session-reused');
    expect((await refresh(cookie)).body['code']).toBe('users.session-ended');
  });

  test('of a token two generations old ends too, however fast it came', async () => {
    const second = await refresh(person.cookie);
    const third = await refresh(second.cookie ?? '');
    expect((await refresh(person.cookie)).body['code']).toBe('users.session-reused');
    expect((await refresh(third.cookie ?? '')).status).toBe(401);
  });

  test('that nobody used for its days is over and forgotten', async () => {
    await hub.clock.advance(30 * DAY);
    expect((await refresh(person.cookie)).body['code']).toBe('users.session-ended');
  });

  test('ends with signing out, and the cookie goes', async () => {
    const out = await hub.call('POST', '/api/v1/auth/logout', { cookie: person.cookie });
    expect([out.status, out.cookie]).toEqual([204, 'outrider_session=']);
    expect((await refresh(person.cookie)).status).toBe(401);
    expect((await hub.call('POST', '/api/v1/auth/logout')).status).toBe(204);
    expect(await hub.call('POST', '/api/v1/auth/refresh')).toMatchObject({ status: 204, cookie: undefined });
  });

  test('is not renewed or ended by a page of another site, nor by garbage', async () => {
    const foreign: Record<string, string>[] = [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }];
    for (const headers of foreign) {
      expect((await refresh(person.cookie, headers)).body['code']).toBe('gateway.cross-site');
      const out = await hub.call('POST', '/api/v1/auth/logout', { cookie: person.cookie, headers });
      expect(out.status).toBe(403);
    }
    for (const cookie of ['outrider_session=x', `outrider_session=${'-'.repeat(36)}.${'a'.repeat(43)}`])
      expect((await refresh(cookie)).status).toBe(401);
    expect((await refresh(person.cookie, { 'sec-fetch-site': 'same-origin' })).status).toBe(200);
  });

  test('is listed with the others and ended from any of them, but not by somebody else', async () => {
    const other = await hub.signIn(person, { headers: { 'user-agent': 'Another browser' } });
    const listed = (await hub.call('GET', `${API}/sessions`, { token: person.token })).body;
    expect(listed).toMatchObject({ total: 2, limit: 50, offset: 0 });
    const items = listed['items'] as { id: string; agent: string; current: boolean }[];
    const theirs = items.find(({ current }) => !current);
    expect(theirs?.agent).toBe('Another browser');
    const path = `${API}/sessions/${theirs?.id ?? ''}`;
    const [stranger, outsider] = [await hub.join('admin'), await hub.outsider()];
    for (const { token } of [stranger, outsider]) expect((await hub.call('DELETE', path, { token })).status).toBe(404);
    expect((await hub.call('DELETE', path, { token: person.token })).status).toBe(204);
    expect((await refresh(other.cookie)).status).toBe(401);
    expect((await refresh(person.cookie)).status).toBe(200);
  });
});

describe('access tokens', () => {
  test('end after five minutes', async () => {
    expect((await profile(person.token)).status).toBe(200);
    await hub.clock.advance(5 * MINUTE);
    expect((await profile(person.token)).body['code']).toBe('gateway.token-expired');
  });

  test('are signed with a new key every month, and the old one is trusted for a while', async () => {
    const before = decodeProtectedHeader(person.token).kid;
    await hub.clock.advance(KEY_LIFE_MS + 60 * MINUTE);
    const kidNow = async (): Promise<string | undefined> => decodeProtectedHeader((await hub.signIn(person)).token).kid;
    await expect.poll(kidNow).not.toBe(before);
    const { keys } = await hub.peers.json<{ keys: Record<string, string>[] }>('users', {
      method: 'GET',
      path: '/internal/users/jwks',
    });
    expect(keys.map(({ kid }) => kid)).toContain(before);
    expect(keys.every((key) => !('d' in key))).toBe(true);
    expect((await profile((await hub.signIn(person)).token)).status).toBe(200);
  });
});

describe('a password', () => {
  const change = (old: string, wanted: string) =>
    hub.call('POST', `${API}/password`, { token: person.token, body: { old, new: wanted } });

  test('is changed by who knows the old one; other sessions end and the news is told', async () => {
    const told: string[] = [];
    const end = hub.bus.subscribe(SUBJECTS.passwordChanged, 'test', async (_org, { user }) => void told.push(user));
    const other = await hub.signIn(person);
    expect((await change('not the old one', 'another long phrase')).body['code']).toBe('users.wrong-password');
    const changed = await change(person.password, 'another long phrase');
    expect(changed.status).toBe(200);
    expect((await refresh(changed.cookie ?? '')).status).toBe(200);
    expect((await refresh(other.cookie)).status).toBe(401);
    expect((await login(person.username, person.password)).status).toBe(401);
    expect((await login(person.username, 'another long phrase')).status).toBe(200);
    expect(told).toEqual([person.id]);
    end();
  });

  test('is not guessed through a page that was left open', async () => {
    for (let n = 0; n < 5; n++) expect((await change('wrong', 'another long phrase')).status).toBe(403);
    expect((await change(person.password, 'another long phrase')).body['code']).toBe('users.throttled');
  });

  test('must be long and not one’s own name', async () => {
    for (const wanted of ['short', `${person.username}123`, 'aaaaaaaaaaaaaaaaaa'])
      expect((await change(person.password, wanted)).body['code']).toBe('users.weak-password');
  });

  test('that was lost is replaced from the hub’s machine', async () => {
    const reset = (username: string) =>
      hub.peers.json<{ password: string }>('users', {
        method: 'POST',
        path: '/internal/users/reset',
        body: JSON.stringify({ username }),
      });
    const { password } = await reset(person.username);
    expect((await login(person.username, password)).status).toBe(200);
    expect((await refresh(person.cookie)).status).toBe(401);
    await expect(reset('nobody')).rejects.toMatchObject({ code: 'users.not-found' });
  });
});

test('a profile is changed by its person, and a name that is taken is refused', async () => {
  const { token } = person;
  const put = (body: unknown) => hub.call('PUT', `${API}/profile`, { token, body });
  expect((await put({ email: 'Somebody.New@example.org' })).status).toBe(204);
  expect((await profile(token)).body).toMatchObject({ email: 'Somebody.New@example.org', username: person.username });
  expect((await put({ username: 'Admin' })).body['code']).toBe('users.taken');
  expect((await put({})).status).toBe(400);
  expect((await hub.call('GET', `${API}/profile`)).status).toBe(401);
});
