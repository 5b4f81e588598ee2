import { Type } from 'typebox';
import type { ServiceApp } from '../../../http.ts';
import { Principal } from '../../../principal.ts';
import type { Accounts } from '../accounts.ts';
import { problems } from '../errors.ts';
import type { Keys } from '../keys.ts';
import type { Sessions } from '../sessions.ts';
import type { UsersStore } from '../store.ts';

/** What sisters and the hub's own commands ask. */
export function internalRoutes(
  app: ServiceApp,
  given: { accounts: Accounts; keys: Keys; sessions: Sessions; store: UsersStore },
): void {
  const config = { role: 'service' } as const;
  app.post(
    '/internal/users/authenticate',
    {
      config,
      schema: {
        body: Type.Object({
          key: Type.Optional(Type.String({ maxLength: 128 })),
          session: Type.Optional(Type.String({ maxLength: 128 })),
        }),
        response: { 200: Principal },
      },
    },
    async ({ body }) =>
      body.key === undefined ? given.sessions.peek(body.session ?? '') : given.keys.authenticate(body.key),
  );
  app.get('/internal/users/jwks', { config }, async () => ({ keys: await given.sessions.publicKeys() }));
  app.post('/internal/users/first-administrator', { config }, () => given.accounts.firstAdministrator());
  app.post(
    '/internal/users/reset',
    { config, schema: { body: Type.Object({ username: Type.String() }) } },
    ({ body }) => given.accounts.reset(body.username),
  );
  app.get('/internal/users/first-org', { config }, async () => {
    const org = await given.store.firstOrg();
    if (org === undefined) throw problems.notFound('No organisation exists yet.');
    return { org };
  });
}
