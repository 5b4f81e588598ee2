import type { Clock } from '#sdk';
import type { Page } from '../../http.ts';
import type { Principal } from '../../principal.ts';
import { problems } from './errors.ts';
import type { Paging, UsersStore } from './store.ts';

/** A session as its person sees it: where they are signed in. */
export interface Device {
  id: string;
  /** The program that signed in, as it named itself. */
  agent: string;
  createdMs: number;
  usedMs: number;
  expiresMs: number;
  /** True for the session that asks. */
  current: boolean;
}

/** Where a person is signed in, and how they end what they do not know. */
export function createDevices(store: UsersStore, clock: Clock) {
  return {
    list: (principal: Principal, paging: Paging): Promise<Page<Device>> =>
      store.within(principal.org, async (db) => {
        const own = db
          .selectFrom('sessions')
          .where('user_id', '=', principal.user)
          .where('revoked', '=', false)
          .where('expires_at', '>', new Date(clock.now()));
        const rows = await own
          .selectAll()
          .orderBy('rotated_at', 'desc')
          .orderBy('id')
          .limit(paging.limit)
          .offset(paging.offset)
          .execute();
        const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          agent: row.agent,
          createdMs: row.created_at.getTime(),
          usedMs: row.rotated_at.getTime(),
          expiresMs: row.expires_at.getTime(),
          current: row.id === principal.session,
        }));
        return { items, total, ...paging };
      }),

    /** Ends one of the principal's own sessions. */
    async end(principal: Principal, id: string): Promise<void> {
      const ended = await store.within(principal.org, (db) =>
        db
          .updateTable('sessions')
          .set({ revoked: true })
          .where('id', '=', id)
          .where('user_id', '=', principal.user)
          .where('revoked', '=', false)
          .executeTakeFirst(),
      );
      if (ended.numUpdatedRows === 0n) throw problems.notFound();
    },
  };
}
export type Devices = ReturnType<typeof createDevices>;
