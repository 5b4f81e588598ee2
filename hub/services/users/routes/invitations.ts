import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Invitations } from '../invitations.ts';
import { ById, Done, Email, listOf, Paging, RoleName, TimeOrNull } from './schemas.ts';

const tags = ['users'];
const config = { role: 'admin' } as const;

const NewInvitation = Type.Object(
  {
    role: RoleName,
    email: Type.Optional(Email),
    days: Type.Integer({ default: 7, minimum: 1, maximum: 90, description: 'Days until it ends.' }),
  },
  { additionalProperties: false },
);
const MadeInvitation = Type.Object({ id: Type.String(), link: Type.String(), expiresMs: Type.Integer() });
const InvitationRow = Type.Object({
  id: Type.String(),
  role: RoleName,
  email: Type.Union([Type.String(), Type.Null()]),
  createdMs: Type.Integer(),
  expiresMs: Type.Integer(),
  usedMs: TimeOrNull,
});

/** Invitations into an org. */
export function invitationRoutes(
  app: ServiceApp,
  { invitations, publicUrl }: { invitations: Invitations; publicUrl: string },
): void {
  app.post(
    '/api/v1/users/invitations',
    {
      config,
      schema: {
        tags,
        summary:
          'Invite somebody. The link is in the answer and nowhere else; with an e-mail address it is for that one alone.',
        body: NewInvitation,
        response: { 201: MadeInvitation },
      },
    },
    async (request, reply) => {
      const { id, token, expiresMs } = await invitations.invite(principalOf(request), request.body);
      void reply.code(201);
      return { id, link: `${publicUrl}/register?invitation=${token}`, expiresMs };
    },
  );
  app.get(
    '/api/v1/users/invitations',
    {
      config,
      schema: {
        tags,
        summary: 'Invitations, newest first.',
        querystring: Paging,
        response: { 200: listOf(InvitationRow) },
      },
    },
    (request) => invitations.list(principalOf(request), request.query),
  );
  app.delete(
    '/api/v1/users/invitations/:id',
    { config, schema: { tags, summary: 'Withdraw an invitation.', params: ById, response: Done } },
    async (request, reply) => {
      await invitations.withdraw(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
