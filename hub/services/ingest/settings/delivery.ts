import { create } from '@bufbuild/protobuf';
import { PushedSettingsSchema, SettingsState, type HubMessage, type SettingsReport } from '#proto/agent/v1/index.ts';
import { digestOf } from '#proto/agent/v1/pushed-digest.ts';
import type { Clock } from '#sdk';
import { connectedTo, tell, type Agent, type Delivering, type Doors } from '../doors.ts';
import type { IngestStore } from '../store.ts';
import { hubMessage } from '../stream.ts';
import { arrange, lockOrg, readGroups, readLines, type Db } from './records.ts';
import { isFailure, NOT_ACCEPTED, type AgentState } from './rollout.ts';

/** What was sent and not answered is sent again after this time, milliseconds. */
const AGAIN_MS = 15_000;
/** Words of an agent about what is wrong are cut at this length. */
const PROBLEM_LENGTH = 2000;

const STATES: Partial<Record<SettingsState, AgentState>> = {
  [SettingsState.TRYING]: 'trying',
  [SettingsState.APPLIED]: 'applied',
  [SettingsState.REFUSED]: 'refused',
  [SettingsState.ROLLED_BACK]: 'rolled-back',
};

/** What bringing settings to agents stands on. */
export interface DeliveryGiven {
  store: IngestStore;
  clock: Clock;
  agents: Doors;
}

interface Row {
  revision: number | null;
  state: AgentState;
  code: string;
  problem: string;
  document: string | null;
  digest: string | null;
  proven: number | null;
}

const pushedMessage = ({ revision, document }: Pick<Row, 'revision' | 'document'>): HubMessage =>
  hubMessage({
    case: 'settings',
    value: create(PushedSettingsSchema, { revision: BigInt(revision ?? 0), document: document ?? '' }),
  });

const NO_DIGEST = digestOf('');

/** True when an agent speaks of what it is to have. The number alone could be of an older life of this hub. */
const isMeant = ({ revision, digest }: Row, report: SettingsReport): boolean =>
  BigInt(revision ?? 0) === report.revision &&
  (report.digest === (digest ?? NO_DIGEST) || (revision === null && report.digest === ''));

const readRow = (db: Db, agent: string): Promise<Row | undefined> =>
  db
    .selectFrom('agent_settings')
    .leftJoin('settings_revisions', 'settings_revisions.revision', 'agent_settings.revision')
    .select(['agent_settings.revision', 'state', 'code', 'problem', 'document', 'digest', 'proven'])
    .where('agent', '=', agent)
    .executeTakeFirst();

/** Stops a revision that an agent is not well with, if it is still on its way. */
async function halt(db: Db, revision: number, because: string): Promise<void> {
  const set = { stage: 'halted' as const, halted_because: because };
  const open = db.updateTable('settings_revisions').set(set).where('revision', '=', revision);
  await open.where('stage', '!=', 'halted').execute();
}

/** Decides anew for an org, or for one agent of it where nobody else is concerned. */
async function rearrange(given: DeliveryGiven, db: Db, org: string, only?: string): Promise<void> {
  if (only === undefined) await lockOrg(db, org);
  const how = { org, now: new Date(given.clock.now()) };
  await arrange(db, only === undefined ? how : { ...how, only });
}

/** An agent speaks of its settings for the first time. */
async function meet(given: DeliveryGiven, db: Db, { org, agent }: Agent): Promise<void> {
  const groups = await readGroups(db);
  if (groups.length === 0) return;
  const lines = await readLines(
    db,
    groups.map(({ id }) => id),
  );
  // Where a few are to try something first it depends on all others whether this one does.
  const isTried = [...lines.values()].some(({ newest }) => newest?.stage === 'first');
  await rearrange(given, db, org, isTried ? undefined : agent);
}

/** What an agent falls back on once it has spoken of what it is to have. */
function provenAfter({ revision, proven }: Row, { state, code }: { state: AgentState; code: string }): number | null {
  if (state === 'applied') return revision;
  // It takes nothing any more, or what it was well with fits it no longer: nothing is in force then.
  const isDropped = state === 'refused' && (code === NOT_ACCEPTED || revision === proven);
  return isDropped ? null : proven;
}

