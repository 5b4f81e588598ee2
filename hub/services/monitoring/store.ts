import { sql, type Generated, type Kysely } from 'kysely';
import type { Migration, Relational } from '../../ports/relational.ts';

/** The schema of this service. */
export const SCHEMA = 'monitoring';

/** The tables of resources, as Kysely sees them. */
export interface ResourceTables {
  monitored_resources: {
    id: string;
    org_id: string;
    resource_type: string;
    resource_name: string;
    endpoint: string | null;
    monitoring_config: Generated<string>;
    labels: Generated<string>;
    inventory: Generated<string>;
    version: Generated<string>;
    ephemeral: Generated<boolean>;
    connected: Generated<boolean>;
    last_seen: Date | null;
    created_at: Generated<Date>;
  };
}

/** A resource as the rest of the service sees it. */
export interface Resource {
  id: string;
  org: string;
  type: string;
  name: string;
  endpoint: string | null;
  config: Record<string, unknown>;
  labels: Record<string, string>;
  inventory: Record<string, string>;
  version: string;
  ephemeral: boolean;
  connected: boolean;
  lastSeenMs: number | null;
  createdMs: number;
}

interface Row {
  id: string;
  org_id: string;
  resource_type: string;
  resource_name: string;
  endpoint: string | null;
  monitoring_config: unknown;
  labels: unknown;
  inventory: unknown;
  version: string;
  ephemeral: boolean;
  connected: boolean;
  last_seen: Date | null;
  created_at: Date;
}

const resourceOf = (row: Row): Resource => ({
  id: row.id,
  org: row.org_id,
  type: row.resource_type,
  name: row.resource_name,
  endpoint: row.endpoint,
  config: row.monitoring_config as Record<string, unknown>,
  labels: row.labels as Record<string, string>,
  inventory: row.inventory as Record<string, string>,
  version: row.version,
  ephemeral: row.ephemeral,
  connected: row.connected,
  lastSeenMs: row.last_seen?.getTime() ?? null,
  createdMs: row.created_at.getTime(),
});

/** What of a resource may change. */
export interface ResourceChange {
  name?: string;
  endpoint?: string | null;
  config?: Record<string, unknown>;
  labels?: Record<string, string>;
  inventory?: Record<string, string>;
  version?: string;
  connected?: boolean;
  lastSeenMs?: number;
}

const json = (value: unknown): string | undefined => (value === undefined ? undefined : JSON.stringify(value));

function guestsSilentSince(relational: Relational, ms: number): Promise<{ org: string; id: string }[]> {
  return relational.outside<ResourceTables, { org: string; id: string }[]>(SCHEMA, async (db) => {
    const gone = sql<{ org: string; id: string }>`SELECT org, id FROM guests_silent_since(${new Date(ms)})`;
    return (await gone.execute(db)).rows;
  });
}

/** The only part of this service that speaks to the database about resources. */
export function createStore(relational: Relational) {
  const within = <T>(org: string, work: (db: Kysely<ResourceTables>) => Promise<T>): Promise<T> =>
    relational.forOrg(SCHEMA, org, work);
  return {
    migrate: (migrations: readonly Migration[]) => relational.migrate(SCHEMA, migrations),
    /** Hosts that come and go and were not heard of since a moment, of every org. */
    guestsSilentSince: (ms: number) => guestsSilentSince(relational, ms),
    /** Adds a resource; adding the same id again changes nothing. */
    async add(
      org: string,
      resource: Pick<Resource, 'id' | 'type' | 'name' | 'endpoint' | 'labels' | 'config' | 'ephemeral'>,
    ): Promise<void> {
      const { id, type, name, endpoint, labels, config, ephemeral } = resource;
      const values = {
        id,
        org_id: org,
        resource_type: type,
        resource_name: name,
        endpoint,
        ephemeral,
        last_seen: null,
      };
      await within(org, (db) =>
        db
          .insertInto('monitored_resources')
          .values({ ...values, labels: JSON.stringify(labels), monitoring_config: JSON.stringify(config) })
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute(),
      );
    },
    async get(org: string, id: string): Promise<Resource | undefined> {
      const row = await within(org, (db) =>
        db.selectFrom('monitored_resources').selectAll().where('id', '=', id).executeTakeFirst(),
      );
      return row === undefined ? undefined : resourceOf(row);
    },
    async list(
      org: string,
      page: { limit: number; offset: number; text?: string },
    ): Promise<{ items: Resource[]; total: number }> {
      return within(org, async (db) => {
        const pattern = `%${(page.text ?? '').replace(/[\\%_]/g, '\\$&')}%`;
        const fitting = db.selectFrom('monitored_resources').where('resource_name', 'ilike', pattern);
        const rows = await fitting
          .selectAll()
          .orderBy('resource_name')
          .orderBy('id')
          .limit(page.limit)
          .offset(page.offset)
          .execute();
        const { total } = await fitting.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        return { items: rows.map(resourceOf), total };
      });
    },
    /** True when the resource exists. */
    async change(org: string, id: string, change: ResourceChange): Promise<boolean> {
      const set = {
        resource_name: change.name,
        endpoint: change.endpoint,
        version: change.version,
        connected: change.connected,
        monitoring_config: json(change.config),
        labels: json(change.labels),
        inventory: json(change.inventory),
        last_seen: change.lastSeenMs === undefined ? undefined : new Date(change.lastSeenMs),
      };
      const result = await within(org, (db) =>
        db.updateTable('monitored_resources').set(set).where('id', '=', id).executeTakeFirst(),
      );
      return result.numUpdatedRows > 0n;
    },
    async remove(org: string, id: string): Promise<boolean> {
      const result = await within(org, (db) =>
        db.deleteFrom('monitored_resources').where('id', '=', id).executeTakeFirst(),
      );
      return result.numDeletedRows > 0n;
    },
  };
}
export type MonitoringStore = ReturnType<typeof createStore>;
