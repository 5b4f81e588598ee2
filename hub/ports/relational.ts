import type { Kysely } from 'kysely';

/** One step of a schema. Steps are applied once each, in the order of the list, each in a transaction of its own. */
export interface Migration {
  /** `0001-start`: never renamed, never changed once released. */
  name: string;
  /** Statements for PostgreSQL. They run as the owner of the schema, with `search_path` set to it. */
  sql: string;
}

/**
 * PostgreSQL, as one service sees it. Each service owns a schema. Every table has `org_id`, row-level security enabled and
 * forced, and a policy `org_id = outrider.org()`; the role that runs `forOrg` and `outside` is neither owner, superuser nor
 * BYPASSRLS. What must look before an org is known is a SECURITY DEFINER function owned by the role `outrider_lookup`, which
 * has nothing but the policies and grants that a migration gives it.
 */
export interface Relational {
  /** Creates the schema and brings it to its newest step. Safe when several hubs start at once. Rejects when the schema is newer than the list. */
  migrate(schema: string, migrations: readonly Migration[]): Promise<void>;
  /** One transaction that sees and writes only rows of `org`. Rolls back when `work` rejects. */
  forOrg<Tables, T>(schema: string, org: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /** One transaction without an org: tables look empty, only the schema's SECURITY DEFINER functions answer. */
  outside<Tables, T>(schema: string, work: (db: Kysely<Tables>) => Promise<T>): Promise<T>;
  /**
   * Runs `work` at the times of a cron expression (five fields, UTC), half a minute late at most, in one of the hubs that share the store. Work that
   * rejects is tried twice more; a run whose hub was killed is done again after five minutes. `name` is the schema's own. Resolves, once it is
   * written down, with the end of this hub's part, which waits for a run that has begun.
   */
  schedule(schema: string, name: string, cron: string, work: () => Promise<void>): Promise<() => Promise<void>>;
  /** Rejects when the store cannot answer now. */
  check(): Promise<void>;
}
