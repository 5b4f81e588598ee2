import type { Clock } from '#sdk';
import type { PushedDocument } from '#proto/agent/v1/pushed.ts';
import { problems } from '../errors.ts';
import type { IngestStore, Paging } from '../store.ts';
import { readAgents, readGroups, readLines, type Db, type SeenAgent } from './records.ts';
import {
  fits,
  groupOf,
  isPushed,
  type GroupLine,
  type RolloutAgent,
  type SettingsGroup,
  type Stage,
} from './rollout.ts';
import { countStandings, heldBy, inForceOf, standingOf } from './standing.ts';

/** Kinds of agents that an answer tells apart by what they have, and hosts that it names of each. */
const KINDS = 50;
const NAMED = 5;

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

/** Everything that says which agent is where. */
interface Whole {
  groups: SettingsGroup[];
  lines: Map<string, GroupLine>;
  agents: SeenAgent[];
}

async function readWhole(db: Db, nowMs: number): Promise<Whole> {
  const groups = await readGroups(db);
  const lines = await readLines(
    db,
    groups.map(({ id }) => id),
  );
  return { groups, lines, agents: await readAgents(db, nowMs) };
}

/** The group that an agent would be in if something was pushed to one now. */
const wouldBeIn = ({ groups, lines }: Whole, agent: RolloutAgent, group: string): SettingsGroup | undefined =>
  groupOf(agent, groups, ({ id }) => id === group || isPushed(lines.get(id)));

/** A group or none, by its name. */
const namedOf = (group: SettingsGroup | undefined): { id: string; name: string } | null =>
  group === undefined ? null : { id: group.id, name: group.name };

/** Revisions by their numbers, with the group that each was pushed to; null where that was removed. */
async function readRevisions(db: Db, revisions: readonly (number | null)[]) {
  const numbers = [...new Set(revisions)].filter((revision) => revision !== null);
  if (numbers.length === 0) return new Map<number, { document: string; group: { id: string; name: string } | null }>();
  const rows = await db
    .selectFrom('settings_revisions')
    .leftJoin('settings_groups', (join) =>
      join.onRef('settings_groups.id', '=', 'group_id').on('removed_at', 'is', null),
    )
    .select(['revision', 'document', 'settings_groups.id', 'settings_groups.name'])
    .where('revision', 'in', numbers)
    .execute();
  return new Map(
    rows.map(({ revision, document, id, name }) => [
      revision,
      { document, group: id === null || name === null ? null : { id, name } },
    ]),
  );
}

/** The newest revisions of all groups, by group. */
async function readNewest(db: Db) {
  const of = db.selectFrom('settings_revisions').select([...COLUMNS, 'group_id']).distinctOn('group_id'); // prettier-ignore
  const rows = await of.orderBy('group_id').orderBy('revision', 'desc').execute();
  return new Map(rows.map((row) => [row.group_id, shown(row)]));
}

async function listGroups(db: Db, nowMs: number) {
  const live = db.selectFrom('settings_groups').selectAll().where('removed_at', 'is', null).orderBy('name');
  const rows = await live.execute();
  const newest = await readNewest(db);
  const whole = await readWhole(db, nowMs);
  return rows.map((row) => {
    const { id, name } = row;
    const labels = row.labels as unknown as Record<string, string>;
    const fitting = whole.agents.filter((agent) => fits(agent, { labels }));
    const standings = fitting.map(({ has }) => standingOf(has, id, whole.lines.get(id)));
    return {
      id,
      name,
      labels,
      by: row.created_by,
      createdMs: row.created_at.getTime(),
      newest: newest.get(id) ?? null,
      agents: fitting.filter((agent) => wouldBeIn(whole, agent, id)?.id === id).length,
      states: countStandings(standings),
    };
  });
}

