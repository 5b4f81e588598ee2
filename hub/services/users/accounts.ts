import { randomBytes, randomUUID } from 'node:crypto';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import { roleAllows, type Principal, type Role } from '../../principal.ts';
import { problems } from './errors.ts';
import { checkPassword, fitsPassword, generatePassword, hashPassword } from './passwords.ts';
import { hashToken } from './session-token.ts';
import type { Person, Sessions, SignedIn } from './sessions.ts';
import { isTaken, type UsersDb, type UsersStore } from './store.ts';
import type { FoundUser } from './tables.ts';
import type { Throttle } from './throttle.ts';

/** What the accounts stand on. */
export interface AccountsGiven {
  store: UsersStore;
  sessions: Sessions;
  throttle: Throttle;
  bus: Bus;
  clock: Clock;
}

const personOf = (user: FoundUser): Person => ({
  id: user.id,
  org: user.org_id,
  username: user.username,
  email: user.email,
  role: user.role,
});

/** Says "taken" instead of a constraint's name. */
async function unlessTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isTaken(error)) throw problems.taken();
    throw error;
  }
}

/** Throws unless another owner who can sign in remains beside this user. */
async function demandOtherOwner(db: UsersDb, user: string): Promise<void> {
  const other = await db
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'owner')
    .where('disabled', '=', false)
    .where('id', '!=', user)
    .forUpdate()
    .executeTakeFirst();
  if (other === undefined) throw problems.lastOwner('Make somebody else an owner first.');
}

function demandNotAbove(principal: Principal, role: Role): void {
  if (!roleAllows(principal.role, role))
    throw problems.aboveYou(`Your role is ${principal.role}; only a role up to that can be given or changed.`);
}

