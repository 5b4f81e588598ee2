import { Problem, type Clock } from '#sdk';
import type { Selectable } from 'kysely';
import type { ModelDocuments } from './models/documents.ts';
import { documentOf } from './sensitivity.ts';
import type { Db, PredictionsStore } from './store.ts';
import type { AliasName, PredictionsTables, ToldModel, WantedModel } from './tables.ts';

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

/** A model as an agent gets it. */
export interface GivenModel {
  alias: AliasName;
  version: string;
  digest: string;
  /** JSON of a `HostModelDocument`; empty when the agent has it. */
  document: string;
}

/** What an agent is to detect by. */
export interface Detection {
  revision: number;
  /** JSON of a `DetectionDocument`. */
  document: string;
  models: GivenModel[];
}

const NOTHING = documentOf({ offset: 0, series: [] });

type Row = Selectable<PredictionsTables['detections']>;

const readRow = (db: Db, agent: string): Promise<Row | undefined> =>
  db.selectFrom('detections').selectAll().where('agent', '=', agent).executeTakeFirst();

/** What may change of what an agent is to have. */
export interface DetectionChange {
  document?: string;
  wanted?: readonly WantedModel[];
}

/** Writes down what an agent is to have, within a change of what that follows from. Its revision grows by the clock, so that no earlier life of this hub gave the same one to something else. */
export async function give(db: Db, { org, agent }: AgentName, change: DetectionChange, nowMs: number): Promise<void> {
  const row = await readRow(db, agent);
  const document = change.document ?? row?.document ?? NOTHING;
  const wanted = JSON.stringify(change.wanted?.map(({ alias, version, digest }) => ({ alias, version, digest })) ?? inOrder(row?.wanted)); // prettier-ignore
  if ((row?.document ?? NOTHING) === document && JSON.stringify(inOrder(row?.wanted)) === wanted) return;
  const revision = Math.max(nowMs, Number(row?.revision ?? 0) + 1);
  const set = { revision, document, wanted, sent_ms: null };
  await db
    .insertInto('detections')
    .values({ ...set, org_id: org, agent, reported: null, models: '[]', since_ms: null })
    .onConflict((conflict) => conflict.columns(['org_id', 'agent']).doUpdateSet(set))
    .execute();
}

/** PostgreSQL keeps the names of an object in an order of its own. */
const inOrder = (wanted: readonly WantedModel[] = []): WantedModel[] =>
  wanted.map(({ alias, version, digest }) => ({ alias, version, digest }));

/** What agents are to detect by, and what they say that they do. The processes that agents are connected to bring it to them. */
export function createDetections(
  { within, dueDetections }: Pick<PredictionsStore, 'within' | 'dueDetections'>,
  documents: Pick<ModelDocuments, 'read'>,
  clock: Clock,
) {
  /** Undefined where it is gone for good: the agent gets what else there is. */
  const documentOfModel = (org: string, agent: string, version: string): Promise<string | undefined> =>
    documents.read(org, agent, version).catch((error: unknown) => {
      if (error instanceof Problem && error.code === 'predictions.model-gone') return undefined;
      throw error;
    });
  /** Documents are read after the transaction, and only those that the agent does not name as its own. */
  const detectionOf = async (org: string, row: Row): Promise<Detection> => {
    const had = new Set(row.models.map(({ version }) => version));
    const models: GivenModel[] = [];
    for (const wanted of row.wanted) {
      const document = had.has(wanted.version) ? '' : await documentOfModel(org, row.agent, wanted.version);
      if (document !== undefined) models.push({ ...wanted, document });
    }
    return { revision: Number(row.revision), document: row.document, models };
  };
  return {
    /** Takes what an agent says; gives what it is to have instead, if that is something else. */
    async reported({ org, agent }: AgentName, { revision, models }: Report): Promise<Detection | null> {
      const nowMs = clock.now();
      const row = await within(org, async (db) => {
        const set = { reported: revision, models: JSON.stringify(models.slice(0, MOST_MODELS)) };
        const found = await db
          .insertInto('detections')
          .values({ ...set, org_id: org, agent, revision: 0, document: NOTHING, sent_ms: null, since_ms: nowMs })
          .onConflict((conflict) =>
            conflict
              .columns(['org_id', 'agent'])
              .doUpdateSet((eb) => ({ ...set, since_ms: eb.fn.coalesce('detections.since_ms', eb.val(nowMs)) })),
          )
          .returningAll()
          .executeTakeFirstOrThrow();
        if (Number(found.revision) === revision) return undefined;
        await db.updateTable('detections').set({ sent_ms: nowMs }).where('agent', '=', agent).execute();
        return found;
      });
      return row === undefined ? null : detectionOf(org, row);
    },
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
    async of({ org, agent }: AgentName): Promise<Detection | null> {
      const row = await within(org, (db) => readRow(db, agent));
      return row === undefined ? null : detectionOf(org, row);
    },
    /** What an agent last said of its models. */
    told: ({ org, agent }: AgentName): Promise<ToldModel[]> =>
      within(org, async (db) => (await readRow(db, agent))?.models ?? []),
  };
}
export type Detections = ReturnType<typeof createDetections>;
