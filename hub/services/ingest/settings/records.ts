import { sql, type Kysely } from 'kysely';
import { isConnected } from '../connections.ts';
import type { IngestTables } from '../store.ts';
import { planRollout, type GroupLine, type Revision, type RolloutAgent, type SettingsGroup } from './rollout.ts';

/** A transaction of one org. */
export type Db = Kysely<IngestTables>;

/** Changes of one org wait for each other, also between hubs. */
export const lockOrg = (db: Db, org: string): Promise<unknown> =>
  sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ingest.settings ${org}`}, 0))`.execute(db);

/** The groups of the org. */
export async function readGroups(db: Db): Promise<SettingsGroup[]> {
  const live = db.selectFrom('settings_groups').select(['id', 'name', 'labels']).where('removed_at', 'is', null);
  const rows = await live.orderBy('name').execute();
  return rows.map(({ id, name, labels }) => ({ id, name, labels: labels as unknown as Record<string, string> }));
}

/** The newest revision of each group, and the newest one that all agents got. */
export async function readLines(db: Db, groups: readonly string[]): Promise<Map<string, GroupLine>> {
  if (groups.length === 0) return new Map();
  const columns = ['group_id', 'revision', 'canaries', 'stage', 'restores'] as const;
  const of = db.selectFrom('settings_revisions').where('group_id', 'in', groups).distinctOn('group_id');
  const newest = await of.select(columns).orderBy('group_id').orderBy('revision', 'desc').execute();
  const all = of.select(['group_id', 'revision', 'restores']).where('stage', '=', 'all');
  const good = await all.orderBy('group_id').orderBy('revision', 'desc').execute();
  const goods = new Map(
    good.map(({ group_id: group, revision, restores }) => [group, restores === 0 ? null : revision]),
  );
  return new Map(
    newest.map(({ group_id: group, ...revision }): [string, GroupLine] => [
      group,
      { newest: revision satisfies Revision, good: goods.get(group) ?? null },
    ]),
  );
}

/** An agent, with what only people are told of it. */
export interface SeenAgent extends RolloutAgent {
  /** When it last came or went, as far as that was noted. */
  lastSeenMs: number | null;
  /** What it says is wrong with what it is to have. */
  problem: string;
  /** When what is known of its settings last changed; null before anything was decided for it. */
  changedMs: number | null;
}

/** Agents that were not removed, with what they are to have; one of them if it is named. */
export async function readAgents(db: Db, nowMs: number, only?: string): Promise<SeenAgent[]> {
  const known = db
    .selectFrom('agents')
    .leftJoin('agent_settings', 'agent_settings.agent', 'agents.id')
    .select([
      'id',
      'hostname',
      'labels',
      'group_id',
      'revision',
      'state',
      'code',
      'proven',
      'problem',
      'last_seen',
      'changed_at',
      'connected_until',
    ])
    .where('revoked_at', 'is', null);
  const rows = await (only === undefined ? known : known.where('id', '=', only)).execute();
  return rows.map(({ id, hostname, labels, group_id: group, revision, state, code, proven, ...at }) => ({
    id,
    hostname,
    labels: labels as unknown as Record<string, string>,
    connected: isConnected(at, nowMs),
    lastSeenMs: at.last_seen?.getTime() ?? null,
    problem: at.problem ?? '',
    changedMs: at.changed_at?.getTime() ?? null,
    has: state === null ? undefined : { group, revision, state, code: code ?? '', proven },
  }));
}

/** Rows that one statement writes. */
const AT_ONCE = 1000;

/** Decides anew what agents of the org are to have and writes down what differs; one of them if it is named. */
export async function arrange(db: Db, { org, now, only }: { org: string; now: Date; only?: string }): Promise<void> {
  const groups = await readGroups(db);
  const lines = await readLines(
    db,
    groups.map(({ id }) => id),
  );
  const agents = await readAgents(db, now.getTime(), only);
  const plan = planRollout(agents, groups, lines);
  if (plan.widened.length > 0)
    await db.updateTable('settings_revisions').set({ stage: 'all' }).where('revision', 'in', plan.widened).execute();
  const has = new Map(agents.map((agent) => [agent.id, agent.has]));
  const isMoved = ({ id, revision }: (typeof plan.agents)[number]): boolean => has.get(id)?.revision === revision;
  for (const { id, group } of plan.agents.filter(isMoved))
    await db.updateTable('agent_settings').set({ group_id: group }).where('agent', '=', id).execute();
  const rows = plan.agents
    .filter((change) => !isMoved(change))
    .map(({ id, group, revision }) => ({
      agent: id,
      org_id: org,
      group_id: group,
      revision,
      // Whoever never had anything and is to have nothing has it.
      state: revision === null && has.get(id) === undefined ? ('applied' as const) : ('pending' as const),
      code: '',
      problem: '',
      sent_at: null,
      proven: null,
      changed_at: now,
    }));
  for (let from = 0; from < rows.length; from += AT_ONCE)
    await db
      .insertInto('agent_settings')
      .values(rows.slice(from, from + AT_ONCE))
      .onConflict((conflict) =>
        conflict.column('agent').doUpdateSet((eb) => ({
          group_id: eb.ref('excluded.group_id'),
          revision: eb.ref('excluded.revision'),
          state: eb.ref('excluded.state'),
          code: '',
          problem: '',
          sent_at: null,
          changed_at: eb.ref('excluded.changed_at'),
        })),
      )
      .execute();
}