/** People: how they come, sign in, change and go. */
export function createAccounts({ store, sessions, throttle, bus, clock }: AccountsGiven) {
  const insert = async (db: UsersDb, person: Person, password: string): Promise<void> => {
    const row = {
      id: person.id,
      org_id: person.org,
      username: person.username,
      email: person.email,
      role: person.role,
    };
    await db
      .insertInto('users')
      .values({ ...row, password_hash: await hashPassword(password), last_login: null })
      .execute();
  };
  const setPassword = async (db: UsersDb, user: string, password: string): Promise<void> => {
    await db
      .updateTable('users')
      .set({ password_hash: await hashPassword(password) })
      .where('id', '=', user)
      .execute();
    await db.updateTable('sessions').set({ revoked: true }).where('user_id', '=', user).execute();
  };
  /** Takes an invitation's place, once. */
  const acceptInvitation = async (db: UsersDb, hash: string): Promise<Role> => {
    const row = await db
      .selectFrom('invitations')
      .selectAll()
      .where('token_hash', '=', hash)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined || row.used_at !== null || row.expires_at.getTime() < clock.now())
      throw problems.invitationEnded();
    await db
      .updateTable('invitations')
      .set({ used_at: new Date(clock.now()) })
      .where('id', '=', row.id)
      .execute();
    return row.role;
  };
  const openRole = async (db: UsersDb): Promise<Role> => {
    const org = await db.selectFrom('orgs').select('registration_open').executeTakeFirst();
    if (org?.registration_open !== true) throw problems.registrationClosed('Ask an administrator for an invitation.');
    return 'viewer';
  };

  return {
    async signIn(login: string, password: string, from: { address: string; agent: string }): Promise<SignedIn> {
      await throttle.demand(login, from.address);
      const user = await store.findUser(login);
      if (!(await fitsPassword(user?.password_hash, password)) || user === undefined) {
        await throttle.failed(login, from.address);
        throw problems.wrongCredentials();
      }
      if (user.disabled) throw problems.disabled('An administrator of your organisation can switch it on.');
      await throttle.succeeded(login, from.address);
      return store.within(user.org_id, async (db) => {
        await db
          .updateTable('users')
          .set({ last_login: new Date(clock.now()) })
          .where('id', '=', user.id)
          .execute();
        return sessions.open(db, personOf(user), from.agent);
      });
    },

    /** Makes a person in the org of the invitation, or, when registration is open, a viewer of the first org. */
    async register(
      wanted: { username: string; email: string; password: string; invitation?: string },
      agent: string,
    ): Promise<SignedIn> {
      const hash = wanted.invitation === undefined ? undefined : hashToken(wanted.invitation);
      const org = hash === undefined ? await store.firstOrg() : await store.orgOfInvitation(hash);
      if (org === undefined) throw hash === undefined ? problems.registrationClosed() : problems.invitationEnded();
      checkPassword(wanted.password, [wanted.username, wanted.email.split('@')[0] ?? '']);
      return unlessTaken(
        store.within(org, async (db) => {
          const role = hash === undefined ? await openRole(db) : await acceptInvitation(db, hash);
          const person = { id: randomUUID(), org, username: wanted.username, email: wanted.email, role };
          await insert(db, person, wanted.password);
          return sessions.open(db, person, agent);
        }),
      );
    },

    /** Makes the org and its owner when nobody exists yet. */
    async firstAdministrator(): Promise<{ created: boolean; user?: string; username?: string; password?: string }> {
      if ((await store.firstOrg()) !== undefined) return { created: false };
      const org = randomUUID();
      const password = generatePassword();
      const person: Person = { id: randomUUID(), org, username: 'admin', email: 'admin@localhost', role: 'owner' };
      await store.within(org, async (db) => {
        await db.insertInto('orgs').values({ org_id: org, name: 'My organisation' }).execute();
        await insert(db, person, password);
      });
      return { created: true, user: person.id, username: person.username, password };
    },

    /** A new generated password for somebody who lost theirs; every session of theirs ends. */
    async reset(username: string): Promise<{ password: string }> {
      const user = await store.findUser(username);
      if (user === undefined) throw problems.notFound(`No user is called ${username}.`);
      const password = generatePassword();
      await store.within(user.org_id, (db) => setPassword(db, user.id, password));
      return { password };
    },

    async changePassword(principal: Principal, old: string, wanted: string, agent: string): Promise<SignedIn> {
      const user = await store.findUser(principal.name);
      if (user === undefined || user.id !== principal.user || !(await fitsPassword(user.password_hash, old))) {
        throw problems.wrongCredentials('The old password is wrong.');
      }
      checkPassword(wanted, [user.username, user.email.split('@')[0] ?? '']);
      const signedIn = await store.within(user.org_id, async (db) => {
        await setPassword(db, user.id, wanted);
        return sessions.open(db, personOf(user), agent);
      });
      await bus.publish(SUBJECTS.passwordChanged, user.org_id, { user: user.id });
      return signedIn;
    },

    async changeProfile(principal: Principal, change: { username?: string; email?: string }): Promise<void> {
      const set = { username: change.username, email: change.email };
      await unlessTaken(
        store.within(principal.org, (db) =>
          db.updateTable('users').set(set).where('id', '=', principal.user).execute(),
        ),
      );
    },

    async changePerson(principal: Principal, id: string, change: { role?: Role; disabled?: boolean }): Promise<void> {
      await store.within(principal.org, async (db) => {
        const user = await db.selectFrom('users').select(['role']).where('id', '=', id).forUpdate().executeTakeFirst();
        if (user === undefined) throw problems.notFound();
        demandNotAbove(principal, user.role);
        if (change.role !== undefined) demandNotAbove(principal, change.role);
        const loses = (change.role ?? user.role) !== 'owner' || change.disabled === true;
        if (user.role === 'owner' && loses) await demandOtherOwner(db, id);
        await db
          .updateTable('users')
          .set({ role: change.role, disabled: change.disabled })
          .where('id', '=', id)
          .execute();
        if (change.disabled === true)
          await db.updateTable('sessions').set({ revoked: true }).where('user_id', '=', id).execute();
      });
    },

    async removePerson(principal: Principal, id: string): Promise<void> {
      await store.within(principal.org, async (db) => {
        const user = await db.selectFrom('users').select(['role']).where('id', '=', id).forUpdate().executeTakeFirst();
        if (user === undefined) throw problems.notFound();
        demandNotAbove(principal, user.role);
        if (user.role === 'owner') await demandOtherOwner(db, id);
        await db.deleteFrom('users').where('id', '=', id).execute();
      });
    },

    async invite(
      principal: Principal,
      wanted: { role: Role; email?: string; days: number },
    ): Promise<{ id: string; token: string; expiresMs: number }> {
      demandNotAbove(principal, wanted.role);
      const token = randomBytes(32).toString('base64url');
      const id = randomUUID();
      const expiresMs = clock.now() + wanted.days * 86_400_000;
      const row = {
        id,
        org_id: principal.org,
        token_hash: hashToken(token),
        role: wanted.role,
        email: wanted.email ?? null,
      };
      await store.within(principal.org, (db) =>
        db
          .insertInto('invitations')
          .values({ ...row, created_by: principal.user, expires_at: new Date(expiresMs), used_at: null })
          .execute(),
      );
      return { id, token, expiresMs };
    },
  };
}
export type Accounts = ReturnType<typeof createAccounts>;
