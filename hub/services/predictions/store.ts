import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import { migrations } from './migrations/index.ts';
import type { PredictionsTables } from './tables.ts';

/** Name of the schema. */
export const SCHEMA = 'predictions';

/** A transaction of one org. */
export type Db = Kysely<PredictionsTables>;

/** The only part of this service that opens its tables. */
export function createStore(relational: Relational) {
  const outside = <Row>(query: (db: Db) => Promise<{ rows: Row[] }>): Promise<Row[]> =>
    relational.outside<PredictionsTables, Row[]>(SCHEMA, async (db) => (await query(db)).rows);
  return {
    migrate: () => relational.migrate(SCHEMA, migrations),
    within: <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work),
    /** Orgs that have events. */
    orgs: async (): Promise<string[]> =>
      (await outside((db) => sql<{ org: string }>`SELECT org FROM anomaly_orgs()`.execute(db))).map(({ org }) => org),
    /** Of these agents, those that have something else than they are to have and were sent nothing since a moment. */
    dueDetections: (agents: readonly string[], sinceMs: number) =>
      outside((db) =>
        sql<{
          org: string;
          agent: string;
        }>`SELECT org, agent FROM due_detections(${[...agents]}::uuid[], ${sinceMs})`.execute(db),
      ),
    /** Orgs whose agents detect anything. */
    detectingOrgs: async (): Promise<string[]> =>
      (await outside((db) => sql<{ org: string }>`SELECT org FROM detecting_orgs()`.execute(db))).map(({ org }) => org),
    /** Work that waits, or whose runner was last heard of before a moment; the oldest first. */
    waitingJobs: (sinceMs: number) =>
      outside((db) => sql<{ org: string; id: string }>`SELECT org, id FROM waiting_jobs(${sinceMs})`.execute(db)),
    /** Hosts of which windows of logs wait that began at a moment or before. */
    dueSequences: (beforeMs: number) =>
      outside((db) =>
        sql<{ org: string; resource: string }>`SELECT org, resource FROM due_sequences(${beforeMs})`.execute(db),
      ),
    /** Orgs of whose logs something is known. */
    sequenceOrgs: async (): Promise<string[]> =>
      (await outside((db) => sql<{ org: string }>`SELECT org FROM sequence_orgs()`.execute(db))).map(({ org }) => org),
    check: () => relational.check(),
  };
}
export type PredictionsStore = ReturnType<typeof createStore>;

/** Changes of what belongs to one host wait for each other, also between hubs. */
export const lockResource = (db: Db, resource: string): Promise<unknown> =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`predictions ${resource}`}, 0))`.execute(db);
