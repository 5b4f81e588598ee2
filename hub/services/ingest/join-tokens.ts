import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { writeJoinToken, type JoinToken } from '#proto/enrolment.ts';
import type { Clock } from '#sdk';
import type { HubFacts } from '../../service.ts';
import type { Authority } from './authority.ts';
import { problems } from './errors.ts';
import type { IngestStore, Paging } from './store.ts';

/** What a join token is to be good for. */
export interface TokenWish {
  uses: number;
  expiresInHours: number;
  labels: Readonly<Record<string, string>>;
  ephemeral: boolean;
}

const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');
/** What to do when a token lets nobody in. */
export const ANOTHER = 'Make a new one: on the page (Hosts, Add a host), or with outrider-hub token create.';

/** Join tokens: what lets an agent in. Only a hash of the secret is kept. */
export function createJoinTokens(given: {
  store: IngestStore;
  authority: () => Authority;
  clock: Clock;
  hub: HubFacts;
}) {
  const { store, authority, clock, hub } = given;
  return {
    async create(org: string, wish: TokenWish): Promise<{ id: string; token: string; expiresMs: number }> {
      const id = randomUUID();
      const secret = randomBytes(32).toString('base64url');
      const now = clock.now();
      const expiresMs = Math.round(now + wish.expiresInHours * 3_600_000);
      const row = {
        id,
        org_id: org,
        secret_hash: hashSecret(secret),
        uses: wish.uses,
        uses_left: wish.uses,
        labels: JSON.stringify(wish.labels),
        ephemeral: wish.ephemeral,
        created_at: new Date(now),
        expires_at: new Date(expiresMs),
      };
      await store.within(org, (db) => db.insertInto('join_tokens').values(row).execute());
      const { publicUrl: url, linkAddress: link } = hub;
      return { id, token: writeJoinToken({ v: 1, url, link, ca: authority().fingerprint, id, secret }), expiresMs };
    },
    /** Takes one use of a token; what the token says travels to the agent's row. */
    use: (org: string, token: JoinToken): Promise<{ labels: Record<string, string>; ephemeral: boolean }> =>
      store.within(org, async (db) => {
        const query = db.selectFrom('join_tokens').selectAll().where('id', '=', token.id);
        const row = await query.forUpdate().executeTakeFirst();
        const fits =
          row !== undefined && timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(hashSecret(token.secret)));
        if (!fits) throw problems.tokenForged(ANOTHER);
        if (row.expires_at.getTime() <= clock.now()) throw problems.tokenExpired(ANOTHER);
        if (row.uses_left === 0) throw problems.tokenUsed(`Each token counts its uses. ${ANOTHER}`);
        const set = { uses_left: row.uses_left - 1 };
        await db.updateTable('join_tokens').set(set).where('id', '=', row.id).execute();
        return { labels: row.labels as unknown as Record<string, string>, ephemeral: row.ephemeral };
      }),
    list: (org: string, { limit, offset }: Paging) =>
      store.within(org, async (db) => {
        const newest = db.selectFrom('join_tokens').selectAll().orderBy('created_at', 'desc').orderBy('id');
        const rows = await newest.limit(limit).offset(offset).execute();
        const counted = db.selectFrom('join_tokens').select((eb) => eb.fn.countAll<number>().as('total'));
        const { total } = await counted.executeTakeFirstOrThrow();
        const items = rows.map((row) => ({
          id: row.id,
          uses: row.uses,
          usesLeft: row.uses_left,
          labels: row.labels as unknown as Record<string, string>,
          ephemeral: row.ephemeral,
          createdMs: row.created_at.getTime(),
          expiresMs: row.expires_at.getTime(),
        }));
        return { items, total, limit, offset };
      }),
    async withdraw(org: string, id: string): Promise<void> {
      const gone = await store.within(org, (db) =>
        db.deleteFrom('join_tokens').where('id', '=', id).executeTakeFirst(),
      );
      if (gone.numDeletedRows === 0n) throw problems.notFound();
    },
  };
}
export type JoinTokens = ReturnType<typeof createJoinTokens>;
