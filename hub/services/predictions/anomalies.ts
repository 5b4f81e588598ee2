import { sql, type Selectable } from 'kysely';
import type { Anomaly, Kind } from './event.ts';
import type { Verdict } from './sensitivity.ts';
import type { Db, PredictionsStore } from './store.ts';
import type { Ending, PredictionsTables } from './tables.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/**
 * Events of a kind go on no longer than this, milliseconds: an agent ends one of its host after six hours, one of logs settles after 24 windows of an hour at most, and
 * nobody waits for a line for more than a week. One that does has lost who would have ended it.
 */
const LONGEST_MS: Partial<Record<Kind, number>> = {
  host: 7 * HOUR_MS,
  'log-sequence': 2 * DAY_MS,
  'template-vanished': 7 * DAY_MS,
};
/** Events that are kept of one host: the newest. */
const MOST_OF_HOST = 10_000;

/** An event with whose it is and what became of it. */
export interface StoredAnomaly extends Anomaly {
  resource: string;
  endedBy: Ending | null;
}

/** Which events are asked for. Times in milliseconds, both ends count; absent: all. */
export interface AnomalyFilter {
  resource?: string;
  kind?: Kind;
  state?: 'open' | 'ended';
  fromMs?: number;
  toMs?: number;
  least?: number;
  /** Events that somebody labelled so; `none`: nobody labelled them. */
  label?: Verdict | 'none';
}

const shown = (row: Selectable<PredictionsTables['anomalies']>): StoredAnomaly => ({
  id: row.id,
  resource: row.resource,
  revision: Number(row.revision),
  kind: row.kind,
  startMs: Number(row.start_ms),
  peakMs: Number(row.peak_ms),
  endMs: row.end_ms === null ? null : Number(row.end_ms),
  endedBy: row.ended_by,
  score: row.score,
  surprise: row.surprise,
  model: row.model,
  causes: row.causes,
  contexts: row.contexts,
  templates: row.templates,
});

/** What is told of a host. */
export interface Told {
  resource: string;
  events: readonly Anomaly[];
  /** When it was heard, by the hub's clock. */
  heardMs: number;
}

/** Writes events; of each the highest revision stays, and an event of another host is left alone. */
export async function write(db: Db, org: string, { resource, events, heardMs }: Told): Promise<void> {
  const rows = events.map((event) => ({
    ...{ org_id: org, id: event.id, resource, revision: event.revision, kind: event.kind },
    ...{ start_ms: event.startMs, peak_ms: event.peakMs, end_ms: event.endMs },
    ended_by: event.endMs === null ? null : ('agent' as const),
    ...{ score: event.score, surprise: event.surprise, model: event.model, heard_ms: heardMs },
    causes: JSON.stringify(event.causes),
    contexts: JSON.stringify(event.contexts),
    templates: JSON.stringify(event.templates),
  }));
  await db
    .insertInto('anomalies')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'id'])
        .doUpdateSet((eb) => ({
          revision: eb.ref('excluded.revision'),
          kind: eb.ref('excluded.kind'),
          start_ms: eb.ref('excluded.start_ms'),
          peak_ms: eb.ref('excluded.peak_ms'),
          end_ms: eb.ref('excluded.end_ms'),
          ended_by: eb.ref('excluded.ended_by'),
          score: eb.ref('excluded.score'),
          surprise: eb.ref('excluded.surprise'),
          model: eb.ref('excluded.model'),
          causes: eb.ref('excluded.causes'),
          contexts: eb.ref('excluded.contexts'),
          templates: eb.ref('excluded.templates'),
          heard_ms: eb.ref('excluded.heard_ms'),
        }))
        .whereRef('anomalies.revision', '<', 'excluded.revision')
        .whereRef('anomalies.resource', '=', 'excluded.resource'),
    )
    .execute();
}

/** A host has one event at a time: one that its agent forgot is over where the next began. */
const supersede = (db: Db, resource: string): Promise<unknown> =>
  sql`
UPDATE anomalies AS a SET ended_by = 'superseded', end_ms = n.start_ms
FROM (SELECT id, lead(start_ms) OVER (ORDER BY start_ms, id) AS start_ms FROM anomalies
      WHERE resource = ${resource} AND kind = 'host' AND start_ms >= (
        SELECT min(start_ms) FROM anomalies WHERE resource = ${resource} AND kind = 'host' AND end_ms IS NULL)) AS n
WHERE a.id = n.id AND a.resource = ${resource} AND a.end_ms IS NULL AND n.start_ms IS NOT NULL`.execute(db);

