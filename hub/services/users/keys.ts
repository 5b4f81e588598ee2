import { randomBytes, randomUUID } from 'node:crypto';
import type { Clock } from '#sdk';
import { roleAllows, type Principal, type Role } from '../../principal.ts';
import { problems } from './errors.ts';
import { hashToken } from './session-token.ts';
import type { UsersStore } from './store.ts';

/** How a program's key begins, so that a leaked one is found by a scanner. */
export const KEY_PREFIX = 'ork_';

/** Uses are written down at most this often, milliseconds. */
const USE_NOTE_MS = 60_000;

/** Programs' keys: 32 random bytes, stored as a hash, never wider than their owner. */
export function createKeys(store: UsersStore, clock: Clock) {
  const noted = new Map<string, number>();
  const noteUse = async (org: string, id: string): Promise<void> => {
    const now = clock.now();
    if (now - (noted.get(id) ?? 0) < USE_NOTE_MS) return;
    if (noted.size > 10_000) noted.clear();
    noted.set(id, now);
    await store.within(org, (db) =>
      db
        .updateTable('api_keys')
        .set({ last_used_at: new Date(now) })
        .where('id', '=', id)
        .execute(),
    );
  };
  return {
    /** The key's text is in the answer and nowhere else. */
    async create(principal: Principal, wanted: { name: string; role: Role; days?: number }) {
      if (!roleAllows(principal.role, wanted.role))
        throw problems.aboveYou(`Your role is ${principal.role}; a key of yours cannot have more.`);
      const key = KEY_PREFIX + randomBytes(32).toString('base64url');
      const id = randomUUID();
      const now = clock.now();
      const expires = wanted.days === undefined ? null : new Date(now + wanted.days * 86_400_000);
      const row = {
        id,
        org_id: principal.org,
        user_id: principal.user,
        key_name: wanted.name,
        key_hash: hashToken(key),
        prefix: key.slice(0, 8),
      };
      const values = {
        ...row,
        permissions: JSON.stringify({ role: wanted.role }),
        expires_at: expires,
        last_used_at: null,
      };
      await store.within(principal.org, (db) => db.insertInto('api_keys').values(values).execute());
      return { id, key, name: wanted.name, role: wanted.role, expiresMs: expires?.getTime() ?? null, createdMs: now };
    },

    /** Who a key acts for; its role is the weaker of its own and its owner's. */
    async authenticate(key: string): Promise<Principal> {
      const found = key.startsWith(KEY_PREFIX) ? await store.findKey(hashToken(key)) : undefined;
      const ended = found?.expires_at != null && found.expires_at.getTime() < clock.now();
      if (found === undefined || found.disabled || ended) throw problems.unknownKey();
      await noteUse(found.org_id, found.id);
      const role = roleAllows(found.role, found.permissions.role) ? found.permissions.role : found.role;
      return { org: found.org_id, user: found.user_id, name: found.username, role, via: 'key' };
    },
  };
}
export type Keys = ReturnType<typeof createKeys>;
