import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { JoinTokens } from '../join-tokens.ts';
import { ById, CreatedToken, Done, Labels, listOf, Paging, Wish } from './schemas.ts';

const TokenRow = Type.Object({
  id: Type.String(),
  uses: Type.Integer(),
  usesLeft: Type.Integer(),
  labels: Labels,
  ephemeral: Type.Boolean(),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
});
const ROOT = '/api/v1/agents/tokens';
const tags = ['agents'];

/** Join tokens: make, list, withdraw. */
export function tokenRoutes(app: ServiceApp, tokens: JoinTokens): void {
  const config = { role: 'admin' } as const;
  app.post(
    ROOT,
    {
      config,
      schema: {
        tags,
        summary: 'Make a join token. Its text is in the answer and nowhere else.',
        body: Wish,
        response: { 201: CreatedToken },
      },
    },
    async (request, reply) => reply.code(201).send(await tokens.create(principalOf(request).org, request.body)),
  );
  app.get(
    ROOT,
    {
      config,
      schema: { tags, summary: 'Join tokens, newest first.', querystring: Paging, response: { 200: listOf(TokenRow) } },
    },
    (request) => tokens.list(principalOf(request).org, request.query),
  );
  app.delete(
    `${ROOT}/:id`,
    {
      config,
      schema: {
        tags,
        summary: 'Withdraw a join token. Agents that came with it stay.',
        params: ById,
        response: { 204: Done },
      },
    },
    async (request, reply) => {
      await tokens.withdraw(principalOf(request).org, request.params.id);
      return reply.code(204).send(null);
    },
  );
}