/** The revision that an agent says it is well with, though it is to have another; undefined when it says no such thing. */
async function toldProven(db: Db, { revision, digest, state }: SettingsReport): Promise<number | null | undefined> {
  if (state !== SettingsState.APPLIED) return undefined;
  if (revision === 0n || revision > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const of = db.selectFrom('settings_revisions').select('revision').where('revision', '=', Number(revision));
  return (await of.where('digest', '=', digest).executeTakeFirst())?.revision ?? null;
}

/** Writes down how far an agent is, and what follows from that for the others. */
async function note(given: DeliveryGiven, db: Db, { org, agent }: Agent, [row, report]: [Row, SettingsReport]) {
  const state = STATES[report.state];
  if (state === undefined) return;
  const [code, problem] = [report.code.slice(0, 100), report.problem.slice(0, PROBLEM_LENGTH)];
  const proven = provenAfter(row, { state, code });
  if (row.state === state && row.code === code && row.problem === problem && row.proven === proven) return;
  const set = { state, code, problem, proven, changed_at: new Date(given.clock.now()) };
  await db.updateTable('agent_settings').set(set).where('agent', '=', agent).execute();
  if (row.revision === null) return;
  const isBad = isFailure({ state, code });
  if (isBad) {
    const named = db.selectFrom('agents').select('hostname').where('id', '=', agent);
    const { hostname } = await named.executeTakeFirstOrThrow();
    await halt(db, row.revision, `${hostname} ${state === 'refused' ? 'refused it' : 'took it back'}: ${problem}`);
  }
  const of = db.selectFrom('settings_revisions').select('stage').where('revision', '=', row.revision);
  const stage = (await of.executeTakeFirst())?.stage;
  if (isBad || (stage === 'first' && state !== 'trying')) await rearrange(given, db, org);
}

const sentTo = (db: Db, agents: readonly string[], nowMs: number) =>
  db
    .updateTable('agent_settings')
    .set({ sent_at: new Date(nowMs) })
    .where('agent', 'in', agents);

/** Takes what an agent says of its settings; gives what it is to have instead, if that is something else. */
async function hear(given: DeliveryGiven, db: Db, who: Agent, report: SettingsReport): Promise<HubMessage | undefined> {
  let row = await readRow(db, who.agent);
  if (row === undefined) {
    await meet(given, db, who);
    row = await readRow(db, who.agent);
  }
  // Nothing is kept of agents of an org without groups.
  const own: Row = row ?? {
    revision: null,
    state: 'applied',
    code: '',
    problem: '',
    document: null,
    digest: null,
    proven: null,
  };
  if (isMeant(own, report)) {
    if (row !== undefined) await note(given, db, who, [own, report]);
    return undefined;
  }
  const set = { state: 'pending' as const, code: '', problem: '', sent_at: new Date(given.clock.now()) };
  const proven = await toldProven(db, report);
  await db
    .updateTable('agent_settings')
    .set(proven === undefined ? set : { ...set, proven })
    .where('agent', '=', who.agent)
    .execute();
  return pushedMessage(own);
}

/** Takes what is due to agents of an org for this process to send; another one that looks at the same time gets nothing. */
async function claim(db: Db, agents: readonly string[], nowMs: number): Promise<{ agent: string; row: Row }[]> {
  const mine = sentTo(db, agents, nowMs).where('state', '=', 'pending');
  const since = new Date(nowMs - AGAIN_MS);
  const unsent = mine.where((eb) => eb.or([eb('sent_at', 'is', null), eb('sent_at', '<', since)]));
  const claimed: { agent: string; row: Row }[] = [];
  for (const { agent } of await unsent.returning('agent').execute()) {
    const row = await readRow(db, agent);
    if (row !== undefined) claimed.push({ agent, row });
  }
  return claimed;
}

/** Makes what brings settings to agents and hears what became of them. */
export function createDelivery(given: DeliveryGiven): Delivering<SettingsReport> {
  const { store, clock, agents: doors } = given;
  return {
    reported: (who, report) => store.within(who.org, (db) => hear(given, db, who, report)),
    // It also looks whether more are to try what a few try.
    async deliver() {
      const online = connectedTo(doors);
      if (online.length === 0) return;
      const here = new Set(online.map(({ org }) => org));
      for (const org of await store.tryingOrgs())
        if (here.has(org)) await store.within(org, (db) => rearrange(given, db, org));
      const since = new Date(clock.now() - AGAIN_MS);
      const due = await store.dueSettings(
        online.map(({ agent }) => agent),
        since,
      );
      for (const org of new Set(due.map((one) => one.org))) {
        const agents = due.flatMap((one) => (one.org === org ? [one.agent] : []));
        const claimed = await store.within(org, (db) => claim(db, agents, clock.now()));
        for (const { agent, row } of claimed) tell(doors, { org, agent }, pushedMessage(row));
      }
    },
  };
}
