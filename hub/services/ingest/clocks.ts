import { Lane } from '#proto/agent/v1/index.ts';
import { shiftOf } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import { LRUCache } from 'lru-cache';
import { sql } from 'kysely';
import type { IngestStore } from './store.ts';
import type { Sender } from './taking.ts';

/** Agents whose newest shift is remembered, and for how long: another hub may have noted another one meanwhile. */
const AGENTS = 20_000;
const REMEMBERED_MS = 60_000;
/** Changes that are kept of one agent. */
const CHANGES = 1000;

/** What agents' clocks were put right by, and since when: the stores hold the hub's time, and with this the agent's own can be told. */
export function createClocks({ store, clock }: { store: IngestStore; clock: Clock }) {
  const newest = new LRUCache<string, number>({ max: AGENTS, ttl: REMEMBERED_MS });
  const read = (org: string, agent: string, limit: number) =>
    store.within(org, (db) => {
      const own = db.selectFrom('clock_shifts').select(['since', 'shift_ms']).where('agent', '=', agent);
      return own.orderBy('id', 'desc').limit(limit).execute();
    });
  const write = (org: string, agent: string, shift: number): Promise<void> =>
    store.within(org, async (db) => {
      const row = { org_id: org, agent, since: new Date(clock.now()), shift_ms: shift };
      await db.insertInto('clock_shifts').values(row).execute();
      const own = db.selectFrom('clock_shifts').where('agent', '=', agent).select('id');
      const beyond = own.orderBy('id', 'desc').offset(CHANGES).limit(1);
      await db
        .deleteFrom('clock_shifts')
        .where('agent', '=', agent)
        .where('id', '<=', sql<string>`(${beyond})`)
        .execute();
    });
  return {
    /** Writes it down when the clock of an agent is put right by another amount than before; back-fill tells of earlier times and changes nothing. */
    async note({ org, agent }: Sender, { lane, skewMs }: { lane: Lane; skewMs: number }): Promise<void> {
      if (lane !== Lane.LIVE) return;
      const shift = shiftOf(skewMs);
      const known = newest.get(agent) ?? Number((await read(org, agent, 1))[0]?.shift_ms ?? 0);
      if (known !== shift) await write(org, agent, shift);
      if (newest.get(agent) !== shift) newest.set(agent, shift);
    },
    /** Every change that is kept, newest first. */
    async list(org: string, agent: string): Promise<{ sinceMs: number; shiftMs: number }[]> {
      const rows = await read(org, agent, CHANGES);
      return rows.map(({ since, shift_ms }) => ({ sinceMs: since.getTime(), shiftMs: Number(shift_ms) }));
    },
  };
}
export type Clocks = ReturnType<typeof createClocks>;
