import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { Selectable } from 'kysely';
import { problems } from '../errors.ts';
import type { Db, PredictionsStore } from '../store.ts';
import type { JobState, PredictionsTables } from '../tables.ts';

/** A runner that said nothing for so long is gone, milliseconds: another one begins anew. */
const LOST_MS = 60_000;
/** So often something is begun: what ends its process each time is given up. */
const MOST_ATTEMPTS = 3;
/** Jobs that are over are kept so long, milliseconds. */
const KEPT_MS = 30 * 86_400_000;

/** Work that takes longer than a call. */
export interface Job {
  id: string;
  kind: 'train-model';
  resource: string;
  state: JobState;
  /** Days to learn from. */
  days: number;
  /** 0 to 1. */
  progress: number;
  /** What it does now, in words. */
  step: string;
  createdMs: number;
  startedMs: number | null;
  endedMs: number | null;
  by: string;
  /** The model that it made. */
  version: string | null;
  problem: { code: string; detail: string } | null;
}

/** How a job is asked for. */
export interface JobWish {
  resource: string;
  days: number;
  by: string;
}

type Row = Selectable<PredictionsTables['jobs']>;
const time = (ms: string | number | null): number | null => (ms === null ? null : Number(ms));

const jobOf = (row: Row): Job => ({
  ...{ id: row.id, kind: row.kind, resource: row.resource, state: row.state, days: row.days },
  ...{ progress: row.progress, step: row.step, by: row.made_by, version: row.version, problem: row.problem },
  ...{ createdMs: Number(row.created_ms), startedMs: time(row.started_ms), endedMs: time(row.ended_ms) },
});

const GOING = ['queued', 'running'] as const;

/** Jobs as those see them who do them: each has a name, and only who took a job may say anything of it. */
function createQueue({ within, waitingJobs }: Pick<PredictionsStore, 'within' | 'waitingJobs'>, clock: Clock) {
  return {
    /** Takes the oldest work that nobody does; two that ask get two. */
    async claim(runner: string): Promise<{ org: string; job: Job } | undefined> {
      const nowMs = clock.now();
      for (const { org, id } of await waitingJobs(nowMs - LOST_MS)) {
        const row = await within(org, (db) =>
          db
            .updateTable('jobs')
            .set(({ eb }) => ({
              state: 'running',
              runner,
              heard_ms: nowMs,
              started_ms: nowMs,
              progress: 0,
              attempts: eb('attempts', '+', 1),
            })) // prettier-ignore
            .where('id', '=', id)
            .where((eb) =>
              eb.or([
                eb('state', '=', 'queued'),
                eb.and([eb('state', '=', 'running'), eb('heard_ms', '<', nowMs - LOST_MS)]),
              ]),
            ) // prettier-ignore
            .returningAll()
            .executeTakeFirst(),
        );
        if (row === undefined) continue;
        if (row.attempts <= MOST_ATTEMPTS) return { org, job: jobOf(row) };
        const detail = `It was begun ${MOST_ATTEMPTS} times, and each time its process ended.`;
        await this.end(org, { id, runner }, { state: 'failed', problem: { code: 'predictions.lost', detail } });
      }
      return undefined;
    },
    /** Says that it is still being done; false when it is to end, because somebody cancelled it or took it over. */
    heard: (org: string, { id, runner }: { id: string; runner: string }, now: { progress: number; step: string }) =>
      within(org, async (db) => {
        const set = { ...now, heard_ms: clock.now() };
        const own = db.updateTable('jobs').set(set).where('id', '=', id).where('runner', '=', runner).where('state', '=', 'running'); // prettier-ignore
        const row = await own.returning('is_cancelled').executeTakeFirst();
        return row !== undefined && !row.is_cancelled;
      }),
    /** Writes down what became of it. `queued`: somebody else is to do it. */
    end: (
      org: string,
      { id, runner }: { id: string; runner: string },
      { state, version = null, problem = null }: Partial<Pick<Job, 'version' | 'problem'>> & Pick<Job, 'state'>,
    ): Promise<unknown> =>
      within(org, (db) =>
        db
          .updateTable('jobs')
          .set({
            ...{ state, version, problem: problem === null ? null : JSON.stringify(problem), runner: null },
            ...(state === 'queued' ? { step: 'waits for its turn', progress: 0, attempts: 0 } : { ended_ms: clock.now(), step: state }), // prettier-ignore
            ...(state === 'done' ? { progress: 1 } : {}),
          })
          .where('id', '=', id)
          .where('runner', '=', runner)
          .where('state', '=', 'running')
          .execute(),
      ),
  };
}

