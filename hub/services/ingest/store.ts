import { sql, type Generated, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import type { AuthorityFiles } from './authority.ts';
import { migrations } from './migrations/index.ts';
import type { NatsSeeds } from './nats/keys.ts';

const SCHEMA = 'ingest';

/** Which part of a list is asked for. */
export interface Paging {
  limit: number;
  offset: number;
}

/** The tables of the schema `ingest`, as Kysely sees them. */
export interface IngestTables {
  join_tokens: {
    id: string;
    org_id: string;
    secret_hash: string;
    uses_left: number;
    uses: number;
    labels: string;
    ephemeral: boolean;
    created_at: Date;
    expires_at: Date;
  };
  agents: {
    id: string;
    org_id: string;
    hostname: string;
    labels: string;
    ephemeral: boolean;
    version: Generated<string>;
    certificate_serial: string;
    certificate_ends: Date;
    enrolled_at: Date;
    last_seen: Date | null;
    skew_ms: Generated<number>;
    revoked_at: Date | null;
  };
  clock_shifts: { id: Generated<string>; org_id: string; agent: string; since: Date; shift_ms: number };
}

/** The only part of this service that speaks to the database. */
export function createStore(relational: Relational) {
  const outside = <Row>(query: (db: Kysely<IngestTables>) => Promise<{ rows: Row[] }>): Promise<Row[]> =>
    relational.outside<IngestTables, Row[]>(SCHEMA, async (db) => (await query(db)).rows);
  return {
    migrate: () => relational.migrate(SCHEMA, migrations),
    within: <T>(org: string, work: (db: Kysely<IngestTables>) => Promise<T>): Promise<T> =>
      relational.forOrg(SCHEMA, org, work),
    async readAuthority(): Promise<AuthorityFiles | undefined> {
      const [row] = await outside((db) =>
        sql<{ certificate: string; private_key: string }>`SELECT * FROM read_authority()`.execute(db),
      );
      return row === undefined ? undefined : { certificate: row.certificate, privateKey: row.private_key };
    },
    async keepAuthority({ certificate, privateKey }: AuthorityFiles): Promise<void> {
      await outside((db) => sql`SELECT keep_authority(${certificate}, ${privateKey})`.execute(db));
    },
    async readNatsSeeds(): Promise<NatsSeeds | undefined> {
      const [row] = await outside((db) =>
        sql<NatsSeeds>`SELECT issuer, hub, system FROM read_nats_seeds()`.execute(db),
      );
      return row;
    },
    async keepNatsSeeds({ issuer, hub, system }: NatsSeeds): Promise<void> {
      await outside((db) => sql`SELECT keep_nats_seeds(${issuer}, ${hub}, ${system})`.execute(db));
    },
    async orgOfToken(id: string): Promise<string | undefined> {
      const [row] = await outside((db) => sql<{ org: string | null }>`SELECT org_of_token(${id}) AS org`.execute(db));
      return row?.org ?? undefined;
    },
    async revokedAgents(): Promise<string[]> {
      return (await outside((db) => sql<{ id: string }>`SELECT id FROM revoked_agents()`.execute(db))).map(
        ({ id }) => id,
      );
    },
  };
}
export type IngestStore = ReturnType<typeof createStore>;
