import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { JWK } from 'jose';
import type { Principal } from '../../principal.ts';
import { KEY_LIFE_MS, newSigningKey, publicKey, signAccess, type SigningKey } from './access-token.ts';
import type { UsersConfig } from './config.ts';
import { problems } from './errors.ts';
import { firstToken, hashToken, judgeToken, readSessionCookie, successor, type StoredTokens } from './session-token.ts';
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

interface SessionRow {
  id: string;
  user_id: string;
  secret: string;
  token_hash: string;
  previous_hash: string | null;
  rotated_at: Date;
  expires_at: Date;
  revoked: boolean;
}

const DAY_MS = 86_400_000;

const tokensOf = (row: SessionRow): StoredTokens => ({
  secret: row.secret,
  tokenHash: row.token_hash,
  previousHash: row.previous_hash,
  rotatedMs: row.rotated_at.getTime(),
});

async function personOf(db: UsersDb, org: string, id: string): Promise<Person> {
  const user = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (user === undefined || user.disabled) throw problems.sessionEnded();
  return { id, org, username: user.username, email: user.email, role: user.role };
}

/** Sessions of people: sign-in makes one, refresh rotates its token, reuse of an old token ends it. */
export function createSessions(store: UsersStore, config: UsersConfig, clock: Clock) {
  let signing: SigningKey | undefined;
  const lifeMs = config.sessionDays * DAY_MS;

  const access = async (person: Person): Promise<{ accessToken: string; expiresIn: number }> => {
    if (signing === undefined) throw new Error('no signing key: the service has not started');
    const principal = {
      org: person.org,
      user: person.id,
      name: person.username,
      role: person.role,
      via: 'session' as const,
    };
    const accessToken = await signAccess(signing, principal, { clock, minutes: config.accessMinutes });
    return { accessToken, expiresIn: config.accessMinutes * 60 };
  };

  const liveRow = async (db: UsersDb, session: string): Promise<SessionRow> => {
    const row = await db.selectFrom('sessions').selectAll().where('id', '=', session).forUpdate().executeTakeFirst();
    if (row === undefined || row.revoked || row.expires_at.getTime() < clock.now()) throw problems.sessionEnded();
    return row;
  };

  /** Rotates a session; `undefined` when the token was used before, and the session is ended then. */
  const rotate = (
    org: string,
    session: string,
    token: string,
  ): Promise<{ person: Person; token: string } | undefined> =>
    store.within(org, async (db) => {
      const row = await liveRow(db, session);
      const stored = tokensOf(row);
      const standing = judgeToken(stored, token, clock.now());
      if (standing === 'reused') {
        await db.updateTable('sessions').set({ revoked: true }).where('id', '=', session).execute();
        return undefined;
      }
      const person = await personOf(db, org, row.user_id);
      const next = successor(stored.secret, token);
      if (standing === 'current') {
        const now = clock.now();
        const change = {
          token_hash: hashToken(next),
          previous_hash: hashToken(token),
          rotated_at: new Date(now),
          expires_at: new Date(now + lifeMs),
        };
        await db.updateTable('sessions').set(change).where('id', '=', session).execute();
      }
      return { person, token: next };
    });

  return {
    /** Loads the signing keys, replacing the newest when it is old. */
    async prepareKeys(): Promise<void> {
      const [newest] = await store.signingKeys();
      signing = newest;
      if (signing !== undefined && clock.now() - signing.createdMs < KEY_LIFE_MS) return;
      const key = await newSigningKey(clock.now());
      await store.addSigningKey(key, clock.now() - 2 * KEY_LIFE_MS);
      signing = key;
    },

    async publicKeys(): Promise<JWK[]> {
      return (await store.signingKeys()).map(publicKey);
    },

    async open(db: UsersDb, person: Person, agent: string): Promise<SignedIn> {
      const now = clock.now();
      const { token, stored } = firstToken(now);
      const id = randomUUID();
      await db
        .insertInto('sessions')
        .values({
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
        })
        .execute();
      return { person, ...(await access(person)), cookie: `${id}.${token}` };
    },

    async refresh(cookie: string): Promise<SignedIn> {
      const read = readSessionCookie(cookie);
      const org = read === undefined ? undefined : await store.orgOfSession(read.session);
      if (read === undefined || org === undefined) throw problems.sessionEnded();
      const rotated = await rotate(org, read.session, read.token);
      if (rotated === undefined) throw problems.sessionReused();
      return { person: rotated.person, ...(await access(rotated.person)), cookie: `${read.session}.${rotated.token}` };
    },

    /** Who a session cookie belongs to, without rotating it: for event streams. */
    async peek(cookie: string): Promise<Principal> {
      const read = readSessionCookie(cookie);
      const org = read === undefined ? undefined : await store.orgOfSession(read.session);
      if (read === undefined || org === undefined) throw problems.sessionEnded();
      return store.within(org, async (db) => {
        const row = await liveRow(db, read.session);
        if (judgeToken(tokensOf(row), read.token, clock.now()) === 'reused') throw problems.sessionEnded();
        const person = await personOf(db, org, row.user_id);
        return { org, user: person.id, name: person.username, role: person.role, via: 'session' };
      });
    },

    async end(cookie: string): Promise<void> {
      const read = readSessionCookie(cookie);
      const org = read === undefined ? undefined : await store.orgOfSession(read.session);
      if (read === undefined || org === undefined) return;
      await store.within(org, (db) =>
        db.updateTable('sessions').set({ revoked: true }).where('id', '=', read.session).execute(),
      );
    },
  };
}
export type Sessions = ReturnType<typeof createSessions>;
