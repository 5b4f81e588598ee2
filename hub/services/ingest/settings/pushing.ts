import { randomUUID } from 'node:crypto';
import { digestOf } from '#proto/agent/v1/pushed-digest.ts';
import { DOCUMENT_LIMIT, type PushedDocument } from '#proto/agent/v1/pushed.ts';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Principal } from '../../../principal.ts';
import { problems } from '../errors.ts';
import type { IngestStore } from '../store.ts';
import { COLUMNS, mustExist, newestOf, shown } from './reading.ts';
import { arrange, lockOrg, readGroups, type Db } from './records.ts';

/** Groups of an org, and revisions that are kept of each. */
const GROUPS = 100;
const REVISIONS = 200;

/** What pushing stands on. */
export interface PushingGiven {
  store: IngestStore;
  clock: Clock;
  log: Logger;
  /** Sends what is to be sent. */
  deliver(): Promise<void>;
}

/** What is to be pushed. */
export interface Push {
  settings: PushedDocument;
  /** How many agents try it first; 0: all get it at once. */
  canaries: number;
}

type Who = Pick<Principal, 'org' | 'user' | 'name'>;

/** Everything that no schema can say of a document, each with its place. */
function faultsOf({ drop = [], redact }: PushedDocument): string[] {
  const places = [
    ...drop.map(({ pattern, below }, n) => ({ place: `drop.${n}`, pattern, isEmpty: below === undefined })),
    ...(redact?.patterns ?? []).map(({ pattern }, n) => ({ place: `redact.patterns.${n}`, pattern, isEmpty: false })),
  ];
  return places.flatMap(({ place, pattern, isEmpty }) => {
    if (pattern === undefined) return isEmpty ? [`${place}: names neither a pattern nor a level`] : [];
    try {
      new RegExp(pattern, 'u');
      return [];
    } catch (error) {
      return [`${place}.pattern: ${reasonOf(error)}`];
    }
  });
}

/** The text of a document, as agents get it; a Problem with everything that is wrong when none would take it. Agents look more closely: by their own list, and at how long a pattern takes. */
function textOf(settings: PushedDocument): string {
  const faults = faultsOf(settings);
  const text = JSON.stringify(settings);
  if (text.length > DOCUMENT_LIMIT) faults.push(`they take ${text.length} characters; ${DOCUMENT_LIMIT} are the most`);
  if (faults.length > 0) throw problems.badSettings(`${faults.join('. ')}.`);
  return text;
}

/** Ends what a few are trying in a group. */
async function overtake(db: Db, group: string, because: string): Promise<void> {
  const set = { stage: 'halted' as const, halted_because: because };
  const open = db.updateTable('settings_revisions').set(set).where('group_id', '=', group);
  await open.where('stage', '=', 'first').execute();
}

/** Forgets the oldest revisions of a group that no agent is to have. */
async function prune(db: Db, group: string): Promise<void> {
  const oldest = await newestOf(db, group).offset(REVISIONS).execute();
  if (oldest.length === 0) return;
  const inUse = db
    .selectFrom('agent_settings')
    .select('revision')
    .where('revision', 'is not', null)
    .union(db.selectFrom('agent_settings').select('proven as revision').where('proven', 'is not', null));
  const old = oldest.map(({ revision }) => revision);
  const gone = db.deleteFrom('settings_revisions').where('revision', 'in', old);
  await gone.where('revision', 'not in', inUse.$castTo<{ revision: number }>()).execute();
}

/** A revision that is to be added. */
interface Addition {
  group: string;
  document: string;
  restores: number | null;
  canaries: number;
}

async function addRevision(db: Db, { org, user, name }: Who, { group, ...more }: Addition, at: Date) {
  await overtake(db, group, 'A newer revision took its place.');
  const row = {
    ...more,
    org_id: org,
    group_id: group,
    digest: digestOf(more.document),
    stage: more.canaries === 0 ? ('all' as const) : ('first' as const),
    pushed_by: name,
    pushed_by_id: user,
    pushed_at: at,
  };
  const made = await db.insertInto('settings_revisions').values(row).returning(COLUMNS).executeTakeFirstOrThrow();
  await prune(db, group);
  return shown(made);
}

/** What held before the newest revision, which the caller names: of two who undo at the same time one does. */
async function priorOf(db: Db, group: string, revision: number): Promise<Pick<Addition, 'document' | 'restores'>> {
  const last = await newestOf(db, group).executeTakeFirst();
  if (last === undefined || last.revision !== revision)
    throw problems.nothingToUndo('It is not the newest revision any more. Look again what holds now.');
  if (last.restores === 0) throw problems.nothingToUndo('Nothing was pushed before.');
  const before = newestOf(db, group).where('stage', '=', 'all');
  const good = await before.where('revision', '<', last.restores ?? last.revision).executeTakeFirst();
  return { document: good?.document ?? '{}', restores: good?.revision ?? 0 };
}

/** Changes of groups of agents and of what is pushed to them. */
export function createPushing({ store, clock, log, deliver }: PushingGiven) {
  const now = (): Date => new Date(clock.now());
  /** A change of what agents are to have: everything is decided anew, then sent. */
  const change = async <T>(org: string, work: (db: Db) => Promise<T>): Promise<T> => {
    const done = await store.within(org, async (db) => {
      await lockOrg(db, org);
      const result = await work(db);
      await arrange(db, { org, now: now() });
      return result;
    });
    // What cannot be sent now is sent with the next look.
    await deliver().catch((error: unknown) =>
      log.warn('pushed settings could not be sent at once', { reason: reasonOf(error) }),
    );
    return done;
  };
  return {
    create: (who: Who, { name, labels }: { name: string; labels: Readonly<Record<string, string>> }) =>
      change(who.org, async (db) => {
        const groups = await readGroups(db);
        if (groups.some((group) => group.name === name)) throw problems.groupTaken(`Choose another name than ${name}.`);
        if (groups.length >= GROUPS) throw problems.tooManyGroups(`${GROUPS} are the most. Remove one first.`);
        const row = { id: randomUUID(), name, labels: JSON.stringify(labels), created_by: who.name, created_at: now() };
        const none = { removed_by: null, removed_at: null };
        await db
          .insertInto('settings_groups')
          .values({ ...row, ...none, org_id: who.org })
          .execute();
        return { id: row.id };
      }),
    /** Removes a group: its agents go back to what else fits them, or to their own settings. */
    remove: (who: Who, group: string) =>
      change(who.org, async (db) => {
        await mustExist(db, group);
        const set = { removed_by: who.name, removed_at: now() };
        await db.updateTable('settings_groups').set(set).where('id', '=', group).execute();
        await overtake(db, group, 'The group was removed.');
        log.info('a group of agents was removed', { group, by: who.name });
      }),
    push: (who: Who, group: string, { settings, canaries }: Push) =>
      change(who.org, async (db) => {
        await mustExist(db, group);
        return addRevision(db, who, { group, document: textOf(settings), restores: null, canaries }, now());
      }),
    /** Pushes to all at once what held before the newest revision, which the caller names: two who undo at the same time undo one. */
    undo: (who: Who, group: string, revision: number) =>
      change(who.org, async (db) => {
        await mustExist(db, group);
        return addRevision(db, who, { group, ...(await priorOf(db, group, revision)), canaries: 0 }, now());
      }),
  };
}
export type Pushing = ReturnType<typeof createPushing>;
