import type { Clock } from '#sdk';
import type { Selectable } from 'kysely';
import { documentOf, type Sensitivity } from './sensitivity.ts';
import type { Db, PredictionsStore } from './store.ts';
import type { PredictionsTables, ToldModel } from './tables.ts';

/** What was sent and not answered is sent again after this time, milliseconds. */
const AGAIN_MS = 15_000;
/** What an agent says of its models is kept within these bounds. */
const MOST_MODELS = 4;

/** Who an agent is. */
export interface AgentName {
  org: string;
  agent: string;
}

/** What an agent says that it detects by. */
export interface Report {
  /** 0: nothing that it was given. */
  revision: number;
  models: readonly ToldModel[];
}

/** What an agent is to detect by. */
export interface Detection {
  revision: number;
  /** JSON of a `DetectionDocument`. */
  document: string;
}

const NOTHING = documentOf({ offset: 0, series: [] });

type Row = Selectable<PredictionsTables['detections']>;

const readRow = (db: Db, agent: string): Promise<Row | undefined> =>
  db.selectFrom('detections').selectAll().where('agent', '=', agent).executeTakeFirst();

const detectionOf = ({ revision, document }: Pick<Row, 'revision' | 'document'>): Detection => ({
  revision: Number(revision),
  document,
});

/** Writes down what an agent is to have, within a change of what that follows from. Its revision grows by the clock, so that no earlier life of this hub gave the same one to something else. */
export async function give(db: Db, { org, agent }: AgentName, sensitivity: Sensitivity, nowMs: number): Promise<void> {
  const document = documentOf(sensitivity);
  const row = await readRow(db, agent);
  if ((row?.document ?? NOTHING) === document) return;
  const revision = Math.max(nowMs, Number(row?.revision ?? 0) + 1);
  const set = { revision, document, sent_ms: null };
  await db
    .insertInto('detections')
    .values({ ...set, org_id: org, agent, reported: null, models: '[]' })
    .onConflict((conflict) => conflict.columns(['org_id', 'agent']).doUpdateSet(set))
    .execute();
}

/** What agents are to detect by, and what they say that they do. The processes that agents are connected to bring it to them. */
export function createDetections(
  { within, dueDetections }: Pick<PredictionsStore, 'within' | 'dueDetections'>,
  clock: Clock,
) {
  return {
    /** Takes what an agent says; gives what it is to have instead, if that is something else. */
    reported: ({ org, agent }: AgentName, { revision, models }: Report): Promise<Detection | null> =>
      within(org, async (db) => {
        const set = { reported: revision, models: JSON.stringify(models.slice(0, MOST_MODELS)) };
        const row = await db
          .insertInto('detections')
          .values({ ...set, org_id: org, agent, revision: 0, document: NOTHING, sent_ms: null })
          .onConflict((conflict) => conflict.columns(['org_id', 'agent']).doUpdateSet(set))
          .returningAll()
          .executeTakeFirstOrThrow();
        if (Number(row.revision) === revision) return null;
        await db.updateTable('detections').set({ sent_ms: clock.now() }).where('agent', '=', agent).execute();
        return detectionOf(row);
      }),
    /** Of these agents those to which something is to be sent now. Who asks has to send it: another one that asks at the same time gets others. */
    async due(agents: readonly string[]): Promise<AgentName[]> {
      const [nowMs, sinceMs] = [clock.now(), clock.now() - AGAIN_MS];
      const due = await dueDetections(agents, sinceMs);
      const claimed: AgentName[] = [];
      for (const org of new Set(due.map((one) => one.org))) {
        const own = due.flatMap((one) => (one.org === org ? [one.agent] : []));
        const rows = await within(org, (db) =>
          db
            .updateTable('detections')
            .set({ sent_ms: nowMs })
            .where('agent', 'in', own)
            .where((eb) => eb.or([eb('sent_ms', 'is', null), eb('sent_ms', '<', sinceMs)]))
            .returning('agent')
            .execute(),
        );
        claimed.push(...rows.map(({ agent }) => ({ org, agent })));
      }
      return claimed;
    },
    /** What an agent is to have; null: nothing was ever decided for it. */
    of: ({ org, agent }: AgentName): Promise<Detection | null> =>
      within(org, async (db) => {
        const row = await readRow(db, agent);
        return row === undefined ? null : detectionOf(row);
      }),
  };
}
export type Detections = ReturnType<typeof createDetections>;
