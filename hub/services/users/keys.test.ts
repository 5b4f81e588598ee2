import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const DAY = 86_400_000;
const API = '/api/v1/users';

let hub: StartedUsers;
let editor: SignedInPerson;
beforeAll(async () => {
  hub = await startUsers();
});
afterAll(() => hub.stop());
beforeEach(async () => {
  editor = await hub.join('editor');
});

const create = (person: SignedInPerson, body: Record<string, unknown>) =>
  hub.call('POST', `${API}/api-keys`, { token: person.token, body });
const keyOf = async (person: SignedInPerson, more: Record<string, unknown> = {}) => {
  const { body } = await create(person, { name: 'pipeline', role: 'viewer', ...more });
  return { id: String(body['id']), key: String(body['key']) };
};
const profile = (token: string) => hub.call('GET', `${API}/profile`, { token });
const list = async (person: SignedInPerson) => (await hub.call('GET', `${API}/api-keys`, { token: person.token })).body;

test('a key is shown once, works for its owner, and its last use is noted', async () => {
  const { key } = await keyOf(editor);
  expect(key).toMatch(/^ork_[\w-]{43}$/);
  expect((await profile(key)).body).toMatchObject({ id: editor.id, username: editor.username });
  const listed = await list(editor);
  expect(listed).toMatchObject({ total: 1, items: [{ name: 'pipeline', role: 'viewer', expiresMs: null }] });
  expect(JSON.stringify(listed)).not.toContain(key);
  expect(listed['items']).toMatchObject([{ prefix: key.slice(0, 8), lastUsedMs: hub.clock.now() }]);
});

test('a key is never wider than its owner, also when the owner is demoted later', async () => {
  expect((await create(editor, { name: 'x', role: 'admin' })).body['code']).toBe('users.above-you');
  const admin = await hub.join('admin');
  const { key } = await keyOf(admin, { role: 'admin' });
  expect((await hub.call('GET', API, { token: key })).status).toBe(200);
  const { token } = await hub.signIn(hub.owner);
  await hub.call('PUT', `${API}/${admin.id}`, { token, body: { role: 'viewer' } });
  await hub.clock.advance(10_000);
  expect((await hub.call('GET', API, { token: key })).status).toBe(403);
});

test('on the hub’s own machine a key is made in the name of a user, and of nobody else', async () => {
  const make = (body: object) =>
    hub.peers.json<{ key: string }>('users', {
      method: 'POST',
      path: '/internal/users/keys',
      body: JSON.stringify(body),
    });
  const wanted = { username: editor.username, name: 'backup', role: 'editor', days: 7 };
  const { key } = await make(wanted);
  expect((await profile(key)).body).toMatchObject({ id: editor.id, username: editor.username });
  expect(await list(editor)).toMatchObject({ total: 1, items: [{ name: 'backup', role: 'editor' }] });
  await expect(make({ ...wanted, role: 'admin' })).rejects.toMatchObject({ code: 'users.above-you' });
  await expect(make({ ...wanted, username: 'nobody' })).rejects.toMatchObject({ code: 'users.not-found' });
});

test('a removed key is refused within ten seconds', async () => {
  const { id, key } = await keyOf(editor);
  expect((await profile(key)).status).toBe(200);
  expect((await hub.call('DELETE', `${API}/api-keys/${id}`, { token: editor.token })).status).toBe(204);
  await hub.clock.advance(10_000);
  expect((await profile(key)).body).toMatchObject({ status: 401, code: 'users.unknown-key' });
});

test('a key ends on its day, and with its owner’s account', async () => {
  const { key } = await keyOf(editor, { days: 1 });
  await hub.clock.advance(DAY - 1);
  expect((await profile(key)).status).toBe(200);
  await hub.clock.advance(10_000);
  expect((await profile(key)).status).toBe(401);
  const again = await hub.signIn(editor);
  const lasting = await keyOf(again);
  const { token } = await hub.signIn(hub.owner);
  await hub.call('PUT', `${API}/${editor.id}`, { token, body: { disabled: true } });
  expect((await profile(lasting.key)).status).toBe(401);
});

test('keys are seen and removed by their owner alone', async () => {
  const { id } = await keyOf(editor);
  const [admin, outsider] = [await hub.join('admin'), await hub.outsider()];
  for (const person of [admin, outsider]) {
    expect(await list(person)).toMatchObject({ total: 0 });
    const gone = await hub.call('DELETE', `${API}/api-keys/${id}`, { token: person.token });
    expect(gone.body['code']).toBe('users.not-found');
  }
  expect(await list(editor)).toMatchObject({ total: 1 });
});

test('a key makes no key, changes no password and no profile: nothing that would outlive it', async () => {
  const { key, id } = await keyOf(editor, { role: 'editor' });
  const calls: [string, string, unknown][] = [
    ['POST', '/api-keys', { name: 'x', role: 'viewer' }],
    ['DELETE', `/api-keys/${id}`, undefined],
    ['POST', '/password', { old: editor.password, new: 'another long phrase' }],
    ['PUT', '/profile', { email: 'x@example.org' }],
  ];
  for (const [method, path, body] of calls) {
    const reply = await hub.call(method, `${API}${path}`, { token: key, body });
    expect(reply.body['code']).toBe('users.needs-person');
  }
});

test('a made-up key is refused', async () => {
  expect((await profile(`ork_${'a'.repeat(43)}`)).body['code']).toBe('users.unknown-key');
  expect((await profile('ork_')).status).toBe(401);
});
