import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import type { BatchKey } from '../../ports/series.ts';
import type { Amounts, LedgerReport, Loss } from './ledger.ts';
import { migrations } from './migrations/index.ts';

const SCHEMA = 'logs';
const DAY_MS = 86_400_000;

interface LossRow {
  org_id: string;
  resource: string;
  agent: string;
  epoch: string;
  lane: number;
  seq: string;
  place: number;
  source: string;
  lines: string | number;
  bytes: string | number;
  from_ms: string | number;
  to_ms: string | number;
  skew_ms: string | number;
  cause: string;
}
interface Tables {
  losses: LossRow;
  ledgers: {
    org_id: string;
    resource: string;
    source: string;
    since_ms: string | number;
    at_ms: string | number;
    amounts: unknown;
  };
}
type Db = Kysely<Tables>;

/** A loss of a host. */
export interface StoredLoss extends Loss {
  resource: string;
}

/** A source of a host and what became of its lines. */
export interface StoredLedger {
  source: string;
  sinceMs: number;
  atMs: number;
  amounts: Amounts;
}

/** What a batch tells beside its lines. */
export interface Told {
  resource: string;
  key: BatchKey;
  skewMs: number;
  losses: readonly Loss[];
  ledger: LedgerReport | undefined;
}

/** Which losses are asked for; times in milliseconds, both ends count. */
export interface LossFilter {
  resource: string | undefined;
  fromMs: number;
  toMs: number;
}

/** Writes rows within a transaction of an org. */
function createWriters(days: number) {
  const keepLosses = async (db: Db, org: string, { resource, key, skewMs, losses }: Told, nowMs: number) => {
    await db
      .deleteFrom('losses')
      .where('to_ms', '<', Math.round(nowMs - days * DAY_MS))
      .execute();
    const { agent, epoch, lane, seq } = key;
    const rows = losses.map(({ source, lines, bytes, fromMs, toMs, cause }, place) => ({
      ...{ org_id: org, resource, agent, epoch: String(epoch), lane, seq: String(seq), place },
      ...{ source, lines, bytes, from_ms: fromMs, to_ms: toMs, skew_ms: Math.round(skewMs), cause },
    }));
    await db
      .insertInto('losses')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  };
  const keepLedger = async (db: Db, org: string, resource: string, { sinceMs, atMs, sources }: LedgerReport) => {
    const rows = sources.map(({ source, amounts }) => ({
      ...{ org_id: org, resource, source, since_ms: sinceMs, at_ms: atMs, amounts: JSON.stringify(amounts) },
    }));
    await db
      .insertInto('ledgers')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .columns(['org_id', 'resource', 'source'])
          .doUpdateSet({
            since_ms: sql`excluded.since_ms`,
            at_ms: sql`excluded.at_ms`,
            amounts: sql`excluded.amounts`,
          })
          // Back-fill tells what was, after live has told what is.
          .whereRef('ledgers.at_ms', '<', sql`excluded.at_ms`),
      )
      .execute();
  };
  return { keepLosses, keepLedger };
}

/** Keeps losses and ledgers. `days` are kept, like the lines. */
export function createStore(relational: Relational, days: number) {
  const within = <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work);

  const { keepLosses, keepLedger } = createWriters(days);
  return {
    migrate: () => relational.migrate(SCHEMA, migrations),
    /** Keeps what a batch tells, once, however often it comes. */
    async keep(org: string, told: Told, nowMs: number): Promise<void> {
      const { losses, ledger, resource } = told;
      if (losses.length === 0 && (ledger === undefined || ledger.sources.length === 0)) return;
      await within(org, async (db) => {
        if (losses.length > 0) await keepLosses(db, org, told, nowMs);
        if (ledger !== undefined && ledger.sources.length > 0) await keepLedger(db, org, resource, ledger);
      });
    },
    /** Newest first. */
    losses: (org: string, { resource, fromMs, toMs }: LossFilter, page: { limit: number; offset: number }) =>
      within(org, async (db) => {
        const fits = db
          .selectFrom('losses')
          .where('to_ms', '>=', Math.floor(fromMs))
          .where('from_ms', '<=', Math.ceil(toMs))
          .$if(resource !== undefined, (query) => query.where('resource', '=', resource ?? ''));
        const rows = await fits
          .selectAll()
          .orderBy('to_ms', 'desc')
          .orderBy('seq', 'desc')
          .orderBy('place', 'desc')
          .limit(page.limit)
          .offset(page.offset)
          .execute();
        const { total } = await fits.select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow();
        return { items: rows.map(lossOf), total: Number(total) };
      }),
    /** Lines and losses by host, of those that have any. */
    lossesByHost: (org: string, fromMs: number) =>
      within(org, async (db) => {
        const rows = await db
          .selectFrom('losses')
          .where('to_ms', '>=', Math.floor(fromMs))
          .groupBy('resource')
          .select(({ fn }) => ['resource', fn.countAll().as('losses'), fn.sum('lines').as('lines')])
          .execute();
        return rows.map(({ resource, losses, lines }) => ({ resource, losses: Number(losses), lines: Number(lines) }));
      }),
    /** Every source of a host, those with most lines first. */
    ledger: (org: string, resource: string): Promise<StoredLedger[]> =>
      within(org, async (db) => {
        const rows = await db.selectFrom('ledgers').selectAll().where('resource', '=', resource).execute();
        return rows
          .map(({ source, since_ms, at_ms, amounts }) => ({
            ...{ source, sinceMs: Number(since_ms), atMs: Number(at_ms), amounts: amounts as Amounts },
          }))
          .sort((a, b) => b.amounts.read.lines - a.amounts.read.lines || (a.source < b.source ? -1 : 1));
      }),
    deleteResource: (org: string, resource: string): Promise<void> =>
      within(org, async (db) => {
        await db.deleteFrom('losses').where('resource', '=', resource).execute();
        await db.deleteFrom('ledgers').where('resource', '=', resource).execute();
      }),
    check: () => relational.check(),
  };
}
export type LogsTables = ReturnType<typeof createStore>;

const lossOf = ({ resource, source, lines, bytes, from_ms, to_ms, cause }: LossRow): StoredLoss => ({
  ...{ resource, source, lines: Number(lines), bytes: Number(bytes) },
  ...{ fromMs: Number(from_ms), toMs: Number(to_ms), cause },
});
