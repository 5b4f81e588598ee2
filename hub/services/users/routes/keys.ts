import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import { problems } from '../errors.ts';
import type { Keys } from '../keys.ts';
import type { UsersStore } from '../store.ts';
import { ById, listOf, Paging, RoleName, TimeOrNull } from './schemas.ts';

const KeyRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String({ description: 'The first characters, to recognise it by.' }),
  role: RoleName,
  createdMs: Type.Integer(),
  expiresMs: TimeOrNull,
  lastUsedMs: TimeOrNull,
});
const tags = ['users'];

/** Keys for programs. Everyone sees and removes their own. */
export function keyRoutes(app: ServiceApp, { store, keys }: { store: UsersStore; keys: Keys }): void {
  app.post(
    '/api/v1/users/api-keys',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Make a key for a program. The key is in the answer and nowhere else.',
        body: Type.Object(
          {
            name: Type.String({ minLength: 1, maxLength: 100 }),
            role: RoleName,
            days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
          },
          { additionalProperties: false },
        ),
        response: {
          201: Type.Object({
            id: Type.String(),
            key: Type.String(),
            name: Type.String(),
            role: RoleName,
            createdMs: Type.Integer(),
            expiresMs: TimeOrNull,
          }),
        },
      },
    },
    async (request, reply) => {
      void reply.code(201);
      return keys.create(principalOf(request), request.body);
    },
  );
  app.get(
    '/api/v1/users/api-keys',
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'Your keys.', querystring: Paging, response: { 200: listOf(KeyRow) } },
    },
    async (request) => {
      const { limit, offset } = request.query;
      const { org, user } = principalOf(request);
      return store.within(org, async (db) => {
        const own = db.selectFrom('api_keys').where('user_id', '=', user);
        const rows = await own.selectAll().orderBy('created_at').limit(limit).offset(offset).execute();
        const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          name: row.key_name,
          prefix: row.prefix,
          role: (row.permissions as unknown as { role: (typeof RoleName)['enum'][number] }).role,
          createdMs: row.created_at.getTime(),
          expiresMs: row.expires_at?.getTime() ?? null,
          lastUsedMs: row.last_used_at?.getTime() ?? null,
        }));
        return { items, total, limit, offset };
      });
    },
  );
  app.delete(
    '/api/v1/users/api-keys/:id',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Remove a key. Programs that use it are refused within ten seconds.',
        params: ById,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const { org, user } = principalOf(request);
      const gone = await store.within(org, (db) =>
        db.deleteFrom('api_keys').where('id', '=', request.params.id).where('user_id', '=', user).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
      return reply.code(204).send(null);
    },
  );
}
