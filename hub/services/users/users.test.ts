import { randomUUID } from 'node:crypto';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { UsersTables } from './tables.ts';

const DAY = 86_400_000;
const PASSWORD = 'a long enough phrase';
const API = '/api/v1/users';

let hub: StartedUsers;
let owner: SignedInPerson;
beforeAll(async () => {
  hub = await startUsers();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  owner = await hub.signIn(hub.owner);
});

const invite = async (from: SignedInPerson, body: Record<string, unknown>): Promise<string> => {
  const made = await hub.call('POST', `${API}/invitations`, { token: from.token, body });
  expect(made.status).toBe(201);
  return new URL(String(made.body['link'])).searchParams.get('invitation') ?? '';
};
const register = (more: Record<string, unknown>) => {
  const username = `new-${randomUUID().slice(0, 8)}`;
  const body = { username, email: `${username}@example.org`, password: PASSWORD, ...more };
  return hub.call('POST', '/api/v1/auth/register', { body });
};
const settings = (registrationOpen: boolean) =>
  hub.call('PUT', `${API}/settings`, { token: owner.token, body: { name: 'Machine room', registrationOpen } });

describe('the first administrator', () => {
  test('is made once, as the owner of an organisation', async () => {
    const again = await hub.peers.json('users', { method: 'POST', path: '/internal/users/first-administrator' });
    expect(again).toEqual({ created: false });
    const { body } = await hub.call('GET', `${API}/profile`, { token: owner.token });
    expect(body).toMatchObject({ username: 'admin', role: 'owner', org: owner.org });
  });
});

describe('registering', () => {
  test('is closed until an administrator opens it, and makes viewers of the first organisation then', async () => {
    expect((await register({})).body['code']).toBe('users.registration-closed');
    expect((await settings(true)).status).toBe(204);
    const made = await register({});
    expect(made.status).toBe(201);
    expect(made.body['user']).toMatchObject({ role: 'viewer', org: owner.org });
    await settings(false);
    expect((await register({})).status).toBe(403);
  });

  test('a viewer may read the settings and not change them', async () => {
    const { token } = await hub.join('viewer');
    const body = { name: 'Mine', registrationOpen: true };
    expect((await hub.call('GET', `${API}/settings`, { token })).status).toBe(200);
    expect((await hub.call('PUT', `${API}/settings`, { token, body })).status).toBe(403);
  });

  test('an invitation gives its role once', async () => {
    const invitation = await invite(owner, { role: 'editor' });
    expect((await register({ invitation })).body['user']).toMatchObject({ role: 'editor', org: owner.org });
    expect((await register({ invitation })).body['code']).toBe('users.invitation-ended');
    expect((await register({ invitation: 'x'.repeat(43) })).body['code']).toBe('users.invitation-ended');
  });

  test('an invitation ends on its day', async () => {
    const invitation = await invite(owner, { role: 'viewer', days: 1 });
    await hub.clock.advance(DAY);
    expect((await register({ invitation })).status).toBe(410);
  });

  test('an invitation for an address is for that address alone', async () => {
    const invitation = await invite(owner, { role: 'viewer', email: 'Grace@example.org' });
    expect((await register({ invitation })).body['code']).toBe('users.other-invited');
    expect((await register({ invitation, email: 'grace@EXAMPLE.org' })).status).toBe(201);
  });

  test('an invitation does not outlive the right to make it', async () => {
    const admin = await hub.join('admin');
    const invitation = await invite(admin, { role: 'viewer' });
    await hub.call('PUT', `${API}/${admin.id}`, { token: owner.token, body: { role: 'viewer' } });
    expect((await register({ invitation })).status).toBe(410);
  });

  test('invitations are listed and withdrawn by administrators of their organisation alone', async () => {
    const made = await hub.call('POST', `${API}/invitations`, { token: owner.token, body: { role: 'viewer' } });
    const id = String(made.body['id']);
    const [editor, outsider] = [await hub.join('editor'), await hub.outsider()];
    expect((await hub.call('GET', `${API}/invitations`, { token: editor.token })).status).toBe(403);
    expect((await hub.call('GET', `${API}/invitations`, { token: outsider.token })).body['total']).toBe(0);
    expect((await hub.call('DELETE', `${API}/invitations/${id}`, { token: outsider.token })).status).toBe(404);
    const { items } = (await hub.call('GET', `${API}/invitations?limit=1`, { token: owner.token })).body;
    expect(items).toHaveLength(1);
    expect((await hub.call('DELETE', `${API}/invitations/${id}`, { token: owner.token })).status).toBe(204);
  });

  test('names and addresses are taken once in the installation, in any case', async () => {
    const outsider = await hub.outsider();
    const invitation = await invite(owner, { role: 'viewer' });
    const username = outsider.username.toUpperCase();
    expect((await register({ invitation, username })).body['code']).toBe('users.taken');
    expect((await register({ invitation, email: `${outsider.username}@EXAMPLE.org` })).body['code']).toBe(
      'users.taken',
    );
    expect((await register({ invitation })).status).toBe(201);
  });

  test('bad input is refused before anything happens', async () => {
    const invitation = await invite(owner, { role: 'viewer' });
    const bad = [
      { password: 'short' },
      { username: 'a@example.org' },
      { username: 'a\u0000b' },
      { email: 'nobody' },
      { role: 'owner' },
    ];
    for (const more of bad) expect((await register({ invitation, ...more })).status).toBe(400);
  });
});

