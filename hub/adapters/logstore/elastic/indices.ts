import type { ElasticConfig } from './config.ts';
import { problems } from './errors.ts';
import { ADDED, META, SCHEMA, templatesOf, type Names } from './layout.ts';
import type { Server } from './server.ts';

const MAJORS = [8, 9];

/** What the store needs on a server before it can store. */
export interface Indices {
  /** Finds or makes it; refuses a server or a layout that cannot be used. */
  open(): Promise<void>;
  /** Makes indices of lines that are not there: with our layout, even if somebody has deleted its template. */
  prepare(indices: Iterable<string>): Promise<void>;
  /** Forgets which are there: the next `prepare` looks again. */
  forget(): void;
}

/** Finds and makes indices; several hubs may do so at once. */
export function createIndices(server: Server, names: Names, config: ElasticConfig): Indices {
  const { ask, address } = server;
  const made = new Set<string>();

  const demandOurs = (what: string, version: unknown): void => {
    if (typeof version === 'number' && version <= SCHEMA) return;
    throw problems.otherSchema(
      typeof version === 'number'
        ? `${address} has ${what} of the layout ${version}, and this hub knows ${SCHEMA}: update the hub.`
        : `${address} has ${what}, which is not ours: set logstore.prefix to a name that no index or template there is for.`,
    );
  };
  const demandVersion = async (): Promise<void> => {
    const { version } = await ask((es) => es.info());
    if (!MAJORS.includes(Number(version.number.split('.')[0])))
      throw problems.otherVersion(
        `${address} tells the version ${version.number}: logstore.urls must name an Elasticsearch 8 or 9.`,
      );
  };
  const demandLayout = async (index: string[]): Promise<void> => {
    const there = await ask((es) => es.indices.getMapping({ index, ignore_unavailable: true }));
    for (const [name, { mappings }] of Object.entries(there)) {
      demandOurs(`an index ${name}`, mappings._meta?.[META] as unknown);
      if (name !== names.keys && Object.keys(ADDED).some((field) => mappings.properties?.[field] === undefined))
        await ask((es) => es.indices.putMapping({ index: name, properties: ADDED, _meta: { [META]: SCHEMA } }));
    }
  };
  const layOut = async (): Promise<void> => {
    for (const { name, ...template } of templatesOf(names, config)) {
      const { index_templates: there } = await ask((es) => es.indices.getIndexTemplate({ name }, { ignore: [404] }));
      for (const { index_template: found } of there ?? [])
        demandOurs(`an index template ${name}`, found._meta?.[META] as unknown);
      await ask((es) => es.indices.putIndexTemplate({ name, ...template }));
    }
  };
  const make = async (index: string): Promise<void> => {
    // Another hub may make it in the same moment.
    await ask((es) => es.indices.create({ index })).catch((error: unknown) => {
      if (!String((error as Error).message).includes('resource_already_exists_exception')) throw error;
    });
  };
  return {
    async open() {
      await demandVersion();
      await layOut();
      await make(names.keys);
      await demandLayout([names.lines, names.keys]);
    },
    async prepare(indices) {
      const missing = [...indices].filter((index) => !made.has(index));
      if (missing.length > 0) await layOut();
      for (const index of missing) await make(index);
      // A template of somebody else may be stronger than ours.
      if (missing.length > 0) await demandLayout(missing);
      for (const index of missing) made.add(index);
    },
    forget: () => made.clear(),
  };
}
