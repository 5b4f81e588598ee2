import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { JoinToken, readJoinToken, writeJoinToken, type EnrolReply, type EnrolRequest } from '#proto/enrolment.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import type { Clock } from '#sdk';
import { Value } from 'typebox/value';
import type { Bus } from '../../ports/bus.ts';
import type { HubFacts } from '../../service.ts';
import type { Authority } from './authority.ts';
import { problems } from './errors.ts';
import type { IngestStore } from './store.ts';

/** What a join token is to be good for. */
export interface TokenWish {
  uses: number;
  expiresInHours: number;
  labels: Readonly<Record<string, string>>;
  ephemeral: boolean;
}

const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Join tokens, and agents that come with one. */
export function createEnrolment(given: {
  store: IngestStore;
  authority: () => Authority;
  bus: Bus;
  clock: Clock;
  hub: HubFacts;
  certificateDays: number;
}) {
  const { store, authority, bus, clock, hub } = given;

  /** Takes one use of a token; what the token says travels to the agent's row. */
  const useToken = (org: string, token: JoinToken) =>
    store.within(org, async (db) => {
      const row = await db
        .selectFrom('join_tokens')
        .selectAll()
        .where('id', '=', token.id)
        .forUpdate()
        .executeTakeFirst();
      const fits =
        row !== undefined && timingSafeEqual(Buffer.from(row.secret_hash), Buffer.from(hashSecret(token.secret)));
      if (!fits) throw problems.tokenForged('Make a new one: outrider-hub token create.');
      if (row.expires_at.getTime() < clock.now())
        throw problems.tokenExpired('Make a new one: outrider-hub token create.');
      if (row.uses_left === 0)
        throw problems.tokenUsed('Each token counts its uses. Make a new one: outrider-hub token create.');
      await db
        .updateTable('join_tokens')
        .set({ uses_left: row.uses_left - 1 })
        .where('id', '=', row.id)
        .execute();
      return { labels: row.labels as unknown as Record<string, string>, ephemeral: row.ephemeral };
    });

  return {
    async createToken(org: string, wish: TokenWish): Promise<{ id: string; token: string; expiresMs: number }> {
      const id = randomUUID();
      const secret = randomBytes(32).toString('base64url');
      const now = clock.now();
      const expiresMs = now + wish.expiresInHours * 3_600_000;
      await store.within(org, (db) =>
        db
          .insertInto('join_tokens')
          .values({
            id,
            org_id: org,
            secret_hash: hashSecret(secret),
            uses: wish.uses,
            uses_left: wish.uses,
            labels: JSON.stringify(wish.labels),
            ephemeral: wish.ephemeral,
            created_at: new Date(now),
            expires_at: new Date(expiresMs),
          })
          .execute(),
      );
      const token = writeJoinToken({
        v: 1,
        url: hub.publicUrl,
        link: hub.linkAddress,
        ca: authority().fingerprint,
        id,
        secret,
      });
      return { id, token, expiresMs };
    },

    async enrol(request: EnrolRequest): Promise<EnrolReply> {
      const token = readJoinToken(request.token);
      if (!Value.Check(JoinToken, token)) throw problems.tokenForged('Copy the whole token, on one line.');
      const org = await store.orgOfToken(token.id);
      if (org === undefined) throw problems.tokenForged('Make a new one: outrider-hub token create.');
      const agent = randomUUID();
      // Certified first, so that a key of the wrong kind costs no use of the token.
      const certificate = await authority().certifyAgent(request.publicKey, agent, org, given.certificateDays);
      const { labels: ofToken, ephemeral } = await useToken(org, token);
      const labels = { ...request.labels, ...ofToken };
      await store.within(org, (db) =>
        db
          .insertInto('agents')
          .values({
            id: agent,
            org_id: org,
            hostname: request.hostname,
            labels: JSON.stringify(labels),
            ephemeral,
            certificate_serial: certificate.serial,
            certificate_ends: new Date(certificate.endsMs),
            enrolled_at: new Date(clock.now()),
            last_seen: null,
            revoked_at: null,
          })
          .execute(),
      );
      await bus.publish(SUBJECTS.agentEnrolled, org, { agent, name: request.hostname, labels, ephemeral });
      return {
        agentId: agent,
        resourceName: request.hostname,
        certificate: certificate.chain,
        ca: authority().certificate,
        link: hub.linkAddress,
      };
    },

    /** A new certificate for an agent that is connected with a valid one. */
    async renew(org: string, agent: string, publicKey: Uint8Array): Promise<string> {
      const { chain, serial, endsMs } = await authority().certifyAgent(publicKey, agent, org, given.certificateDays);
      const set = { certificate_serial: serial, certificate_ends: new Date(endsMs) };
      await store.within(org, (db) => db.updateTable('agents').set(set).where('id', '=', agent).execute());
      return chain;
    },
  };
}
export type Enrolment = ReturnType<typeof createEnrolment>;
