import { LRUCache } from 'lru-cache';
import { sql, type Kysely } from 'kysely';
import type { Relational } from '../../ports/relational.ts';
import { standsFor, type ToldTemplate } from './templates.ts';

const SCHEMA = 'logs';
const DAY_MS = 86_400_000;
/** A template's last line is written down to this, milliseconds: not with each batch. */
const GRAIN_MS = 300_000;
/** Templates whose row is known to be up to date. */
const KNOWN = 100_000;
/** Templates that an org may have; lines of further ones keep their number, but nobody is told its text. */
const MOST = 50_000;

interface Tables {
  templates: {
    org_id: string;
    id: string;
    text: string;
    merged_into: string | null;
    first_ms: string | number;
    last_ms: string | number;
  };
}
type Db = Kysely<Tables>;

/** A kind of line that is kept. */
export interface KeptTemplate {
  id: string;
  /** Empty where no agent has said it. */
  text: string;
  firstMs: number;
  lastMs: number;
}

/** Times of lines may be anything; those of a row are whole and real. */
const wholeMs = (ms: number): number => Math.round(Math.min(8.64e15, Math.max(0, ms)));

/** Writes what was told within a transaction of an org. */
async function write(db: Db, org: string, told: readonly ToldTemplate[], given: { nowMs: number; days: number }) {
  const { nowMs, days } = given;
  const rows = new Map<string, Tables['templates']>();
  for (const { id, text, firstMs = nowMs, lastMs = nowMs } of told)
    rows.set(id, {
      ...{ org_id: org, id, text: text ?? '', merged_into: null },
      ...{ first_ms: wholeMs(firstMs), last_ms: wholeMs(lastMs) },
    });
  for (const { id: into, merged, lastMs = nowMs } of told)
    for (const id of merged) {
      const row = rows.get(id);
      if (row !== undefined) row.merged_into = into;
      else {
        const at = wholeMs(lastMs);
        rows.set(id, { org_id: org, id, text: '', merged_into: into, first_ms: at, last_ms: at });
      }
    }
  const ids = [...rows.keys()];
  await db
    .deleteFrom('templates')
    .where('last_ms', '<', wholeMs(nowMs - days * DAY_MS))
    .execute();
  const known = await db.selectFrom('templates').select('id').where('id', 'in', ids).execute();
  const there = new Set(known.map(({ id }) => id));
  const { count } = await db
    .selectFrom('templates')
    .select(({ fn }) => fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  const fresh = ids.filter((id) => !there.has(id)).slice(0, Math.max(0, MOST - Number(count)));
  const kept = new Set([...there, ...fresh]);
  // In one order, so that two batches never wait for each other.
  const values = [...rows.values()].filter(({ id }) => kept.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
  if (values.length === 0) return;
  await db
    .insertInto('templates')
    .values(values)
    .onConflict((conflict) =>
      conflict.columns(['org_id', 'id']).doUpdateSet({
        text: sql`CASE WHEN excluded.text = '' THEN templates.text ELSE excluded.text END`,
        merged_into: sql`coalesce(excluded.merged_into, templates.merged_into)`,
        first_ms: sql`least(templates.first_ms, excluded.first_ms)`,
        last_ms: sql`greatest(templates.last_ms, excluded.last_ms)`,
      }),
    )
    .execute();
}

/** Keeps the kinds of lines. `days` without a line forget one, as they forget its lines. */
export function createTemplateStore(relational: Relational, days: number) {
  const within = <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => relational.forOrg(SCHEMA, org, work);
  /** The latest line that is written down of those that this process has written. */
  const latest = new LRUCache<string, number>({ max: KNOWN });
  const isNews = (org: string, { id, text, lastMs = 0 }: ToldTemplate): boolean =>
    text !== undefined || lastMs - (latest.get(`${org} ${id}`) ?? -Infinity) >= GRAIN_MS;
  const merges = async (db: Db): Promise<Map<string, string>> => {
    const rows = await db
      .selectFrom('templates')
      .select(['id', 'merged_into'])
      .where('merged_into', 'is not', null)
      .execute();
    return new Map(rows.map(({ id, merged_into }) => [id, merged_into ?? id]));
  };
  return {
    /** Keeps what a batch tells; the same again changes nothing. */
    async keep(org: string, told: readonly ToldTemplate[], nowMs: number): Promise<void> {
      const news = told.filter((one) => isNews(org, one));
      if (news.length === 0) return;
      await within(org, (db) => write(db, org, news, { nowMs, days }));
      for (const { id, lastMs } of news) if (lastMs !== undefined) latest.set(`${org} ${id}`, lastMs);
    },
    /** Those ids and all that they stand for, or that stand for them. */
    family: (org: string, ids: readonly string[]): Promise<string[]> =>
      within(org, async (db) => {
        const into = await merges(db);
        const head = standsFor(into);
        const heads = new Set(ids.map(head));
        return [...new Set([...ids, ...heads, ...[...into.keys()].filter((id) => heads.has(head(id)))])];
      }),
    /** What stands for each template now, and what is known of those that are asked for. */
    known: (org: string, ids: readonly string[]) =>
      within(org, async (db) => {
        const head = standsFor(await merges(db));
        const asked = [...new Set(ids.flatMap((id) => [id, head(id)]))];
        const rows =
          asked.length === 0 ? [] : await db.selectFrom('templates').selectAll().where('id', 'in', asked).execute();
        const templates = rows.map(({ id, text, first_ms, last_ms }): KeptTemplate => ({
          ...{ id, text, firstMs: Number(first_ms), lastMs: Number(last_ms) },
        }));
        return { head, templates: new Map(templates.map((one) => [one.id, one])) };
      }),
  };
}
export type TemplateStore = ReturnType<typeof createTemplateStore>;