/** Keeps jobs. */
export function createJobs(store: Pick<PredictionsStore, 'within' | 'waitingJobs'>, clock: Clock) {
  const { within } = store;
  const read = (db: Db, id: string) => db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
  return {
    ...createQueue(store, clock),
    /** Asks for a model. Throws `predictions.already-training` while one of the host is being made. */
    add: (org: string, { resource, days, by }: JobWish): Promise<Job> =>
      within(org, async (db) => {
        const row = await db
          .insertInto('jobs')
          .values({
            ...{ org_id: org, id: randomUUID(), kind: 'train-model', resource, state: 'queued', days, made_by: by },
            ...{ progress: 0, step: 'waits for its turn', created_ms: clock.now(), started_ms: null, ended_ms: null },
            ...{ runner: null, heard_ms: null, attempts: 0, is_cancelled: false, version: null, problem: null },
          })
          .onConflict((conflict) => conflict.doNothing())
          .returningAll()
          .executeTakeFirst();
        if (row !== undefined) return jobOf(row);
        const going = await db.selectFrom('jobs').select('id').where('resource', '=', resource).where('state', 'in', GOING).executeTakeFirst(); // prettier-ignore
        throw problems.alreadyTraining('Wait for that job, or cancel it.', { facts: { job: going?.id ?? null } });
      }),
    /** The newest first. */
    list: (
      org: string,
      { resource, state }: { resource?: string; state?: JobState },
      page: { limit: number; offset: number },
    ) =>
      // prettier-ignore
      within(org, async (db) => {
        const chosen = () => {
          let all = db.selectFrom('jobs');
          if (resource !== undefined) all = all.where('resource', '=', resource);
          return state === undefined ? all : all.where('state', '=', state);
        };
        const rows = await chosen().selectAll().orderBy('created_ms', 'desc').orderBy('id').limit(page.limit).offset(page.offset).execute(); // prettier-ignore
        const { total } = await chosen().select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow(); // prettier-ignore
        return { items: rows.map(jobOf), total: Number(total) };
      }),
    get: (org: string, id: string): Promise<Job> =>
      within(org, async (db) => {
        const row = await read(db, id);
        if (row === undefined) throw problems.noJob();
        return jobOf(row);
      }),
    /** Ends one that waits at once; one that runs is ended by whoever runs it. */
    cancel: (org: string, id: string): Promise<void> =>
      within(org, async (db) => {
        const going = db.updateTable('jobs').set({ is_cancelled: true }).where('id', '=', id).where('state', 'in', GOING); // prettier-ignore
        const row = await going.returning('state').executeTakeFirst();
        if (row === undefined) throw (await read(db, id)) === undefined ? problems.noJob() : problems.jobOver();
        if (row.state === 'queued')
          await db.updateTable('jobs').set({ state: 'cancelled', ended_ms: clock.now(), step: 'cancelled before it began' }).where('id', '=', id).where('state', '=', 'queued').execute(); // prettier-ignore
      }),
    /** When work of each host was last asked for. */
    lastAsked: (org: string): Promise<Map<string, number>> =>
      within(org, async (db) => {
        const rows = await db.selectFrom('jobs').select(({ fn }) => ['resource', fn.max('created_ms').as('last')]).groupBy('resource').execute(); // prettier-ignore
        return new Map(rows.map(({ resource, last }) => [resource, Number(last)]));
      }),
    /** Forgets what is long over. */
    sweep: (org: string): Promise<unknown> =>
      within(org, (db) =>
        db
          .deleteFrom('jobs')
          .where('ended_ms', '<', clock.now() - KEPT_MS)
          .execute(),
      ),
  };
}
export type Jobs = ReturnType<typeof createJobs>;
