import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import { Principal } from '../../../principal.ts';
import type { Accounts } from '../accounts.ts';
import { problems } from '../errors.ts';
import type { Keys } from '../keys.ts';
import type { Sessions } from '../sessions.ts';
import type { Signing } from '../signing.ts';
import type { UsersStore } from '../store.ts';
import { MadeKey, NewKey } from './keys.ts';
import { ById } from './schemas.ts';

/** What the routes for sisters stand on. */
export interface InternalGiven {
  accounts: Accounts;
  keys: Keys;
  sessions: Sessions;
  signing: Signing;
  store: UsersStore;
}

const tags = ['internal'];
const config = { role: 'service' } as const;

const Credential = Type.Union([
  Type.Object({ key: Type.String({ maxLength: 128 }) }, { additionalProperties: false }),
  Type.Object({ session: Type.String({ maxLength: 128 }) }, { additionalProperties: false }),
]);
const Username = Type.String({ maxLength: 254 });
const First = Type.Object({
  created: Type.Boolean(),
  user: Type.Optional(Type.String()),
  username: Type.Optional(Type.String()),
  password: Type.Optional(Type.String()),
});

function credentialRoutes(app: ServiceApp, { keys, sessions, signing }: InternalGiven): void {
  app.post(
    '/internal/users/authenticate',
    {
      config,
      schema: { tags, summary: 'Who a key or a session cookie is.', body: Credential, response: { 200: Principal } },
    },
    ({ body }) => ('key' in body ? keys.authenticate(body.key) : sessions.peek(body.session)),
  );
  app.get(
    '/internal/users/sessions/:id',
    { config, schema: { tags, summary: 'Whose a session is.', params: ById, response: { 200: Principal } } },
    ({ params }) => sessions.standing(params.id),
  );
  app.get(
    '/internal/users/jwks',
    {
      config,
      schema: {
        tags,
        summary: 'Public keys that verify access tokens.',
        response: { 200: Type.Object({ keys: Type.Array(Type.Unknown()) }) },
      },
    },
    async () => ({ keys: await signing.publicKeys() }),
  );
}

/** What sisters and the hub's own commands ask. */
export function internalRoutes(app: ServiceApp, given: InternalGiven): void {
  const { accounts, keys, store } = given;
  credentialRoutes(app, given);
  app.post(
    '/internal/users/first-administrator',
    { config, schema: { tags, summary: 'Make the first owner if nobody exists.', response: { 200: First } } },
    () => accounts.firstAdministrator(),
  );
  app.post(
    '/internal/users/reset',
    {
      config,
      schema: {
        tags,
        summary: 'Give somebody a new generated password.',
        body: Type.Object({ username: Username }),
        response: { 200: Type.Object({ password: Type.String() }) },
      },
    },
    ({ body }) => accounts.reset(body.username),
  );
  app.post(
    '/internal/users/keys',
    {
      config,
      schema: {
        tags,
        summary: 'Make a key for a program in the name of a user.',
        body: Type.Object({ ...NewKey.properties, username: Username }, { additionalProperties: false }),
        response: { 200: MadeKey },
      },
    },
    async ({ body: { username, ...wanted } }) => keys.create(await accounts.principalNamed(username), wanted),
  );
  app.get(
    '/internal/users/first-org',
    {
      config,
      schema: {
        tags,
        summary: 'The installation’s first organisation.',
        response: { 200: Type.Object({ org: Type.String() }) },
      },
    },
    async () => {
      const org = await store.firstOrg();
      if (org === undefined) throw problems.notFound('No organisation exists yet.');
      return { org };
    },
  );
}
