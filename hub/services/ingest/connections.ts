import { randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import { connectedTo, type Doors } from './doors.ts';
import type { IngestStore } from './store.ts';

/** What is said of a connection holds so long, milliseconds, and is said again this often: a process that was killed is believed no longer. */
const HOLDS_MS = 60_000;
export const SAY_MS = 20_000;
/** Agents that one statement names. */
const AT_ONCE = 1000;

/** What is written of an agent that is connected. */
export interface ConnectionMark {
  connected_until: Date;
  connected_by: string;
}

/** Whether an agent is connected to any process. */
export const isConnected = ({ connected_until: until }: { connected_until: Date | null }, nowMs: number): boolean =>
  until !== null && until.getTime() > nowMs;

/** Which agents are connected, to whichever process of the hub: each says so of its own. */
export function createConnections({ store, clock, doors }: { store: IngestStore; clock: Clock; doors: Doors }) {
  const process = randomUUID();
  const mark = (): ConnectionMark => ({ connected_until: new Date(clock.now() + HOLDS_MS), connected_by: process });
  /** Notes that agents are connected to this process. */
  const here = async (org: string, ids: readonly string[]): Promise<void> => {
    const set = mark();
    for (let n = 0; n < ids.length; n += AT_ONCE)
      await store.within(org, (db) =>
        db
          .updateTable('agents')
          .set(set)
          .where('id', 'in', ids.slice(n, n + AT_ONCE))
          .execute(),
      );
  };
  return {
    here,
    /** What a row of an agent says while it is connected to this process. */
    mark,
    /** Notes that an agent is gone. */
    async left(org: string, id: string): Promise<void> {
      const set = { last_seen: new Date(clock.now()) };
      await store.within(org, async (db) => {
        await db.updateTable('agents').set(set).where('id', '=', id).execute();
        // It may have come to another process meanwhile.
        const own = db.updateTable('agents').set({ connected_until: null }).where('id', '=', id);
        await own.where('connected_by', '=', process).execute();
      });
    },
    /** Says again of all who are here that they are. */
    async renew(): Promise<void> {
      const agents = connectedTo(doors);
      for (const org of new Set(agents.map((one) => one.org)))
        await here(org, agents.flatMap((one) => (one.org === org ? [one.agent] : []))); // prettier-ignore
    },
  };
}
export type Connections = ReturnType<typeof createConnections>;
