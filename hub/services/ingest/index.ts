import { SUBJECTS } from '#proto/subjects.ts';
import { reasonOf, type Cancel } from '#sdk';
import { Counter, Gauge, Histogram } from 'prom-client';
import { defineService } from '../../service.ts';
import { createAuthority, openAuthority, type Authority } from './authority.ts';
import { IngestConfig } from './config.ts';
import { createEnrolment } from './enrolment.ts';
import { startListener, type AgentListener } from './listener.ts';
import { ingestRoutes } from './routes/agents.ts';
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
  create({ config, ports, clock, log, hub, metrics: registers }) {
    const { bus, peers } = ports;
    const store = createStore(ports.relational);
    let opened: Authority | undefined;
    let listener: AgentListener | undefined;
    const ends: Cancel[] = [];
    const authority = (): Authority => {
      if (opened === undefined) throw new Error('the authority is not open: the service has not started');
      return opened;
    };
    const enrolment = createEnrolment({ store, authority, bus, clock, hub, certificateDays: config.certificateDays });
    const registered = { registers: [registers] };
    const streams = createStreams({
      bus,
      peers,
      store,
      enrolment,
      clock,
      log,
      metrics: {
        batches: new Counter({
          name: 'outrider_ingest_batches_total',
          help: 'Batches that were stored or had been before.',
          ...registered,
        }),
        bytes: new Counter({ name: 'outrider_ingest_bytes_total', help: 'Bytes of batches, unpacked.', ...registered }),
        refusals: new Counter({
          name: 'outrider_ingest_refusals_total',
          help: 'Streams that were refused, by code.',
          labelNames: ['code'],
          ...registered,
        }),
        connected: new Gauge({ name: 'outrider_ingest_agents', help: 'Agents that are connected.', ...registered }),
        latency: new Histogram({
          name: 'outrider_ingest_acknowledge_seconds',
          help: 'Time from a batch’s arrival to its acknowledgement.',
          buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
          ...registered,
        }),
      },
    });
    const cutOff = async (): Promise<void> => streams.revoke(await store.revokedAgents());
    return {
      routes: (app) =>
        ingestRoutes(app, { store, enrolment, streams, authority, hostnames: hub.hostnames, clock, peers, cutOff }),
      async start() {
        await store.migrate();
        if ((await store.readAuthority()) === undefined) await store.keepAuthority(await createAuthority(clock.now()));
        const files = await store.readAuthority();
        if (files === undefined) throw new Error('the authority was not kept');
        opened = await openAuthority(files, () => clock.now());
        await cutOff();
        ends.push(
          bus.subscribe(SUBJECTS.resourceDeleted, 'ingest', async (org, { resource }) => {
            const set = { revoked_at: new Date(clock.now()) };
            await store.within(org, (db) => db.updateTable('agents').set(set).where('id', '=', resource).execute());
            await cutOff();
          }),
          clock.every(REVOCATION_MS, () => {
            cutOff().catch((error: unknown) =>
              log.warn('revoked agents could not be read; it is tried again', { reason: reasonOf(error) }),
            );
          }),
        );
        const server = await opened.certifyHub(hub.hostnames);
        listener = await startListener({
          host: hub.listen,
          port: config.port,
          ca: opened.certificate,
          server,
          streams,
          log,
        });
      },
      async stop() {
        for (const end of ends.splice(0)) end();
        await listener?.stop();
      },
    };
  },
});
