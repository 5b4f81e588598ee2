import type { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { problems } from '../errors.ts';
import type { IngestStore, Paging } from '../store.ts';
import { readAgents, type Db } from './records.ts';
import { AGENT_STATES, groupOf, type AgentState, type Stage } from './rollout.ts';

/** What the database knows of a revision, as the API shows it. */
interface RevisionRow {
  revision: number;
  document: string;
  restores: number | null;
  canaries: number;
  stage: Stage;
  halted_because: string;
  pushed_by: string;
  pushed_at: Date;
}

/** A revision as the API shows it. */
export const shown = (row: RevisionRow) => ({
  revision: row.revision,
  settings: JSON.parse(row.document) as PushedDocument,
  restores: row.restores,
  canaries: row.canaries,
  stage: row.stage,
  haltedBecause: row.halted_because,
  by: row.pushed_by,
  atMs: row.pushed_at.getTime(),
});
/** What of a revision is read to show it. */
export const COLUMNS = [
  'revision',
  'document',
  'restores',
  'canaries',
  'stage',
  'halted_because',
  'pushed_by',
  'pushed_at',
] as const;

/** Throws a Problem when there is no such group. */
export async function mustExist(db: Db, group: string): Promise<void> {
  const live = db.selectFrom('settings_groups').select('id').where('id', '=', group).where('removed_at', 'is', null);
  if ((await live.executeTakeFirst()) === undefined) throw problems.noGroup();
}

/** Revisions of a group, newest first. */
export const newestOf = (db: Db, group: string) =>
  db.selectFrom('settings_revisions').select(COLUMNS).where('group_id', '=', group).orderBy('revision', 'desc');

/** Agents of each group by how far they are with its newest revision; `waiting`: their turn has not come. */
async function countAgents(db: Db): Promise<Map<string, Record<AgentState | 'waiting', number>>> {
  const rows = await db
    .selectFrom('agent_settings')
    .innerJoin('agents', 'agents.id', 'agent_settings.agent')
    .select(({ fn, selectFrom, ref }) => [
      'group_id',
      'state',
      fn.countAll<number>().as('count'),
      selectFrom('settings_revisions')
        .select(({ fn: of }) => of.max('settings_revisions.revision').as('newest'))
        .whereRef('settings_revisions.group_id', '=', ref('agent_settings.group_id'))
        .as('newest'),
      'agent_settings.revision',
    ])
    .where('group_id', 'is not', null)
    .where('revoked_at', 'is', null)
    .groupBy(['group_id', 'state', 'agent_settings.revision'])
    .execute();
  const counts = new Map<string, Record<AgentState | 'waiting', number>>();
  for (const { group_id: group, state, count, newest, revision } of rows) {
    if (group === null) continue;
    const of = counts.get(group) ?? noAgents();
    of[revision === newest && newest !== null ? state : 'waiting'] += count;
    counts.set(group, of);
  }
  return counts;
}
const noAgents = (): Record<AgentState | 'waiting', number> => ({
  ...(Object.fromEntries(AGENT_STATES.map((state) => [state, 0])) as Record<AgentState, number>),
  waiting: 0,
});

/** What is to be seen of groups and of what is pushed to them. `names` gives the agents of an org that are connected to this process. */
export function createGroupReading({ store, names }: { store: IngestStore; names(org: string): ReadonlySet<string> }) {
  return {
    list: (org: string) =>
      store.within(org, async (db) => {
        const live = db.selectFrom('settings_groups').selectAll().where('removed_at', 'is', null).orderBy('name');
        const groups = await live.execute();
        const newest = await db
          .selectFrom('settings_revisions')
          .select([...COLUMNS, 'group_id'])
          .distinctOn('group_id')
          .orderBy('group_id')
          .orderBy('revision', 'desc')
          .execute();
        const counts = await countAgents(db);
        const all = await readAgents(db, new Set());
        const facts = groups.map(({ id, name, labels }) => ({
          id,
          name,
          labels: labels as unknown as Record<string, string>,
        }));
        const sizes = new Map<string, number>();
        const pushedTo = new Set(newest.map(({ group_id: group }) => group));
        for (const agent of all) {
          const id = groupOf(agent, facts, (group) => pushedTo.has(group.id))?.id;
          if (id !== undefined) sizes.set(id, (sizes.get(id) ?? 0) + 1);
        }
        return groups.map((group, n) => {
          const last = newest.find((one) => one.group_id === group.id);
          return {
            id: group.id,
            name: group.name,
            labels: facts[n]?.labels ?? {},
            by: group.created_by,
            createdMs: group.created_at.getTime(),
            newest: last === undefined ? null : shown(last),
            agents: sizes.get(group.id) ?? 0,
            states: counts.get(group.id) ?? noAgents(),
          };
        });
      }),
    revisions: (org: string, group: string, { limit, offset }: Paging) =>
      store.within(org, async (db) => {
        await mustExist(db, group);
        const items = (await newestOf(db, group).limit(limit).offset(offset).execute()).map(shown);
        const counted = db.selectFrom('settings_revisions').where('group_id', '=', group);
        const { total } = await counted.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        return { items, total, limit, offset };
      }),
    agents: (org: string, group: string, { limit, offset }: Paging) =>
      store.within(org, async (db) => {
        await mustExist(db, group);
        const newest = (await newestOf(db, group).executeTakeFirst())?.revision;
        const of = db
          .selectFrom('agent_settings')
          .innerJoin('agents', 'agents.id', 'agent_settings.agent')
          .where('group_id', '=', group)
          .where('revoked_at', 'is', null);
        const columns = ['id', 'hostname', 'revision', 'state', 'code', 'problem', 'changed_at'] as const;
        const rows = await of.select(columns).orderBy('hostname').orderBy('id').limit(limit).offset(offset).execute();
        const { total } = await of.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        const online = names(org);
        const items = rows.map(({ id, hostname, revision, state, code, problem, changed_at: changed }) => ({
          id,
          hostname,
          connected: online.has(id),
          revision,
          state: revision === newest && newest !== undefined ? state : ('waiting' as const),
          code,
          problem,
          changedMs: changed.getTime(),
        }));
        return { items, total, limit, offset };
      }),
  };
}
export type GroupReading = ReturnType<typeof createGroupReading>;
