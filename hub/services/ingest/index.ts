import { SUBJECTS } from '#proto/subjects.ts';
import { reasonOf, type Cancel, type Clock, type Logger } from '#sdk';
import { defineService } from '../../service.ts';
import { createAgents } from './agents.ts';
import { createClocks } from './clocks.ts';
import { createAuthority, openAuthority, type Authority } from './authority.ts';
import { IngestConfig } from './config.ts';
import { createConnections, SAY_MS } from './connections.ts';
import { createEnrolment } from './enrolment.ts';
import { createJoinTokens } from './join-tokens.ts';
import { createDetectionDelivery } from './detection/delivery.ts';
import { startListener, type AgentListener } from './listener.ts';
import { createMetrics } from './metrics.ts';
import { startNatsAgents, type NatsAgents } from './nats/index.ts';
import { makeSeeds, serverSettings, type NatsSeeds } from './nats/keys.ts';
import { agentRoutes } from './routes/agents.ts';
import { internalRoutes } from './routes/internal.ts';
import { settingsRoutes } from './routes/settings.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { createPushedSettings } from './settings/index.ts';
import { createStore, type IngestStore } from './store.ts';
import { createStreams } from './streams.ts';
import { createTaking } from './taking.ts';

/** A revocation that another process made is seen after at most this time, milliseconds. */
const REVOCATION_MS = 5_000;

/** What another process decided to send to agents of this one is sent after at most this time, milliseconds. */
const DELIVERY_MS = 3_000;

/** The keys by which NATS servers know this installation; made when there are none. */
async function seedsOf(store: IngestStore): Promise<NatsSeeds> {
  if ((await store.readNatsSeeds()) === undefined) await store.keepNatsSeeds(makeSeeds());
  const kept = await store.readNatsSeeds();
  if (kept === undefined) throw new Error('the keys for NATS were not kept');
  return kept;
}

const natsSettings = (store: IngestStore) => async (): Promise<string> => serverSettings(await seedsOf(store));

/** Work that is done again and again, so many milliseconds apart: what fails is told in these words. */
const repeat = (
  { clock, log }: { clock: Clock; log: Logger },
  works: readonly (readonly [everyMs: number, work: () => Promise<void>, words: string])[],
): Cancel[] =>
  works.map(([everyMs, work, words]) =>
    clock.every(everyMs, () => void work().catch((error: unknown) => log.warn(words, { reason: reasonOf(error) }))),
  );

/** Takes in what agents send, and lets agents in. */
export const ingest = defineService({
  name: 'ingest',
  summary: 'Enrols agents, and takes in what they send over mutual TLS.',
  needs: ['relational', 'bus', 'peers'],
  config: IngestConfig,
  create({ config, ports, clock, log, hub, metrics: registry }) {
    const { bus, peers } = ports;
    const store = createStore(ports.relational);
    let opened: Authority | undefined;
    let listener: AgentListener | undefined;
    let natsAgents: NatsAgents | undefined;
    const ends: Cancel[] = [];
    const authority = (): Authority => {
      if (opened === undefined) throw new Error('the authority is not open: the service has not started');
      return opened;
    };
    const agents = createAgents({ store, clock });
    const tokens = createJoinTokens({ store, authority, clock, hub });
    const enrolment = createEnrolment({ store, tokens, agents, authority, bus, hub, ...config });
    const metrics = createMetrics(registry);
    const clocks = createClocks({ store, clock });
    const connections = createConnections({ store, clock, doors: () => agentsDoors() });
    const taking = createTaking({ bus, peers, agents, connections, clocks, clock, metrics });
    const agentsDoors = () => [streams, ...(natsAgents === undefined ? [] : [natsAgents])];
    const { delivery, ...pushed } = createPushedSettings({ store, clock, log, agents: agentsDoors });
    const detection = createDetectionDelivery({ peers, log, agents: agentsDoors });
    const streams = createStreams({ taking, enrolment, delivery, detection, log, metrics });
    const cutOff = async (): Promise<void> => {
      const revoked = await store.revokedAgents();
      streams.revoke(revoked);
      await natsAgents?.revoke(revoked);
    };
    const beginNats = async (ca: string): Promise<void> => {
      if (config.nats.servers.length === 0) return;
      natsAgents = startNatsAgents({
        ...{ config: config.nats, seeds: await seedsOf(store), ca, taking, enrolment, delivery, detection },
        isAllowed: ({ org, agent }) => agents.isAllowed(org, agent),
        isRevoked: streams.isRevoked,
        clock,
        log,
        metrics,
      });
    };
    return {
      routes(app) {
        tokenRoutes(app, tokens);
        agentRoutes(app, { agents, clocks, enrolment, cutOff });
        settingsRoutes(app, pushed);
        internalRoutes(app, { tokens, authority, hostnames: hub.hostnames, peers, natsSettings: natsSettings(store) });
      },
      async start() {
        await store.migrate();
        if ((await store.readAuthority()) === undefined) await store.keepAuthority(await createAuthority(clock.now()));
        const files = await store.readAuthority();
        if (files === undefined) throw new Error('the authority was not kept');
        opened = await openAuthority(files, () => clock.now());
        await cutOff();
        ends.push(
          bus.subscribe(SUBJECTS.resourceDeleted, 'ingest', (org, { resource }) =>
            agents.revoke(org, resource).then(cutOff),
          ),
          ...repeat({ clock, log }, [
            [REVOCATION_MS, cutOff, 'revoked agents could not be read; it is tried again'],
            [SAY_MS, connections.renew, 'who is connected could not be written down; it is tried again'],
            [DELIVERY_MS, delivery.deliver, 'pushed settings could not be sent; it is tried again'],
            [DELIVERY_MS, detection.deliver, 'what agents detect by could not be sent; it is tried again'],
          ]),
        );
        const [server, ca] = [await opened.certifyHub(hub.hostnames), opened.certificate];
        await beginNats(ca);
        listener = await startListener({ host: hub.listen, port: config.port, ca, server, streams, log });
      },
      check: async () => natsAgents?.check(),
      async stop() {
        for (const end of ends.splice(0)) end();
        await Promise.all([listener?.stop(), natsAgents?.stop()]);
      },
    };
  },
});
