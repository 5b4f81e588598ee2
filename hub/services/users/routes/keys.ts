import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Keys } from '../keys.ts';
import { ById, Done, Line, listOf, Paging, RoleName, TimeOrNull } from './schemas.ts';
import { personOf } from './signed-in.ts';

const tags = ['users'];
const config = { role: 'viewer' } as const;

/** What a new key is to be. */
export const NewKey = Type.Object(
  {
    name: Line(100),
    role: RoleName,
    days: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 3650, description: 'Days until it ends; never when absent.' }),
    ),
  },
  { additionalProperties: false },
);
/** A key, told once. */
export const MadeKey = Type.Object({
  id: Type.String(),
  key: Type.String(),
  name: Type.String(),
  role: RoleName,
  createdMs: Type.Integer(),
  expiresMs: TimeOrNull,
});
const KeyRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  prefix: Type.String({ description: 'The first characters, to recognise it by.' }),
  role: RoleName,
  createdMs: Type.Integer(),
  expiresMs: TimeOrNull,
  lastUsedMs: TimeOrNull,
});

/** Keys for programs. Everyone sees and removes their own. */
export function keyRoutes(app: ServiceApp, keys: Keys): void {
  app.post(
    '/api/v1/users/api-keys',
    {
      config,
      schema: {
        tags,
        summary: 'Make a key for a program. The key is in the answer and nowhere else.',
        body: NewKey,
        response: { 201: MadeKey },
      },
    },
    async (request, reply) => {
      const made = await keys.create(personOf(request), request.body);
      void reply.code(201);
      return made;
    },
  );
  app.get(
    '/api/v1/users/api-keys',
    {
      config,
      schema: { tags, summary: 'Your keys.', querystring: Paging, response: { 200: listOf(KeyRow) } },
    },
    (request) => keys.list(principalOf(request), request.query),
  );
  app.delete(
    '/api/v1/users/api-keys/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Remove a key. Programs that use it are refused within ten seconds.',
        params: ById,
        response: Done,
      },
    },
    async (request, reply) => {
      await keys.remove(personOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
