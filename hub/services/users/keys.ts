import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import type { Page } from '../../http.ts';
import { roleAllows, type Principal, type Role } from '../../principal.ts';
import { actingRole } from './acting.ts';
import { problems } from './errors.ts';
import { hashToken } from './session-token.ts';
import type { Paging, UsersStore } from './store.ts';

/** How a program's key begins, so that a leaked one is found by a scanner. */
const KEY_PREFIX = 'ork_';

/** Uses are written down at most this often, milliseconds. */
const USE_NOTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A key as its owner sees it. Its text is not in it. */
export interface KeyListing {
  id: string;
  name: string;
  /** The first characters, to recognise it by. */
  prefix: string;
  role: Role;
  createdMs: number;
  expiresMs: number | null;
  lastUsedMs: number | null;
}

/** Writes down when a key was used, but not each time. */
function createUseNotes(store: UsersStore, clock: Clock) {
  const noted = new Map<string, number>();
  return async (org: string, id: string): Promise<void> => {
    const now = clock.now();
    if (now - (noted.get(id) ?? 0) < USE_NOTE_MS) return;
    if (noted.size > 10_000) noted.clear();
    noted.set(id, now);
    const used = { last_used_at: new Date(now) };
    await store.within(org, (db) => db.updateTable('api_keys').set(used).where('id', '=', id).execute());
  };
}

function listKeys(store: UsersStore, principal: Principal, paging: Paging): Promise<Page<KeyListing>> {
  return store.within(principal.org, async (db) => {
    const own = db.selectFrom('api_keys').where('user_id', '=', principal.user);
    const rows = await own
      .selectAll()
      .orderBy('created_at')
      .orderBy('id')
      .limit(paging.limit)
      .offset(paging.offset)
      .execute();
    const { total } = await own.select((eb) => eb.fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
    const items = rows.map((row) => ({
      id: row.id,
      name: row.key_name,
      prefix: row.prefix,
      role: row.permissions.role,
      createdMs: row.created_at.getTime(),
      expiresMs: row.expires_at?.getTime() ?? null,
      lastUsedMs: row.last_used_at?.getTime() ?? null,
    }));
    return { items, total, ...paging };
  });
}

/** Programs' keys: 32 random bytes, stored as a hash, never wider than their owner. */
export function createKeys(store: UsersStore, clock: Clock) {
  const noteUse = createUseNotes(store, clock);
  return {
    /** The key's text is in the answer and nowhere else. */
    async create(principal: Principal, wanted: { name: string; role: Role; days?: number }) {
      const { org, user } = principal;
      const { name, role } = wanted;
      const key = KEY_PREFIX + randomBytes(32).toString('base64url');
      const id = randomUUID();
      const now = clock.now();
      const expires = wanted.days === undefined ? null : new Date(now + wanted.days * DAY_MS);
      await store.within(org, async (db) => {
        const acting = await actingRole(db, principal);
        if (!roleAllows(acting, role))
          throw problems.aboveYou(`Your role is ${acting}; a key of yours cannot have more.`);
        const secret = { key_hash: hashToken(key), prefix: key.slice(0, 8), permissions: JSON.stringify({ role }) };
        const times = { created_at: new Date(now), expires_at: expires, last_used_at: null };
        await db
          .insertInto('api_keys')
          .values({ id, org_id: org, user_id: user, key_name: name, ...secret, ...times })
          .execute();
      });
      return { id, key, name, role, createdMs: now, expiresMs: expires?.getTime() ?? null };
    },

    list: (principal: Principal, paging: Paging) => listKeys(store, principal, paging),

    /** Removes one of the principal's own keys. */
    async remove(principal: Principal, id: string): Promise<void> {
      const gone = await store.within(principal.org, (db) =>
        db.deleteFrom('api_keys').where('id', '=', id).where('user_id', '=', principal.user).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
    },

    /** Who a key acts for; its role is the weaker of its own and its owner's. */
    async authenticate(key: string): Promise<Principal> {
      const found = key.startsWith(KEY_PREFIX) ? await store.findKey(hashToken(key)) : undefined;
      if (found === undefined || found.disabled) throw problems.unknownKey();
      if (found.expires_at !== null && found.expires_at.getTime() <= clock.now()) throw problems.unknownKey();
      await noteUse(found.org_id, found.id);
      const role = roleAllows(found.role, found.permissions.role) ? found.permissions.role : found.role;
      return { org: found.org_id, user: found.user_id, name: found.username, role, via: 'key' };
    },
  };
}
export type Keys = ReturnType<typeof createKeys>;
