import type { Counter, Gauge, Histogram } from 'prom-client';
import { create } from '@bufbuild/protobuf';
import { HubMessageSchema, type AgentMessage, type Batch, type Hello, type HubMessage } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { Peers } from '../../ports/peers.ts';
import type { Enrolment } from './enrolment.ts';
import { problems } from './errors.ts';
import { openBatch } from './frames.ts';
import type { IngestStore } from './store.ts';

/** The newest protocol that this hub speaks. */
const PROTOCOL = 1;

/** One agent's stream, as the listener hands it over. `pause` and `resume` hold the sender back through the transport. */
export interface Wire {
  org: string;
  agent: string;
  send(message: HubMessage): void;
  end(): void;
  pause(): void;
  resume(): void;
}

/** What a stream calls on its way. */
export interface StreamsGiven {
  bus: Bus;
  peers: Peers;
  store: IngestStore;
  enrolment: Enrolment;
  clock: Clock;
  log: Logger;
  metrics: { batches: Counter; bytes: Counter; refusals: Counter; connected: Gauge; latency: Histogram };
}

interface Acknowledged {
  live: string;
  backfill: string;
}

const message = (kind: HubMessage['kind']): HubMessage => create(HubMessageSchema, { kind });

/** Messages that wait in one stream before its sender is held back. */
const WAITING_LIMIT = 8;

/** What the hub knows of one open stream. */
export interface OpenStream {
  wire: Wire;
  /** Takes the next message; they are worked on one after another. */
  take(message: AgentMessage): void;
  /** Tells the agent why and ends the stream. */
  refuse(problem: Problem): void;
  closed(): void;
}

