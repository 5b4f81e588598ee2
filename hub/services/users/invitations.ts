import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { Page } from '../../http.ts';
import { roleAllows, type Principal, type Role } from '../../principal.ts';
import { actingRole, demandNotAbove, demandRole } from './acting.ts';
import { problems } from './errors.ts';
import { hashToken } from './session-token.ts';
import type { Paging, UsersDb, UsersStore } from './store.ts';

const DAY_MS = 86_400_000;

/** An invitation as its org's administrators see it. The token is not in it. */
export interface Invitation {
  id: string;
  role: Role;
  email: string | null;
  createdMs: number;
  expiresMs: number;
  usedMs: number | null;
}

/** True while the person who invited may still give the role: nobody's invitation outlives their right to make it. */
async function inviterStands(db: UsersDb, inviter: string, role: Role): Promise<boolean> {
  const user = await db.selectFrom('users').select(['role', 'disabled']).where('id', '=', inviter).executeTakeFirst();
  return user !== undefined && !user.disabled && roleAllows(user.role, 'admin') && roleAllows(user.role, role);
}

/** Takes an invitation's place, once, and says with which role. */
export async function acceptInvitation(
  db: UsersDb,
  { hash, email, clock }: { hash: string; email: string; clock: Clock },
): Promise<Role> {
  const row = await db
    .selectFrom('invitations')
    .selectAll()
    .where('token_hash', '=', hash)
    .forUpdate()
    .executeTakeFirst();
  if (row === undefined || row.used_at !== null || row.expires_at.getTime() <= clock.now())
    throw problems.invitationEnded();
  if (!(await inviterStands(db, row.created_by, row.role)))
    throw problems.invitationEnded('Who invited you may not do so any more. Ask for a new invitation.');
  if (row.email !== null && row.email.toLowerCase() !== email.toLowerCase()) throw problems.otherInvited();
  await db
    .updateTable('invitations')
    .set({ used_at: new Date(clock.now()) })
    .where('id', '=', row.id)
    .execute();
  return row.role;
}

/** Invitations into an org. */
export function createInvitations(store: UsersStore, clock: Clock) {
  return {
    /** The token is in the answer and nowhere else. */
    async invite(
      principal: Principal,
      wanted: { role: Role; email?: string; days: number },
    ): Promise<{ id: string; token: string; expiresMs: number }> {
      const token = randomBytes(32).toString('base64url');
      const id = randomUUID();
      const now = clock.now();
      const expiresMs = now + wanted.days * DAY_MS;
      await store.within(principal.org, async (db) => {
        const acting = await actingRole(db, principal);
        demandRole(acting, 'admin');
        demandNotAbove(acting, wanted.role);
        const row = {
          id,
          org_id: principal.org,
          token_hash: hashToken(token),
          role: wanted.role,
          email: wanted.email ?? null,
          created_by: principal.user,
          created_at: new Date(now),
          expires_at: new Date(expiresMs),
          used_at: null,
        };
        await db.insertInto('invitations').values(row).execute();
      });
      return { id, token, expiresMs };
    },

    list: (principal: Principal, paging: Paging): Promise<Page<Invitation>> =>
      store.within(principal.org, async (db) => {
        const rows = await db
          .selectFrom('invitations')
          .selectAll()
          .orderBy('created_at', 'desc')
          .orderBy('id')
          .limit(paging.limit)
          .offset(paging.offset)
          .execute();
        const { total } = await db
          .selectFrom('invitations')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map(({ id, role, email, created_at, expires_at, used_at }) => ({
          id,
          role,
          email,
          createdMs: created_at.getTime(),
          expiresMs: expires_at.getTime(),
          usedMs: used_at?.getTime() ?? null,
        }));
        return { items, total, ...paging };
      }),

    async withdraw(principal: Principal, id: string): Promise<void> {
      const gone = await store.within(principal.org, (db) =>
        db.deleteFrom('invitations').where('id', '=', id).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
    },
  };
}
export type Invitations = ReturnType<typeof createInvitations>;
