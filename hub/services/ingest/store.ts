import { type ColumnType, sql, type Generated, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import type { AuthorityFiles } from './authority.ts';
import { migrations } from './migrations/index.ts';
import type { NatsSeeds } from './nats/keys.ts';
import type { AgentState, Stage } from './settings/rollout.ts';

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
    connected_until: ColumnType<Date | null, Date | null | undefined, Date | null>;
    connected_by: ColumnType<string | null, string | null | undefined, string | null>;
  };
  settings_groups: {
    id: string;
    org_id: string;
    name: string;
    labels: string;
    created_by: string;
    created_at: Date;
    removed_by: string | null;
    removed_at: Date | null;
  };
  settings_revisions: {
    revision: Generated<number>;
    org_id: string;
    group_id: string;
    document: string;
    digest: string;
    restores: number | null;
    canaries: number;
    stage: Stage;
    halted_because: Generated<string>;
    pushed_by: string;
    pushed_by_id: string;
    pushed_at: Date;
  };
  agent_settings: {
    agent: string;
    org_id: string;
    group_id: string | null;
    revision: number | null;
    state: AgentState;
    code: Generated<string>;
    problem: Generated<string>;
    sent_at: Date | null;
    /** The revision that the agent kept last; null for none. */
    proven: number | null;
    changed_at: Date;
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
    /** Of these agents, those to which settings are to be sent that were not sent since a moment; by org. */
    dueSettings: (connected: readonly string[], since: Date): Promise<{ org: string; agent: string }[]> =>
      outside((db) =>
        sql<{
          org: string;
          agent: string;
        }>`SELECT org_id AS org, agent FROM due_settings(${[...connected]}::uuid[], ${since})`.execute(db),
      ),
    /** Orgs in which settings are being tried by a few first. */
    async tryingOrgs(): Promise<string[]> {
      return (await outside((db) => sql<{ org: string }>`SELECT org_id AS org FROM trying_orgs()`.execute(db))).map(
        ({ org }) => org,
      );
    },
    async revokedAgents(): Promise<string[]> {
      return (await outside((db) => sql<{ id: string }>`SELECT id FROM revoked_agents()`.execute(db))).map(
        ({ id }) => id,
      );
    },
  };
}
export type IngestStore = ReturnType<typeof createStore>;