/** All open streams of this process: one for each agent. */
export function createStreams(given: StreamsGiven) {
  const { bus, peers, clock, log, metrics } = given;
  const open = new Map<string, OpenStream>();
  const revoked = new Set<string>();

  const acknowledgedBy = async (service: string, org: string, agent: string, epoch: bigint): Promise<Acknowledged> =>
    peers.json(service, {
      method: 'GET',
      path: `/internal/${service}/acknowledged`,
      query: `org=${org}&agent=${agent}&epoch=${epoch}`,
    });

  /** What is durable everywhere: the older of what the two owners of data have. */
  const newestDurable = async (org: string, agent: string, epoch: bigint) => {
    const [series, logs] = await Promise.all([
      acknowledgedBy('monitoring', org, agent, epoch),
      acknowledgedBy('logs', org, agent, epoch),
    ]);
    const older = (a: string, b: string): bigint => (BigInt(a) < BigInt(b) ? BigInt(a) : BigInt(b));
    return { live: older(series.live, logs.live), backfill: older(series.backfill, logs.backfill) };
  };

  const openOne = (wire: Wire): OpenStream => {
    const { org, agent } = wire;
    const waiting: AgentMessage[] = [];
    let hello: { epoch: bigint; skewMs: number } | undefined;
    let working = false;
    let over = false;

    const refuse = (problem: Problem): void => {
      if (over) return;
      over = true;
      metrics.refusals.inc({ code: problem.code });
      wire.send(
        message({
          case: 'refusal',
          value: {
            $typeName: 'outrider.agent.v1.Refusal',
            code: problem.code,
            detail: problem.message,
            retry: problem.retryable,
          },
        }),
      );
      wire.end();
    };

    const greet = async (value: Hello): Promise<void> => {
      if (hello !== undefined) throw problems.badFrame('The agent said hello twice.');
      if (value.protocol > PROTOCOL)
        throw problems.newerProtocol(`It speaks ${value.protocol}, this hub ${PROTOCOL}. Upgrade the hub first.`);
      const skewMs = Number(value.clockMs) - clock.now();
      const [row] = await given.store.within(org, (db) =>
        db
          .updateTable('agents')
          .set({ version: value.agentVersion.slice(0, 64), skew_ms: skewMs, last_seen: new Date(clock.now()) })
          .where('id', '=', agent)
          .where('revoked_at', 'is', null)
          .returning('hostname')
          .execute(),
      );
      if (row === undefined)
        throw problems.revoked('An administrator removed it. Enrol it again with a new join token.');
      const { live, backfill } = await newestDurable(org, agent, value.epoch);
      hello = { epoch: value.epoch, skewMs };
      wire.send(
        message({
          case: 'welcome',
          value: {
            $typeName: 'outrider.agent.v1.Welcome',
            agentId: agent,
            resourceName: row.hostname,
            clockMs: BigInt(clock.now()),
            ackedLive: live,
            ackedBackfill: backfill,
          },
        }),
      );
      const connection = {
        agent,
        connected: true,
        atMs: clock.now(),
        version: value.agentVersion,
        inventory: value.inventory,
      };
      await bus.publish(SUBJECTS.agentConnection, org, connection);
    };

    const store = async (batch: Batch): Promise<void> => {
      if (hello === undefined) throw problems.badFrame('The agent sent a batch before its hello.');
      if (batch.epoch !== hello.epoch) throw problems.badFrame('The epoch of a batch is not that of the hello.');
      const started = clock.monotonic();
      const { tables, metrics: samples, logs } = await openBatch(batch);
      const key = { agent, resource: agent, epoch: batch.epoch, lane: batch.lane, seq: batch.seq };
      await bus.publish(SUBJECTS.batchReceived, org, {
        ...key,
        receivedMs: clock.now(),
        skewMs: hello.skewMs,
        tables,
        metrics: samples,
        logs,
      });
      wire.send(
        message({
          case: 'ack',
          value: { $typeName: 'outrider.agent.v1.Ack', epoch: batch.epoch, lane: batch.lane, seq: batch.seq },
        }),
      );
      metrics.batches.inc();
      metrics.bytes.inc(samples.length + logs.length);
      metrics.latency.observe((clock.monotonic() - started) / 1000);
    };

    const handle = async ({ kind }: AgentMessage): Promise<void> => {
      if (kind.case === 'hello') return greet(kind.value);
      if (kind.case === 'batch') return store(kind.value);
      if (kind.case !== 'renew') throw problems.badFrame('The agent sent a message of an unknown kind.');
      const chain = await given.enrolment.renew(org, agent, kind.value.publicKey);
      wire.send(message({ case: 'certificate', value: { $typeName: 'outrider.agent.v1.Certificate', chain } }));
    };

    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined && !over; next = waiting.shift()) {
        if (waiting.length === WAITING_LIMIT - 1) wire.resume();
        await handle(next);
      }
    };

    const fail = (error: unknown): void => {
      if (error instanceof Problem) {
        // A table that the store does not know comes again with a new connection.
        const again = error.retryable || error.code === 'series.unknown-table';
        return refuse(
          again
            ? new Problem(error.code, { status: error.status, title: error.title, retryable: true }, error.message)
            : error,
        );
      }
      log.error('a batch could not be stored; its agent will send it again', { agent, reason: reasonOf(error) });
      refuse(
        new Problem(
          'ingest.not-stored',
          { status: 503, title: 'The hub could not store a batch.', retryable: true },
          'Send it again later.',
        ),
      );
    };

    return {
      wire,
      take(next) {
        if (over) return;
        waiting.push(next);
        if (waiting.length >= WAITING_LIMIT) wire.pause();
        if (working) return;
        working = true;
        work()
          .catch(fail)
          .finally(() => (working = false));
      },
      refuse,
      closed() {
        over = true;
        waiting.length = 0;
      },
    };
  };

  return {
    /** Opens a stream; an older one of the same agent ends. */
    open(wire: Wire): OpenStream {
      const stream = openOne(wire);
      if (revoked.has(wire.agent)) {
        stream.refuse(problems.revoked('An administrator removed it. Enrol it again with a new join token.'));
        return stream;
      }
      open.get(wire.agent)?.refuse(problems.replaced());
      open.set(wire.agent, stream);
      metrics.connected.set(open.size);
      return stream;
    },
    /** To be called when the transport is gone. */
    async close(stream: OpenStream): Promise<void> {
      stream.closed();
      const { org, agent } = stream.wire;
      if (open.get(agent) !== stream) return;
      open.delete(agent);
      metrics.connected.set(open.size);
      await bus.publish(SUBJECTS.agentConnection, org, {
        agent,
        connected: false,
        atMs: clock.now(),
        version: '',
        inventory: {},
      });
    },
    /** Takes the newest list of revoked agents and cuts those off that are connected. */
    revoke(agents: readonly string[]): void {
      revoked.clear();
      for (const agent of agents) {
        revoked.add(agent);
        open.get(agent)?.refuse(problems.revoked('An administrator removed it. Enrol it again with a new join token.'));
      }
    },
    connected: () => new Set(open.keys()),
  };
}
export type Streams = ReturnType<typeof createStreams>;
