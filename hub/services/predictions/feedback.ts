import type { Clock } from '#sdk';
import type { Principal } from '../../principal.ts';
import { give } from './detection.ts';
import { problems } from './errors.ts';
import {
  documentOf,
  MOVED_CAUSES,
  sensitivityOf,
  sourceSensitivityOf,
  type MovedSeries,
  type Sensitivity,
  type Verdict,
} from './sensitivity.ts';
import { lockResource, type Db, type PredictionsStore } from './store.ts';

/** Labels of one host that count: the newest. */
const MOST_LABELS = 1000;

/** Who speaks. */
type Who = Pick<Principal, 'org' | 'user' | 'name'>;

/** What somebody said of an event. */
export interface Said {
  person: string;
  name: string;
  verdict: Verdict;
  note: string;
  atMs: number;
}

/** Holds a host's labels against each other anew, and writes down what follows for its thresholds and its agent. */
async function settle(db: Db, org: string, resource: string, nowMs: number): Promise<void> {
  const labels = await db
    .selectFrom('feedback')
    .select(['anomaly', 'kind', 'verdict', 'series'])
    .where('resource', '=', resource)
    .orderBy('at_ms', 'desc')
    .orderBy('anomaly')
    .limit(MOST_LABELS)
    .execute();
  const sensitivity = sensitivityOf(labels);
  const host: MovedSeries[] =
    sensitivity.offset === 0 ? [] : [{ key: '', metric: '', attributes: {}, offset: sensitivity.offset }];
  const rows = [...host, ...sensitivity.series, ...sourceSensitivityOf(labels)].map(
    ({ key, metric, attributes, offset }) => ({
      ...{ org_id: org, resource, series_key: key, metric, moved: offset },
      attributes: JSON.stringify(attributes),
    }),
  );
  await db.deleteFrom('sensitivities').where('resource', '=', resource).execute();
  if (rows.length > 0) await db.insertInto('sensitivities').values(rows).execute();
  await give(db, { org, agent: resource }, { document: documentOf(sensitivity) }, nowMs);
}

/** What people say of events, and what that does to thresholds. */
export function createFeedback({ within }: Pick<PredictionsStore, 'within'>, clock: Clock) {
  return {
    /** Keeps a person's word on an event, in the place of an earlier one. */
    say: (
      { org, user, name }: Who,
      anomaly: string,
      { verdict, note }: { verdict: Verdict; note: string },
    ): Promise<void> =>
      within(org, async (db) => {
        const event = await db.selectFrom('anomalies').selectAll().where('id', '=', anomaly).executeTakeFirst();
        if (event === undefined) throw problems.notFound();
        const { resource, kind, score, surprise } = event;
        await lockResource(db, resource);
        const series = event.causes.slice(0, MOVED_CAUSES).map(({ metric, attributes }) => ({ metric, attributes }));
        const set = {
          ...{ name, verdict, note: note.replaceAll('\0', ''), score, surprise },
          ...{ series: JSON.stringify(series), start_ms: Number(event.start_ms), at_ms: clock.now() },
        };
        await db
          .insertInto('feedback')
          .values({ ...set, org_id: org, anomaly, person: user, resource, kind })
          .onConflict((conflict) => conflict.columns(['org_id', 'anomaly', 'person']).doUpdateSet(set))
          .execute();
        await settle(db, org, resource, clock.now());
      }),
    /** Takes a person's word back, also of an event that is not kept any more. */
    takeBack: ({ org, user }: Who, anomaly: string): Promise<void> =>
      within(org, async (db) => {
        const own = db.selectFrom('feedback').select('resource').where('anomaly', '=', anomaly);
        const said = await own.where('person', '=', user).executeTakeFirst();
        if (said === undefined) throw problems.notFound('You have said nothing of such an event.');
        await lockResource(db, said.resource);
        await db.deleteFrom('feedback').where('anomaly', '=', anomaly).where('person', '=', user).execute();
        await settle(db, org, said.resource, clock.now());
      }),
    /** What was said of each of these events, the newest first. */
    of: (org: string, anomalies: readonly string[]): Promise<Map<string, Said[]>> =>
      within(org, async (db) => {
        const said = new Map<string, Said[]>(anomalies.map((id) => [id, []]));
        if (anomalies.length === 0) return said;
        const rows = await db
          .selectFrom('feedback')
          .select(['anomaly', 'person', 'name', 'verdict', 'note', 'at_ms'])
          .where('anomaly', 'in', anomalies)
          .orderBy('at_ms', 'desc')
          .execute();
        for (const { anomaly, person, name, verdict, note, at_ms } of rows)
          said.get(anomaly)?.push({ person, name, verdict, note, atMs: Number(at_ms) });
        return said;
      }),
    /** By how much the thresholds of a host are moved. */
    sensitivity: (org: string, resource: string): Promise<Sensitivity> =>
      within(org, async (db) => {
        const all = db.selectFrom('sensitivities').selectAll().where('resource', '=', resource);
        const moved = (await all.orderBy('series_key').execute()).map(
          ({ series_key: key, metric, attributes, moved: offset }) => ({ key, metric, attributes, offset }),
        );
        const series = moved.filter(({ key }) => key !== '');
        return { offset: moved.find(({ key }) => key === '')?.offset ?? 0, series };
      }),
  };
}
export type Feedback = ReturnType<typeof createFeedback>;
