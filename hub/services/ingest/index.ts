import { SUBJECTS } from '#proto/subjects.ts';
import { reasonOf, type Cancel } from '#sdk';
import { defineService } from '../../service.ts';
import { createAgents } from './agents.ts';
import { createAuthority, openAuthority, type Authority } from './authority.ts';
import { IngestConfig } from './config.ts';
import { createEnrolment } from './enrolment.ts';
import { createJoinTokens } from './join-tokens.ts';
import { startListener, type AgentListener } from './listener.ts';
import { createMetrics } from './metrics.ts';
import { agentRoutes } from './routes/agents.ts';
import { internalRoutes } from './routes/internal.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { createStore } from './store.ts';
import { createStreams } from './streams.ts';

/** A revocation that another process made is seen after at most this time, milliseconds. */
const REVOCATION_MS = 5_000;

/** Takes in what agents send, and lets agents in. */
export const ingest = defineService({
  name: 'ingest',
  summary: 'Enrols agents, and takes in what they send over mutual TLS.',
  needs: ['relational', 'bus', 'peers'],
  config: IngestConfig,
  create({ config, ports, clock, log, hub, metrics: registry }) {
    const { bus, peers } = ports;
    const { certificateDays } = config;
    const store = createStore(ports.relational);
    let opened: Authority | undefined;
    let listener: AgentListener | undefined;
    const ends: Cancel[] = [];
    const authority = (): Authority => {
      if (opened === undefined) throw new Error('the authority is not open: the service has not started');
      return opened;
    };
    const agents = createAgents({ store, clock });
    const tokens = createJoinTokens({ store, authority, clock, hub });
    const enrolment = createEnrolment({ store, tokens, agents, authority, bus, hub, certificateDays });
    const streams = createStreams({ bus, peers, agents, enrolment, clock, log, metrics: createMetrics(registry) });
    const cutOff = async (): Promise<void> => streams.revoke(await store.revokedAgents());
    const cutOffNow = (): void =>
      void cutOff().catch((error: unknown) =>
        log.warn('revoked agents could not be read; it is tried again', { reason: reasonOf(error) }),
      );
    return {
      routes(app) {
        tokenRoutes(app, tokens);
        agentRoutes(app, { agents, enrolment, streams, cutOff });
        internalRoutes(app, { tokens, authority, hostnames: hub.hostnames, peers });
      },
      async start() {
        await store.migrate();
        if ((await store.readAuthority()) === undefined) await store.keepAuthority(await createAuthority(clock.now()));
        const files = await store.readAuthority();
        if (files === undefined) throw new Error('the authority was not kept');
        opened = await openAuthority(files, () => clock.now());
        await cutOff();
        ends.push(
          bus.subscribe(SUBJECTS.resourceDeleted, 'ingest', async (org, { resource }) => {
            await agents.revoke(org, resource);
            await cutOff();
          }),
          clock.every(REVOCATION_MS, cutOffNow),
        );
        const server = await opened.certifyHub(hub.hostnames);
        const { certificate: ca } = opened;
        listener = await startListener({ host: hub.listen, port: config.port, ca, server, streams, log });
      },
      async stop() {
        for (const end of ends.splice(0)) end();
        await listener?.stop();
      },
    };
  },
});
