import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import { migrations } from './migrations/index.ts';
import type { SigningKey } from './access-token.ts';
import type { FoundKey, FoundUser, SigningKeyRow, UsersTables } from './tables.ts';

/** The service's own schema. */
export const SCHEMA = 'users';

/** Which part of a list is asked for. */
export interface Paging {
  limit: number;
  offset: number;
}

/** A transaction on the tables of this service. */
export type UsersDb = Kysely<UsersTables>;

/** The only part of this service that speaks to the database. */
export function createStore(relational: Relational) {
  const outside = <Row>(query: (db: UsersDb) => Promise<{ rows: Row[] }>): Promise<Row[]> =>
    relational.outside<UsersTables, Row[]>(SCHEMA, async (db) => (await query(db)).rows);
  return {
    migrate: () => relational.migrate(SCHEMA, migrations),
    /** One transaction inside an org. */
    within: <T>(org: string, work: (db: UsersDb) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work),
    async findUser(login: string): Promise<FoundUser | undefined> {
      return (await outside((db) => sql<FoundUser>`SELECT * FROM find_user(${login})`.execute(db)))[0];
    },
    async findKey(hash: string): Promise<FoundKey | undefined> {
      return (await outside((db) => sql<FoundKey>`SELECT * FROM find_key(${hash})`.execute(db)))[0];
    },
    async orgOfSession(session: string): Promise<string | undefined> {
      const [row] = await outside((db) =>
        sql<{ org: string | null }>`SELECT org_of_session(${session}) AS org`.execute(db),
      );
      return row?.org ?? undefined;
    },
    async orgOfInvitation(hash: string): Promise<string | undefined> {
      const [row] = await outside((db) =>
        sql<{ org: string | null }>`SELECT org_of_invitation(${hash}) AS org`.execute(db),
      );
      return row?.org ?? undefined;
    },
    /** The installation's first org: the one that open registration joins. */
    async firstOrg(): Promise<string | undefined> {
      const [row] = await outside((db) => sql<{ org: string | null }>`SELECT first_org() AS org`.execute(db));
      return row?.org ?? undefined;
    },
    async signingKeys(): Promise<SigningKey[]> {
      const rows = await outside((db) => sql<SigningKeyRow>`SELECT * FROM read_signing_keys()`.execute(db));
      return rows.map(({ kid, private_key, created_at }) => ({
        kid,
        privateKey: private_key,
        createdMs: created_at.getTime(),
      }));
    },
    async addSigningKey(key: SigningKey, forgetBeforeMs: number): Promise<void> {
      const jwk = JSON.stringify(key.privateKey);
      const times = [new Date(key.createdMs), new Date(forgetBeforeMs)] as const;
      await outside((db) =>
        sql`SELECT add_signing_key(${key.kid}, ${jwk}::jsonb, ${times[0]}, ${times[1]})`.execute(db),
      );
    },
    async forgetExpired(nowMs: number): Promise<void> {
      await outside((db) => sql`SELECT forget_expired(${new Date(nowMs)})`.execute(db));
    },
  };
}
export type UsersStore = ReturnType<typeof createStore>;

/** True for PostgreSQL's answer that a unique value exists already. */
export function isTaken(error: unknown): boolean {
  return (error as { code?: string }).code === '23505';
}
