import { randomUUID } from 'node:crypto';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { Principal, Role } from '../../principal.ts';
import { problems } from './errors.ts';
import { acceptInvitation } from './invitations.ts';
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

/** From where a call comes: what throttles count, and the program that made it. */
export interface From {
  network: string;
  agent: string;
}

/** What somebody who registers gives. */
export interface Wanted {
  username: string;
  email: string;
  password: string;
  invitation?: string;
}

const personOf = (user: FoundUser): Person => ({
  id: user.id,
  org: user.org_id,
  username: user.username,
  email: user.email,
  role: user.role,
});

const namesOf = ({ username, email }: { username: string; email: string }): string[] => [
  username,
  email,
  email.split('@')[0] ?? '',
];

/** Says "taken" instead of a constraint's name. */
async function unlessTaken<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isTaken(error)) throw problems.taken();
    throw error;
  }
}

async function insertPerson(db: UsersDb, person: Person, passwordHash: string): Promise<void> {
  const { id, org, username, email, role } = person;
  await db
    .insertInto('users')
    .values({ id, org_id: org, username, email, role, password_hash: passwordHash, last_login: null })
    .execute();
}

/** Stores a new password and ends every session of the person. */
async function replacePassword(db: UsersDb, user: string, passwordHash: string): Promise<void> {
  await db.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', user).execute();
  await db.updateTable('sessions').set({ revoked: true }).where('user_id', '=', user).execute();
}

async function openRole(db: UsersDb): Promise<Role> {
  const org = await db.selectFrom('orgs').select('registration_open').executeTakeFirst();
  if (org?.registration_open !== true) throw problems.registrationClosed('Ask an administrator for an invitation.');
  return 'viewer';
}

/** Makes a person in the org of the invitation, or, when registration is open, a viewer of the first org. */
async function register(given: AccountsGiven, wanted: Wanted, agent: string): Promise<SignedIn> {
  const { store, sessions, clock } = given;
  const hash = wanted.invitation === undefined ? undefined : hashToken(wanted.invitation);
  const org = hash === undefined ? await store.firstOrg() : await store.orgOfInvitation(hash);
  if (org === undefined) throw hash === undefined ? problems.registrationClosed() : problems.invitationEnded();
  // Asked before the password is hashed too, so that a closed door costs nothing.
  if (hash === undefined) await store.within(org, openRole);
  checkPassword(wanted.password, namesOf(wanted));
  const passwordHash = await hashPassword(wanted.password);
  return unlessTaken(
    store.within(org, async (db) => {
      const role =
        hash === undefined ? await openRole(db) : await acceptInvitation(db, { hash, email: wanted.email, clock });
      const person = { id: randomUUID(), org, username: wanted.username, email: wanted.email, role };
      await insertPerson(db, person, passwordHash);
      return sessions.open(db, person, agent);
    }),
  );
}

/** Makes the org and its owner when nobody exists yet; hubs that start together make one. */
async function firstAdministrator(
  store: UsersStore,
): Promise<{ created: boolean; user?: string; username?: string; password?: string }> {
  if ((await store.firstOrg()) !== undefined) return { created: false };
  const org = randomUUID();
  const password = generatePassword();
  const passwordHash = await hashPassword(password);
  const person: Person = { id: randomUUID(), org, username: 'admin', email: 'admin@localhost', role: 'owner' };
  try {
    await store.within(org, async (db) => {
      await db.insertInto('orgs').values({ org_id: org, name: 'My organisation' }).execute();
      await insertPerson(db, person, passwordHash);
    });
  } catch (error) {
    if (isTaken(error)) return { created: false };
    throw error;
  }
  return { created: true, user: person.id, username: person.username, password };
}

async function signIn(given: AccountsGiven, login: string, password: string, from: From): Promise<SignedIn> {
  const { store, sessions, throttle, clock } = given;
  await throttle.demand(login, from.network);
  const user = await store.findUser(login);
  if (!(await fitsPassword(user?.password_hash, password)) || user === undefined) {
    await throttle.failed(from.network);
    throw problems.wrongCredentials();
  }
  await throttle.succeeded(login, from.network);
  if (user.disabled) throw problems.disabled('An administrator of your organisation can switch it on.');
  return store.within(user.org_id, async (db) => {
    const lastLogin = new Date(clock.now());
    await db.updateTable('users').set({ last_login: lastLogin }).where('id', '=', user.id).execute();
    return sessions.open(db, personOf(user), from.agent);
  });
}

/** People's own accounts: how they come, sign in and change what is theirs. */
export function createAccounts(given: AccountsGiven) {
  const { store, sessions, throttle, bus } = given;
  const own = async (db: UsersDb, { user }: Principal) => {
    const row = await db.selectFrom('users').selectAll().where('id', '=', user).executeTakeFirst();
    if (row === undefined) throw problems.notFound();
    return row;
  };
  return {
    signIn: (login: string, password: string, from: From) => signIn(given, login, password, from),
    register: (wanted: Wanted, agent: string) => register(given, wanted, agent),
    firstAdministrator: () => firstAdministrator(store),

    /** Who a user is, for what is done in their name on the hub's own machine. */
    async principalNamed(username: string): Promise<Principal> {
      const user = await store.findUser(username);
      if (user === undefined) throw problems.notFound(`No user is called ${username}.`);
      return { org: user.org_id, user: user.id, name: user.username, role: user.role, via: 'service' };
    },

    /** A new generated password for somebody who lost theirs; every session of theirs ends. */
    async reset(username: string): Promise<{ password: string }> {
      const user = await store.findUser(username);
      if (user === undefined) throw problems.notFound(`No user is called ${username}.`);
      const password = generatePassword();
      const passwordHash = await hashPassword(password);
      await store.within(user.org_id, (db) => replacePassword(db, user.id, passwordHash));
      await bus.publish(SUBJECTS.passwordChanged, user.org_id, { user: user.id });
      return { password };
    },

    /** Needs the old password, so that an open page is not enough. All other sessions end; this one begins anew. */
    async changePassword(principal: Principal, change: { old: string; wanted: string }, from: From): Promise<SignedIn> {
      await throttle.demand(principal.user, from.network);
      const user = await store.within(principal.org, (db) => own(db, principal));
      if (!(await fitsPassword(user.password_hash, change.old))) {
        await throttle.failed(from.network);
        throw problems.wrongPassword();
      }
      await throttle.succeeded(principal.user, from.network);
      checkPassword(change.wanted, namesOf(user));
      const passwordHash = await hashPassword(change.wanted);
      const signedIn = await store.within(user.org_id, async (db) => {
        await replacePassword(db, user.id, passwordHash);
        return sessions.open(db, personOf(user), from.agent);
      });
      await bus.publish(SUBJECTS.passwordChanged, user.org_id, { user: user.id });
      return signedIn;
    },

    profile: (principal: Principal) =>
      store.within(principal.org, async (db) => {
        const { id, org_id: org, username, email, role } = await own(db, principal);
        const { name: organisation } = await db.selectFrom('orgs').select('name').executeTakeFirstOrThrow();
        return { id, org, username, email, role, organisation };
      }),

    async changeProfile(principal: Principal, change: { username?: string; email?: string }): Promise<void> {
      const { username, email } = change;
      const work = store.within(principal.org, (db) =>
        db.updateTable('users').set({ username, email }).where('id', '=', principal.user).execute(),
      );
      await unlessTaken(work);
    },
  };
}
export type Accounts = ReturnType<typeof createAccounts>;
