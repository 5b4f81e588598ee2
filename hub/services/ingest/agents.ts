import type { Clock } from '#sdk';
import type { AgentCertificate } from './authority.ts';
import { isConnected, type ConnectionMark } from './connections.ts';
import type { IngestStore, Paging } from './store.ts';

/** What is known of an agent when it comes for the first time. */
export interface NewAgent {
  id: string;
  hostname: string;
  labels: Readonly<Record<string, string>>;
  ephemeral: boolean;
  certificate: AgentCertificate;
}

/** What an agent that comes says of itself, and that it is connected if it is. */
interface Seen {
  version: string;
  skewMs: number;
  mark: Partial<ConnectionMark>;
}

/** The agents of an installation, as the database knows them. */
export function createAgents({ store, clock }: { store: IngestStore; clock: Clock }) {
  return {
    async add(org: string, { id, hostname, labels, ephemeral, certificate }: NewAgent): Promise<void> {
      const row = {
        id,
        org_id: org,
        hostname,
        labels: JSON.stringify(labels),
        ephemeral,
        certificate_serial: certificate.serial,
        certificate_ends: new Date(certificate.endsMs),
        enrolled_at: new Date(clock.now()),
        last_seen: null,
        revoked_at: null,
      };
      await store.within(org, (db) => db.insertInto('agents').values(row).execute());
    },
    /** Notes a newer certificate. */
    async certified(org: string, id: string, { serial, endsMs }: AgentCertificate): Promise<void> {
      const set = { certificate_serial: serial, certificate_ends: new Date(endsMs) };
      await store.within(org, (db) => db.updateTable('agents').set(set).where('id', '=', id).execute());
    },
    /** Notes that an agent has come back and gives its name; undefined when it may not. */
    async welcome(org: string, id: string, seen: Seen): Promise<string | undefined> {
      const set = {
        version: seen.version.slice(0, 64),
        skew_ms: seen.skewMs,
        last_seen: new Date(clock.now()),
        ...seen.mark,
      };
      const row = await store.within(org, (db) => {
        const own = db.updateTable('agents').set(set).where('id', '=', id).where('revoked_at', 'is', null);
        return own.returning('hostname').executeTakeFirst();
      });
      return row?.hostname;
    },
    /** True for an agent that is enrolled and not revoked. */
    async isAllowed(org: string, id: string): Promise<boolean> {
      const row = await store.within(org, (db) => {
        const own = db.selectFrom('agents').select('id').where('id', '=', id).where('revoked_at', 'is', null);
        return own.executeTakeFirst();
      });
      return row !== undefined;
    },
    /** Revokes an agent; false when there is none. */
    async revoke(org: string, id: string): Promise<boolean> {
      const set = { revoked_at: new Date(clock.now()) };
      const changed = await store.within(org, (db) =>
        db.updateTable('agents').set(set).where('id', '=', id).executeTakeFirst(),
      );
      return changed.numUpdatedRows > 0n;
    },
    list: (org: string, { limit, offset }: Paging) =>
      store.within(org, async (db) => {
        const newest = db.selectFrom('agents').selectAll().orderBy('enrolled_at', 'desc').orderBy('id');
        const rows = await newest.limit(limit).offset(offset).execute();
        const counted = db.selectFrom('agents').select((eb) => eb.fn.countAll<number>().as('total'));
        const { total } = await counted.executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          hostname: row.hostname,
          labels: row.labels as unknown as Record<string, string>,
          ephemeral: row.ephemeral,
          connected: isConnected(row, clock.now()),
          version: row.version,
          enrolledMs: row.enrolled_at.getTime(),
          lastSeenMs: row.last_seen?.getTime() ?? null,
          certificateEndsMs: row.certificate_ends.getTime(),
          skewMs: row.skew_ms,
          revoked: row.revoked_at !== null,
        }));
        return { items, total, limit, offset };
      }),
  };
}

export type Agents = ReturnType<typeof createAgents>;