function chosen(db: Db, { resource, kind, state, fromMs, toMs, least, label }: AnomalyFilter) {
  let query = db.selectFrom('anomalies');
  if (resource !== undefined) query = query.where('resource', '=', resource);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (state !== undefined) query = query.where('end_ms', state === 'open' ? 'is' : 'is not', null);
  if (fromMs !== undefined)
    query = query.where((eb) => eb.or([eb('end_ms', 'is', null), eb('end_ms', '>=', Math.floor(fromMs))]));
  if (toMs !== undefined) query = query.where('start_ms', '<=', Math.ceil(toMs));
  if (least !== undefined) query = query.where('score', '>=', least);
  if (label === undefined) return query;
  return query.where((eb) => {
    const said = eb.selectFrom('feedback').select('anomaly').whereRef('feedback.anomaly', '=', 'anomalies.id');
    return label === 'none' ? eb.not(eb.exists(said)) : eb.exists(said.where('verdict', '=', label));
  });
}

/** Keeps events. */
export function createAnomalies(
  { within, orgs }: Pick<PredictionsStore, 'within' | 'orgs'>,
  kept: { days: number; lostHours: number },
) {
  const sweepOrg = (db: Db, nowMs: number): Promise<void> =>
    (async () => {
      await db
        .updateTable('anomalies')
        .set((eb) => ({
          ended_by: 'lost',
          end_ms: sql<number>`greatest(${eb.ref('start_ms')}, ${eb.ref('heard_ms')})`,
        }))
        .where('end_ms', 'is', null)
        .where('heard_ms', '<', Math.round(nowMs - kept.lostHours * HOUR_MS))
        .execute();
      for (const [kind, longestMs] of Object.entries(LONGEST_MS) as [Kind, number][])
        await db
          .updateTable('anomalies')
          .set((eb) => ({ ended_by: 'lost', end_ms: sql<number>`${eb.ref('start_ms')} + ${longestMs}::bigint` }))
          .where('end_ms', 'is', null)
          .where('kind', '=', kind)
          .where('start_ms', '<', Math.round(nowMs - longestMs))
          .execute();
      await db
        .deleteFrom('anomalies')
        .where('end_ms', '<', Math.round(nowMs - kept.days * DAY_MS))
        .execute();
      await sql`
DELETE FROM anomalies AS a USING (
  SELECT id, row_number() OVER (PARTITION BY resource ORDER BY start_ms DESC, id) AS place FROM anomalies
  WHERE resource IN (SELECT resource FROM anomalies GROUP BY resource HAVING count(*) > ${MOST_OF_HOST})) AS n
WHERE a.id = n.id AND n.place > ${MOST_OF_HOST}`.execute(db);
    })();
  return {
    /** Keeps what a batch tells of a host, in one transaction; what was there already changes nothing. */
    keep: (org: string, told: Told): Promise<void> =>
      within(org, async (db) => {
        await write(db, org, told);
        if (told.events.some(({ kind }) => kind === 'host')) await supersede(db, told.resource);
      }),
    /** Its agent is there: what is open goes on. */
    heard: (org: string, resource: string, heardMs: number): Promise<void> =>
      within(org, async (db) => {
        const open = db.updateTable('anomalies').set({ heard_ms: heardMs }).where('resource', '=', resource);
        await open.where('end_ms', 'is', null).where('heard_ms', '<', heardMs).execute();
      }),
    /** The newest first. */
    list: (org: string, filter: AnomalyFilter, page: { limit: number; offset: number }) =>
      within(org, async (db) => {
        const newest = chosen(db, filter).selectAll().orderBy('start_ms', 'desc').orderBy('id');
        const rows = await newest.limit(page.limit).offset(page.offset).execute();
        const counted = chosen(db, filter).select(({ fn }) => fn.countAll().as('total'));
        const { total } = await counted.executeTakeFirstOrThrow();
        return { items: rows.map(shown), total: Number(total) };
      }),
    get: (org: string, id: string): Promise<StoredAnomaly | undefined> =>
      within(org, async (db) => {
        const row = await db.selectFrom('anomalies').selectAll().where('id', '=', id).executeTakeFirst();
        return row && shown(row);
      }),
    /** Closes what nobody will close any more, and forgets what is old. */
    async sweep(nowMs: number): Promise<void> {
      for (const org of await orgs()) await within(org, (db) => sweepOrg(db, nowMs));
    },
    deleteResource: (org: string, resource: string): Promise<void> =>
      within(org, async (db) => {
        for (const table of ['anomalies', 'feedback', 'sensitivities'] as const)
          await db.deleteFrom(table).where('resource', '=', resource).execute();
        await db.deleteFrom('detections').where('agent', '=', resource).execute();
      }),
  };
}
export type Anomalies = ReturnType<typeof createAnomalies>;
