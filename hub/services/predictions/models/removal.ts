import { reasonOf, type Logger } from '#sdk';
import { problems } from '../errors.ts';
import { lockResource, type Db, type PredictionsStore } from '../store.ts';
import { aliasesOf, championBefore, forgetMoves, readAliases } from './aliases.ts';
import type { ModelDocuments } from './documents.ts';

/** Versions that are kept of one host besides those in use: the newest. */
const MOST_VERSIONS = 10;

/** Versions of a host that nobody needs: neither in use, nor the champion before, nor among the newest. */
async function leftOver(db: Db, resource: string): Promise<string[]> {
  const kept = new Set((await readAliases(db, resource)).map(({ version }) => version));
  const before = await championBefore(db, resource);
  if (before !== undefined) kept.add(before);
  const all = await db.selectFrom('models').select('version').where('resource', '=', resource).orderBy('created_ms', 'desc').orderBy('version').execute(); // prettier-ignore
  return all.map(({ version }) => version).filter((version, n) => n >= MOST_VERSIONS && !kept.has(version));
}

/** Removes models: a row first, so that no row is without its document. */
export function createRemoval({ within }: Pick<PredictionsStore, 'within'>, documents: ModelDocuments, log: Logger) {
  /** A document that outlives its row is removed with the next sweep. */
  const removeDocument = (org: string, resource: string, version: string): Promise<void> =>
    documents
      .remove(org, resource, version)
      .catch((error: unknown) => log.warn('the document of a model could not be removed; it is tried again', { version, reason: reasonOf(error) })); // prettier-ignore
  return {
    /** Removes one that no alias names. */
    async remove(org: string, version: string): Promise<void> {
      const resource = await within(org, async (db) => {
        const row = await db.selectFrom('models').select('resource').where('version', '=', version).executeTakeFirst();
        if (row === undefined) throw problems.noModel();
        await lockResource(db, row.resource);
        const aliases = (await aliasesOf(db, [version])).get(version) ?? [];
        if (aliases.length > 0) throw problems.modelInUse(`${version} is ${aliases.join(' and ')}; let the alias name another one first.`); // prettier-ignore
        await db.deleteFrom('models').where('version', '=', version).execute();
        return row.resource;
      });
      await removeDocument(org, resource, version);
    },
    /** Removes versions that nobody needs, and documents that have no row. */
    async sweep(org: string): Promise<void> {
      // Also hosts that have no model, but perhaps the document of one whose row was never written.
      const resources = await within(org, (db) =>
        db
          .selectFrom('models')
          .select('resource')
          .union(db.selectFrom('detections').select('agent as resource'))
          .execute(),
      );
      for (const { resource } of resources) {
        const kept = await within(org, async (db) => {
          await lockResource(db, resource);
          await forgetMoves(db, resource);
          const old = await leftOver(db, resource);
          if (old.length > 0) await db.deleteFrom('models').where('version', 'in', old).execute();
          const [rows, going] = await Promise.all([
            db.selectFrom('models').select('version').where('resource', '=', resource).execute(),
            db
              .selectFrom('jobs')
              .select('id')
              .where('resource', '=', resource)
              .where('state', '=', 'running')
              .execute(),
          ]);
          // While a model is being made its document may be there before its row.
          return going.length > 0 ? undefined : new Set(rows.map(({ version }) => version));
        });
        if (kept === undefined) continue;
        const versions = await documents.versions(org, resource);
        for (const version of versions) if (!kept.has(version)) await removeDocument(org, resource, version);
      }
    },
    /** Removes all of a host. */
    async removeResource(org: string, resource: string): Promise<void> {
      await within(org, async (db) => {
        for (const table of ['aliases', 'alias_moves', 'models', 'jobs'] as const)
          await db.deleteFrom(table).where('resource', '=', resource).execute();
      });
      for (const version of await documents.versions(org, resource)) await removeDocument(org, resource, version);
    },
  };
}
export type Removal = ReturnType<typeof createRemoval>;
