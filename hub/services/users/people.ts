import type { Page } from '../../http.ts';
import type { Principal, Role } from '../../principal.ts';
import { actingRole, demandNotAbove, demandRole } from './acting.ts';
import { problems } from './errors.ts';
import type { Paging, UsersDb, UsersStore } from './store.ts';

/** A member of an org as its administrators see one. */
export interface Member {
  id: string;
  username: string;
  email: string;
  role: Role;
  disabled: boolean;
  createdMs: number;
  lastLoginMs: number | null;
}

/** What administrators set for their org. */
export interface OrgSettings {
  name: string;
  registrationOpen: boolean;
}

/** Throws unless another owner who can sign in remains beside this user. */
async function demandOtherOwner(db: UsersDb, user: string): Promise<void> {
  const other = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'owner')
    .where('disabled', '=', false)
    .where('id', '!=', user)
    .executeTakeFirst();
  if (other === undefined) throw problems.lastOwner('Make somebody else an owner first.');
}

/** The role of a member whom the principal may change. */
async function changeable(db: UsersDb, principal: Principal, id: string): Promise<{ acting: Role; role: Role }> {
  const acting = await actingRole(db, principal);
  demandRole(acting, 'admin');
  const user = await db.selectFrom('users').select('role').where('id', '=', id).executeTakeFirst();
  if (user === undefined) throw problems.notFound();
  demandNotAbove(acting, user.role);
  return { acting, role: user.role };
}

/** The members of an org and its settings. */
export function createPeople(store: UsersStore) {
  return {
    list: (principal: Principal, paging: Paging): Promise<Page<Member>> =>
      store.within(principal.org, async (db) => {
        const rows = await db
          .selectFrom('users')
          .selectAll()
          .orderBy('created_at')
          .orderBy('id')
          .limit(paging.limit)
          .offset(paging.offset)
          .execute();
        const { total } = await db
          .selectFrom('users')
          .select((eb) => eb.fn.countAll<number>().as('total'))
          .executeTakeFirstOrThrow();
        const items = rows.map(({ id, username, email, role, disabled, created_at, last_login }) => ({
          id,
          username,
          email,
          role,
          disabled,
          createdMs: created_at.getTime(),
          lastLoginMs: last_login?.getTime() ?? null,
        }));
        return { items, total, ...paging };
      }),

    /** Gives a member another role, or switches the account off, which ends its sessions, or on. */
    change: (principal: Principal, id: string, change: { role?: Role; disabled?: boolean }): Promise<void> =>
      store.within(principal.org, async (db) => {
        const { acting, role } = await changeable(db, principal, id);
        if (change.role !== undefined) demandNotAbove(acting, change.role);
        const ceases = (change.role ?? role) !== 'owner' || change.disabled === true;
        if (role === 'owner' && ceases) await demandOtherOwner(db, id);
        const { role: wanted, disabled } = change;
        await db.updateTable('users').set({ role: wanted, disabled }).where('id', '=', id).execute();
        if (disabled === true)
          await db.updateTable('sessions').set({ revoked: true }).where('user_id', '=', id).execute();
      }),

    /** Removes a member with keys and sessions. */
    remove: (principal: Principal, id: string): Promise<void> =>
      store.within(principal.org, async (db) => {
        const { role } = await changeable(db, principal, id);
        if (role === 'owner') await demandOtherOwner(db, id);
        await db.deleteFrom('users').where('id', '=', id).execute();
      }),

    settings: (principal: Principal): Promise<OrgSettings> =>
      store.within(principal.org, async (db) => {
        const org = await db.selectFrom('orgs').selectAll().executeTakeFirstOrThrow();
        return { name: org.name, registrationOpen: org.registration_open };
      }),

    changeSettings: (principal: Principal, { name, registrationOpen }: OrgSettings): Promise<void> =>
      store.within(principal.org, async (db) => {
        demandRole(await actingRole(db, principal), 'admin');
        await db.updateTable('orgs').set({ name, registration_open: registrationOpen }).execute();
      }),
  };
}
export type People = ReturnType<typeof createPeople>;
