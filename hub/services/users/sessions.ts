import { randomUUID } from 'node:crypto';
import type { Clock, Logger } from '#sdk';
import type { Principal } from '../../principal.ts';
import { problems } from './errors.ts';
import { firstToken, hashToken, judgeToken, readSessionCookie, successor, type StoredTokens } from './session-token.ts';
import type { Signing } from './signing.ts';
import type { UsersDb, UsersStore } from './store.ts';

/** A person as sessions and answers show one. */
export interface Person {
  id: string;
  org: string;
  username: string;
  email: string;
  role: Principal['role'];
}

/** What a sign-in or a refresh gives. `cookie` is the session cookie's text. */
export interface SignedIn {
  person: Person;
  accessToken: string;
  expiresIn: number;
  cookie: string;
}

/** What sessions stand on. */
export interface SessionsGiven {
  store: UsersStore;
  signing: Signing;
  /** Milliseconds after which a session that nobody used ends. */
  lifeMs: number;
  clock: Clock;
  log: Logger;
}

interface SessionRow {
  user_id: string;
  secret: string;
  token_hash: string;
  previous_hash: string | null;
  rotated_at: Date;
  expires_at: Date;
  revoked: boolean;
}

/** A cookie's parts, and the org in which its session is. */
interface FoundCookie {
  org: string;
  session: string;
  token: string;
}

const tokensOf = (row: SessionRow): StoredTokens => ({
  secret: row.secret,
  tokenHash: row.token_hash,
  previousHash: row.previous_hash,
  rotatedMs: row.rotated_at.getTime(),
});

const principalOf = ({ org, id: user, username: name, role }: Person, session: string): Principal => ({
  org,
  user,
  name,
  role,
  via: 'session',
  session,
});

async function findCookie(store: UsersStore, cookie: string): Promise<FoundCookie | undefined> {
  const read = readSessionCookie(cookie);
  const org = read === undefined ? undefined : await store.orgOfSession(read.session);
  return read === undefined || org === undefined ? undefined : { org, ...read };
}

async function demandCookie(store: UsersStore, cookie: string): Promise<FoundCookie> {
  const found = await findCookie(store, cookie);
  if (found === undefined) throw problems.sessionEnded();
  return found;
}

async function liveRow(db: UsersDb, session: string, nowMs: number): Promise<SessionRow> {
  const row = await db.selectFrom('sessions').selectAll().where('id', '=', session).forUpdate().executeTakeFirst();
  if (row === undefined || row.revoked || row.expires_at.getTime() <= nowMs) throw problems.sessionEnded();
  return row;
}

async function personOf(db: UsersDb, org: string, id: string): Promise<Person> {
  const user = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (user === undefined || user.disabled) throw problems.sessionEnded();
  return { id, org, username: user.username, email: user.email, role: user.role };
}

async function end(db: UsersDb, session: string): Promise<void> {
  await db.updateTable('sessions').set({ revoked: true }).where('id', '=', session).execute();
}

/** Replaces a session's token; `undefined` when it was used before, and the session is ended then. */
async function rotate(
  db: UsersDb,
  { org, session, token }: FoundCookie,
  { clock, lifeMs, log }: SessionsGiven,
): Promise<{ person: Person; token: string } | undefined> {
  const now = clock.now();
  const row = await liveRow(db, session, now);
  const standing = judgeToken(tokensOf(row), token, now);
  if (standing === 'reused') {
    await end(db, session);
    log.warn('an old session token was used again; the session was ended', { user: row.user_id });
    return undefined;
  }
  const person = await personOf(db, org, row.user_id);
  const next = successor(row.secret, token);
  if (standing === 'current') {
    const change = {
      token_hash: hashToken(next),
      previous_hash: hashToken(token),
      rotated_at: new Date(now),
      expires_at: new Date(now + lifeMs),
    };
    await db.updateTable('sessions').set(change).where('id', '=', session).execute();
  }
  return { person, token: next };
}

/** Sessions of people: sign-in makes one, refresh rotates its token, reuse of an old token ends it. */
export function createSessions(given: SessionsGiven) {
  const { store, signing, lifeMs, clock } = given;
  return {
    async open(db: UsersDb, person: Person, agent: string): Promise<SignedIn> {
      const now = clock.now();
      const { token, stored } = firstToken(now);
      const id = randomUUID();
      const row = {
        id,
        org_id: person.org,
        user_id: person.id,
        secret: stored.secret,
        token_hash: stored.tokenHash,
        previous_hash: null,
        rotated_at: new Date(now),
        created_at: new Date(now),
        expires_at: new Date(now + lifeMs),
        agent: agent.slice(0, 200),
      };
      await db.insertInto('sessions').values(row).execute();
      return { person, ...(await signing.access(principalOf(person, id))), cookie: `${id}.${token}` };
    },

    async refresh(cookie: string): Promise<SignedIn> {
      const found = await demandCookie(store, cookie);
      const rotated = await store.within(found.org, (db) => rotate(db, found, given));
      if (rotated === undefined) throw problems.sessionReused();
      const { person, token } = rotated;
      const access = await signing.access(principalOf(person, found.session));
      return { person, ...access, cookie: `${found.session}.${token}` };
    },

    /** Who a session cookie belongs to, without rotating it: for event streams. */
    async peek(cookie: string): Promise<Principal> {
      const { org, session, token } = await demandCookie(store, cookie);
      return store.within(org, async (db) => {
        const row = await liveRow(db, session, clock.now());
        if (judgeToken(tokensOf(row), token, clock.now()) === 'reused') throw problems.sessionEnded();
        return principalOf(await personOf(db, org, row.user_id), session);
      });
    },

    /** Whose a session is; rejects once it has ended. For streams that outlive the token that opened them. */
    async standing(session: string): Promise<Principal> {
      const org = await store.orgOfSession(session);
      if (org === undefined) throw problems.sessionEnded();
      return store.within(org, async (db) => {
        const { user_id: user } = await liveRow(db, session, clock.now());
        return principalOf(await personOf(db, org, user), session);
      });
    },

    /** Ends the session of a cookie. One that is unknown, or whose token is no longer good, ends nothing. */
    async close(cookie: string): Promise<void> {
      const found = await findCookie(store, cookie);
      if (found === undefined) return;
      await store.within(found.org, async (db) => {
        const row = await db.selectFrom('sessions').selectAll().where('id', '=', found.session).executeTakeFirst();
        const good = row !== undefined && judgeToken(tokensOf(row), found.token, clock.now()) !== 'reused';
        if (good) await end(db, found.session);
      });
    },
  };
}
export type Sessions = ReturnType<typeof createSessions>;
