import { randomUUID } from 'node:crypto';
import { reasonOf, type Clock, type Logger } from '#sdk';
import type { Counter } from 'prom-client';
import { write } from '../anomalies.ts';
import { lockResource, type Db, type PredictionsStore } from '../store.ts';
import { judgeWindow, LINES_METRIC, SOURCE_ATTRIBUTE, unknownHost, type HostState, type Judged } from './host.ts';
import { isPart, windowOf, type HostWindow, type Part } from './part.ts';
import { packState, readState } from './state.ts';

/** So long after its end a window is looked at, milliseconds: twice as long as any hub takes to write down what it saw. */
const GRACE_MS = 120_000;
/** Parts of one host that are looked at in one transaction. */
const MOST_PARTS = 500;
/** One run takes no longer; the next one goes on. */
const RUN_MS = 240_000;

/** What judging stands on. */
export interface JudgeGiven {
  store: Pick<PredictionsStore, 'within' | 'dueSequences'>;
  clock: Clock;
  log: Logger;
  windowMs: number;
  warmUpMs: number;
  windows: Counter<'outcome'>;
}

async function stateOf(db: Db, resource: string, windowMs: number): Promise<HostState> {
  const row = await db.selectFrom('sequence_states').select('body').where('resource', '=', resource).executeTakeFirst();
  return (row && readState(row.body, windowMs)) ?? unknownHost();
}

/** Windows of a host that wait, in their order. What comes after its window was looked at comes too late. */
async function takeWindows(db: Db, resource: string, beforeMs: number, windowMs: number): Promise<HostWindow[]> {
  const rows = await db
    .selectFrom('sequence_parts')
    .select(['window_ms', 'body'])
    .where('resource', '=', resource)
    .where('window_ms', '<=', beforeMs)
    .orderBy('window_ms')
    .orderBy('part')
    .limit(MOST_PARTS)
    .execute();
  const byStart = new Map<number, Part[]>();
  for (const { window_ms, body } of rows) {
    const parts = byStart.get(Number(window_ms)) ?? [];
    byStart.set(Number(window_ms), parts);
    if (isPart(body) && body.windowMs === windowMs) parts.push(body);
  }
  // The last window may have been cut off by the limit: it waits for the next run.
  if (rows.length === MOST_PARTS && byStart.size > 1) byStart.delete(Number(rows.at(-1)?.window_ms));
  for (const start of byStart.keys())
    await db.deleteFrom('sequence_parts').where('resource', '=', resource).where('window_ms', '=', start).execute();
  return [...byStart].map(([start, parts]) => windowOf(start, parts));
}

async function offsetsOf(db: Db, resource: string): Promise<Map<string, number>> {
  const moved = db.selectFrom('sensitivities').select(['attributes', 'moved']);
  const rows = await moved.where('resource', '=', resource).where('metric', '=', LINES_METRIC).execute();
  return new Map(rows.map(({ attributes, moved: offset }) => [attributes[SOURCE_ATTRIBUTE] ?? '', offset]));
}

/** Judges windows of hosts' logs. Any number of hubs may do so at one time: of each host one at a time does, and a window is gone once it was looked at. */
export function createJudge({ store, clock, log, windowMs, warmUpMs, windows }: JudgeGiven) {
  const judgeHost = (org: string, resource: string, beforeMs: number): Promise<(Judged['outcome'] | 'late')[]> =>
    store.within(org, async (db) => {
      await lockResource(db, resource);
      const waiting = await takeWindows(db, resource, beforeMs, windowMs);
      if (waiting.length === 0) return [];
      const state = await stateOf(db, resource, windowMs);
      // A clock that was ahead must not make everything late until it is as late as it said.
      if (state.lookedMs > clock.now()) [state.lookedMs, state.place] = [0, undefined];
      const offsets = await offsetsOf(db, resource);
      const judging = { windowMs, warmUpMs, offsetOf: (source: string) => offsets.get(source) ?? 0, newId: randomUUID };
      const outcomes: (Judged['outcome'] | 'late')[] = [];
      for (const window of waiting) {
        if (window.startMs <= state.lookedMs) {
          outcomes.push('late');
          continue;
        }
        const { event, outcome } = judgeWindow(state, window, judging);
        outcomes.push(outcome);
        if (event !== undefined) await write(db, org, { resource, events: [event], heardMs: clock.now() });
      }
      const set = { looked_ms: state.lookedMs, body: packState(state, windowMs) };
      await db
        .insertInto('sequence_states')
        .values({ ...set, org_id: org, resource })
        .onConflict((conflict) => conflict.columns(['org_id', 'resource']).doUpdateSet(set))
        .execute();
      return outcomes;
    });
  return {
    /** Judges what is over. A host that cannot be judged waits for the next run, and no other waits for it. */
    async run(): Promise<void> {
      const beforeMs = clock.now() - windowMs - GRACE_MS;
      const endMs = clock.monotonic() + RUN_MS;
      for (const { org, resource } of await store.dueSequences(beforeMs)) {
        if (clock.monotonic() >= endMs) return;
        try {
          for (const outcome of await judgeHost(org, resource, beforeMs)) windows.inc({ outcome });
        } catch (error) {
          log.warn('logs of a host were not judged; it is tried again', { resource, reason: reasonOf(error) });
        }
      }
    },
  };
}
