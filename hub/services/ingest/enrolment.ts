import { randomUUID } from 'node:crypto';
import { JoinToken, readJoinToken, type EnrolReply, type EnrolRequest } from '#proto/enrolment.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { Value } from 'typebox/value';
import type { Bus } from '../../ports/bus.ts';
import type { HubFacts } from '../../service.ts';
import type { Agents } from './agents.ts';
import type { Authority } from './authority.ts';
import { problems } from './errors.ts';
import { ANOTHER, type JoinTokens } from './join-tokens.ts';
import type { IngestStore } from './store.ts';

/** What enrolment stands on. */
export interface EnrolmentGiven {
  store: IngestStore;
  tokens: JoinTokens;
  agents: Agents;
  authority(): Authority;
  bus: Bus;
  hub: HubFacts;
  certificateDays: number;
}

/** How agents get their certificates: the first for a join token, later ones over their stream. */
export function createEnrolment(given: EnrolmentGiven) {
  const { store, tokens, agents, authority, bus, hub, certificateDays } = given;
  return {
    async enrol({ token: text, publicKey, hostname, labels: own }: EnrolRequest): Promise<EnrolReply> {
      const token = readJoinToken(text);
      if (!Value.Check(JoinToken, token)) throw problems.tokenForged('Copy the whole token, on one line.');
      const org = await store.orgOfToken(token.id);
      if (org === undefined) throw problems.tokenForged(ANOTHER);
      const id = randomUUID();
      // Certified first, so that a key of the wrong kind costs no use of the token.
      const certificate = await authority().certifyAgent(publicKey, id, org, certificateDays);
      const { labels: ofToken, ephemeral } = await tokens.use(org, token);
      const labels = { ...own, ...ofToken };
      await agents.add(org, { id, hostname, labels, ephemeral, certificate });
      await bus.publish(SUBJECTS.agentEnrolled, org, { agent: id, name: hostname, labels, ephemeral });
      return {
        agentId: id,
        resourceName: hostname,
        certificate: certificate.chain,
        ca: authority().certificate,
        link: hub.linkAddress,
      };
    },

    /** A new certificate for an agent that is connected with a valid one. */
    async renew(org: string, agent: string, publicKey: Uint8Array): Promise<string> {
      const certificate = await authority().certifyAgent(publicKey, agent, org, certificateDays);
      await agents.certified(org, agent, certificate);
      return certificate.chain;
    },
  };
}
export type Enrolment = ReturnType<typeof createEnrolment>;
