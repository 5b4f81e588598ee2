import type { HostModelDocument } from '#proto/agent/v1/host-model.ts';
import type { Clock } from '#sdk';
import type { Selectable } from 'kysely';
import { problems } from '../errors.ts';
import { lockResource, type Db, type PredictionsStore } from '../store.ts';
import type { AliasName, Gate, PredictionsTables } from '../tables.ts';
import { aliasesOf, move, readAliases } from './aliases.ts';
import type { ModelDocuments } from './documents.ts';

/** An immutable model with what it was made from. */
export interface Model {
  version: string;
  resource: string;
  architecture: 'autoencoder' | 'linear';
  createdMs: number;
  window: { fromMs: number; toMs: number; rows: number };
  features: number;
  digest: string;
  /** Characters of its document. */
  bytes: number;
  seed: number;
  metrics: Record<string, number>;
  gate: Gate;
  aliases: AliasName[];
  madeBy: { job: string | null; name: string; program: string };
}

/** What comes with a new model. */
export interface Made {
  resource: string;
  document: HostModelDocument;
  gate: Gate;
  job: string;
  by: string;
  program: string;
}

type Row = Selectable<PredictionsTables['models']>;

const modelOf = (row: Row, aliases: AliasName[]): Model => ({
  version: row.version,
  resource: row.resource,
  architecture: row.architecture,
  createdMs: Number(row.created_ms),
  window: { fromMs: Number(row.from_ms), toMs: Number(row.to_ms), rows: row.rows },
  features: row.features,
  digest: row.digest,
  bytes: row.bytes,
  seed: Number(row.seed),
  metrics: row.metrics,
  gate: row.gate,
  aliases,
  madeBy: { job: row.job, name: row.made_by, program: row.program },
});

const readModel = (db: Db, version: string): Promise<Row | undefined> =>
  db.selectFrom('models').selectAll().where('version', '=', version).executeTakeFirst();

/** Models of hosts: immutable versions with their lineage. */
export function createRegistry({ within }: Pick<PredictionsStore, 'within'>, documents: ModelDocuments, clock: Clock) {
  const demand = async (db: Db, version: string): Promise<Row> => {
    const row = await readModel(db, version);
    if (row === undefined) throw problems.noModel();
    return row;
  };
  return {
    /**
     * Keeps a new model, and with it that its job is done: its document first, so that no row is without one. A first one that passed its gate judges from now on, a
     * later one is put beside it. Throws `predictions.job-over` where the job was cancelled, or its host removed, meanwhile.
     */
    async add(org: string, { resource, document, gate, job, by, program }: Made): Promise<void> {
      const { version, architecture, createdMs, window, features, seed, digest, metrics } = document;
      const text = JSON.stringify(document);
      await documents.write(org, resource, version, text);
      await within(org, async (db) => {
        await lockResource(db, resource);
        const done = {
          state: 'done',
          version,
          progress: 1,
          step: 'done',
          runner: null,
          ended_ms: clock.now(),
        } as const;
        const going = db.updateTable('jobs').set(done).where('id', '=', job).where('state', '=', 'running').where('is_cancelled', '=', false); // prettier-ignore
        if ((await going.returning('id').executeTakeFirst()) === undefined) throw problems.jobOver();
        await db
          .insertInto('models')
          .values({
            ...{ org_id: org, version, resource, architecture, created_ms: createdMs, seed, digest },
            ...{ from_ms: window.fromMs, to_ms: window.toMs, rows: window.rows, features: features.length },
            ...{ bytes: text.length, metrics: JSON.stringify(metrics), gate: JSON.stringify(gate) },
            ...{ job, made_by: by, program },
          })
          .execute();
        if (!gate.passed) return;
        const hasChampion = (await readAliases(db, resource)).some(({ alias }) => alias === 'champion');
        const alias = hasChampion ? 'shadow' : 'champion';
        const reason = hasChampion ? 'it passed its gate and is tried beside the champion' : 'the first that passed its gate'; // prettier-ignore
        await move(db, org, { resource, alias, version, by, reason }, clock.now());
      });
    },
    /** The newest first. */
    list: (org: string, resource: string | undefined, page: { limit: number; offset: number }) =>
      within(org, async (db) => {
        const chosen = () => {
          const all = db.selectFrom('models');
          return resource === undefined ? all : all.where('resource', '=', resource);
        };
        const rows = await chosen().selectAll().orderBy('created_ms', 'desc').orderBy('version').limit(page.limit).offset(page.offset).execute(); // prettier-ignore
        const { total } = await chosen().select(({ fn }) => fn.countAll().as('total')).executeTakeFirstOrThrow(); // prettier-ignore
        const aliases = await aliasesOf(db, rows.map(({ version }) => version)); // prettier-ignore
        return { items: rows.map((row) => modelOf(row, aliases.get(row.version) ?? [])), total: Number(total) };
      }),
    get: (org: string, version: string): Promise<Model> =>
      within(org, async (db) => {
        const row = await demand(db, version);
        return modelOf(row, (await aliasesOf(db, [version])).get(version) ?? []);
      }),
    async document(org: string, version: string): Promise<string> {
      const { resource } = await within(org, (db) => demand(db, version));
      return documents.read(org, resource, version);
    },
    /** When the newest model of each host was made. */
    newest: (org: string): Promise<Map<string, number>> =>
      within(org, async (db) => {
        const rows = await db.selectFrom('models').select(({ fn }) => ['resource', fn.max('created_ms').as('last')]).groupBy('resource').execute(); // prettier-ignore
        return new Map(rows.map(({ resource, last }) => [resource, Number(last)]));
      }),
  };
}
export type Registry = ReturnType<typeof createRegistry>;