/** Agents that have the labels of a group, those of other groups among them. */
async function listAgents(db: Db, group: string, { limit, offset, nowMs }: Paging & { nowMs: number }) {
  const whole = await readWhole(db, nowMs);
  const { groups, lines } = whole;
  const own = groups.find(({ id }) => id === group);
  const fitting = whole.agents.filter((agent) => own !== undefined && fits(agent, own));
  const page = fitting
    .sort((a, b) => (a.hostname === b.hostname ? (a.id < b.id ? -1 : 1) : a.hostname < b.hostname ? -1 : 1))
    .slice(offset, offset + limit);
  const revisions = await readRevisions(
    db,
    page.map(({ has }) => inForceOf(has)),
  );
  const items = page.map(({ id, hostname, labels, connected, lastSeenMs, has, changedMs, problem }) => {
    const state = standingOf(has, group, lines.get(group));
    const force = inForceOf(has);
    const isOwn = state === 'refused' || state === 'rolled-back';
    return {
      ...{ id, hostname, labels, connected, lastSeenMs, state, changedMs },
      group: namedOf(groups.find((one) => one.id === has?.group)),
      revision: has?.revision ?? null,
      inForce: force === null ? null : { revision: force, group: revisions.get(force)?.group ?? null },
      code: isOwn ? (has?.code ?? '') : '',
      problem: isOwn ? problem : '',
    };
  });
  return { items, total: fitting.length, limit, offset };
}

/** What those have now that a push to a group would reach, and whom it would not reach though they fit. */
async function reachOf(db: Db, group: string, nowMs: number) {
  const whole = await readWhole(db, nowMs);
  const own = whole.groups.find(({ id }) => id === group);
  const reached = new Map<number | null, string[]>();
  const others = new Map<string, number>();
  for (const agent of whole.agents.filter((one) => own !== undefined && fits(one, own))) {
    const of = wouldBeIn(whole, agent, group)?.id;
    if (of !== group) others.set(of ?? '', (others.get(of ?? '') ?? 0) + 1);
    else reached.set(heldBy(agent.has), [...(reached.get(heldBy(agent.has)) ?? []), agent.hostname]);
  }
  const kinds = [...reached].sort(([, a], [, b]) => b.length - a.length).slice(0, KINDS);
  const revisions = await readRevisions(
    db,
    kinds.map(([revision]) => revision),
  );
  const items = kinds.map(([revision, hosts]) => {
    const of = revision === null ? undefined : revisions.get(revision);
    const facts = { revision, group: of?.group ?? null, settings: JSON.parse(of?.document ?? '{}') as PushedDocument };
    return { ...facts, agents: hosts.length, hosts: hosts.sort().slice(0, NAMED) };
  });
  const elsewhere = [...others].flatMap(([id, agents]) => {
    const of = namedOf(whole.groups.find((one) => one.id === id));
    return of === null ? [] : [{ group: of, agents }];
  });
  return { items, elsewhere };
}

/** What is to be seen of groups and of what is pushed to them. */
export function createGroupReading({ store, clock }: { store: IngestStore; clock: Clock }) {
  return {
    list: (org: string) => store.within(org, (db) => listGroups(db, clock.now())),
    revisions: (org: string, group: string, { limit, offset }: Paging) =>
      store.within(org, async (db) => {
        await mustExist(db, group);
        const items = (await newestOf(db, group).limit(limit).offset(offset).execute()).map(shown);
        const counted = db.selectFrom('settings_revisions').where('group_id', '=', group);
        const { total } = await counted.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        return { items, total, limit, offset };
      }),
    agents: (org: string, group: string, paging: Paging) =>
      store.within(org, async (db) => {
        await mustExist(db, group);
        return listAgents(db, group, { ...paging, nowMs: clock.now() });
      }),
    reach: (org: string, group: string) =>
      store.within(org, async (db) => {
        await mustExist(db, group);
        return reachOf(db, group, clock.now());
      }),
  };
}
export type GroupReading = ReturnType<typeof createGroupReading>;