describe('members', () => {
  test('are listed for administrators, each organisation its own', async () => {
    const outsider = await hub.outsider();
    const { body } = await hub.call('GET', API, { token: outsider.token });
    expect(body).toMatchObject({ total: 1, limit: 50, offset: 0, items: [{ id: outsider.id, role: 'owner' }] });
    const editor = await hub.join('editor');
    expect((await hub.call('GET', API, { token: editor.token })).body['code']).toBe('http.forbidden');
  });

  test('nobody gives a role above their own or changes somebody above them', async () => {
    const [admin, viewer] = [await hub.join('admin'), await hub.join('viewer')];
    const change = (id: string, body: unknown) => hub.call('PUT', `${API}/${id}`, { token: admin.token, body });
    expect((await change(viewer.id, { role: 'owner' })).body['code']).toBe('users.above-you');
    expect((await change(admin.id, { role: 'owner' })).body['code']).toBe('users.above-you');
    expect((await change(owner.id, { disabled: true })).body['code']).toBe('users.above-you');
    expect((await hub.call('DELETE', `${API}/${owner.id}`, { token: admin.token })).status).toBe(403);
    const body = { role: 'owner' };
    expect((await hub.call('POST', `${API}/invitations`, { token: admin.token, body })).status).toBe(403);
    expect((await change(viewer.id, { role: 'admin' })).status).toBe(204);
  });

  test('who was demoted a moment ago cannot use the rest of an old token against others', async () => {
    const [admin, viewer] = [await hub.join('admin'), await hub.join('viewer')];
    await hub.call('PUT', `${API}/${admin.id}`, { token: owner.token, body: { role: 'viewer' } });
    const body = { role: 'admin' };
    expect((await hub.call('PUT', `${API}/${viewer.id}`, { token: admin.token, body })).status).toBe(403);
    expect((await hub.call('POST', `${API}/invitations`, { token: admin.token, body })).status).toBe(403);
  });

  test('of another organisation can be neither changed nor removed', async () => {
    const [viewer, outsider] = [await hub.join('viewer'), await hub.outsider()];
    const given = { token: outsider.token, body: { role: 'admin' } };
    expect((await hub.call('PUT', `${API}/${viewer.id}`, given)).body['code']).toBe('users.not-found');
    expect((await hub.call('DELETE', `${API}/${viewer.id}`, { token: outsider.token })).status).toBe(404);
  });

  test('the last owner stays: neither removed, demoted nor switched off', async () => {
    const last = await hub.outsider();
    const change = (body: unknown) => hub.call('PUT', `${API}/${last.id}`, { token: last.token, body });
    expect((await change({ role: 'admin' })).body['code']).toBe('users.last-owner');
    expect((await change({ disabled: true })).body['code']).toBe('users.last-owner');
    expect((await hub.call('DELETE', `${API}/${last.id}`, { token: last.token })).status).toBe(409);
  });

  test('two owners who demote each other at once leave one', async () => {
    const second = await hub.join('owner');
    const body = { role: 'admin' };
    const replies = await Promise.all([
      hub.call('PUT', `${API}/${second.id}`, { token: owner.token, body }),
      hub.call('PUT', `${API}/${owner.id}`, { token: second.token, body }),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 403]);
    const [demoted, other] = replies[0]?.status === 204 ? [second, owner] : [owner, second];
    await hub.call('PUT', `${API}/${demoted.id}`, { token: other.token, body: { role: 'owner' } });
    await hub.call('DELETE', `${API}/${second.id}`, { token: owner.token });
  });

  test('who is switched off is out at once and cannot sign in', async () => {
    const viewer = await hub.join('viewer');
    await hub.call('PUT', `${API}/${viewer.id}`, { token: owner.token, body: { disabled: true } });
    expect((await hub.call('POST', '/api/v1/auth/refresh', { cookie: viewer.cookie })).status).toBe(401);
    const body = { username: viewer.username, password: viewer.password };
    expect((await hub.call('POST', '/api/v1/auth/login', { body })).body['code']).toBe('users.disabled');
  });

  test('who is removed is gone with keys and sessions', async () => {
    const editor = await hub.join('editor');
    await hub.call('POST', `${API}/api-keys`, { token: editor.token, body: { name: 'ci', role: 'viewer' } });
    expect((await hub.call('DELETE', `${API}/${editor.id}`, { token: owner.token })).status).toBe(204);
    const left = await hub.relational.forOrg<UsersTables, number>('users', owner.org, async (db) => {
      const keys = await db.selectFrom('api_keys').selectAll().where('user_id', '=', editor.id).execute();
      const open = await db.selectFrom('sessions').selectAll().where('user_id', '=', editor.id).execute();
      return keys.length + open.length;
    });
    expect(left).toBe(0);
  });
});

describe('the database', () => {
  test('gives an organisation no row of another, and the service no signing key', async () => {
    const outsider = await hub.outsider();
    const seen = await hub.relational.forOrg<UsersTables, string[]>('users', outsider.org, async (db) =>
      (await db.selectFrom('users').select('org_id').execute()).map((row) => row.org_id),
    );
    expect(seen).toEqual([outsider.org]);
    const none = await hub.relational.outside<UsersTables, unknown[]>('users', (db) =>
      db.selectFrom('users').selectAll().execute(),
    );
    expect(none).toEqual([]);
    const keys = hub.relational.outside<{ signing_keys: { kid: string } }, unknown>('users', (db) =>
      db.selectFrom('signing_keys').selectAll().execute(),
    );
    await expect(keys).rejects.toThrow('permission denied');
  });
});
