import type { Counter, Histogram } from 'prom-client';
import { Encoding, Lane, Stream, type Batch, type Hello, type HubMessage } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { Problem, type Clock } from '#sdk';
import type { Bus } from '../../ports/bus.ts';
import type { Peers } from '../../ports/peers.ts';
import type { Agents } from './agents.ts';
import type { Connections } from './connections.ts';
import { problems } from './errors.ts';
import type { Clocks } from './clocks.ts';
import { canUnpack, openBatch, openTables } from './frames.ts';
import { hubMessage } from './stream.ts';

/** The newest protocol that this hub speaks. */
const PROTOCOL = 1;
/** What a revoked agent is told. */
export const REVOKED = 'An administrator removed it. Enrol it again with a new join token.';

/** What taking in calls on its way. */
export interface TakingGiven {
  bus: Bus;
  peers: Peers;
  agents: Agents;
  connections: Connections;
  clocks: Clocks;
  clock: Clock;
  metrics: { batches: Counter; bytes: Counter; latency: Histogram };
}

/** Whose message it is: from a certificate or a subject, never from a body. */
export interface Sender {
  org: string;
  agent: string;
}

interface Acknowledged {
  live: string;
  backfill: string;
}

/** Nothing that anybody has. */
const NOTHING: Acknowledged = { live: '0', backfill: '0' };

/**
 * What is durable everywhere: the oldest of what the owners of data have. While predictions does not answer, nothing is: agents come in all the same and send
 * again what they still hold. A hub without it, as in the middle of an upgrade, keeps no events.
 */
async function newestDurable(peers: Peers, { org, agent }: Sender, epoch: bigint) {
  const query = `org=${org}&agent=${agent}&epoch=${epoch}`;
  const by = (service: string): Promise<Acknowledged> =>
    peers.json(service, { method: 'GET', path: `/internal/${service}/acknowledged`, query });
  const events = by('predictions').catch((error: unknown) =>
    error instanceof Problem && error.code === 'peers.unknown-service' ? undefined : NOTHING,
  );
  const owners = await Promise.all([by('monitoring'), by('logs'), events]);
  const oldest = (lane: keyof Acknowledged): bigint =>
    owners.flatMap((one) => (one === undefined ? [] : [BigInt(one[lane])])).reduce((a, b) => (a < b ? a : b));
  return { live: oldest('live'), backfill: oldest('backfill') };
}

/** A clock that begins in 1970 is off by less than this; no honest one is by more. */
const MOST_SKEW_MS = 1e13;

/** How far the agent's clock was ahead of the hub's; 0 when it never asked. */
function skewOf({ skewMs = 0n }: Batch): number {
  if (Math.abs(Number(skewMs)) > MOST_SKEW_MS) throw problems.badFrame('A batch names a skew that no clock has.');
  return Number(skewMs);
}

const subjectFor = ({ lane }: Batch) => (lane === Lane.BACKFILL ? SUBJECTS.backfillReceived : SUBJECTS.batchReceived);

/** What ingest does with what agents say, by whatever transport it came. */
export function createTaking({ bus, peers, agents, connections, clocks, clock, metrics }: TakingGiven) {
  return {
    /** Lets an agent in; gives the answer. */
    async greet(sender: Sender, value: Hello): Promise<HubMessage> {
      const { org, agent } = sender;
      if (value.protocol > PROTOCOL)
        throw problems.newerProtocol(`It speaks ${value.protocol}, this hub ${PROTOCOL}. Upgrade the hub first.`);
      const { epoch, agentVersion: version } = value;
      const skewMs = Number(value.clockMs) - clock.now();
      // In the one statement that is made anyway: what waits here makes the batches behind it late.
      const mark = value.stream === Stream.BACKFILL ? {} : connections.mark();
      const resourceName = await agents.welcome(org, agent, { version, skewMs, mark });
      if (resourceName === undefined) throw problems.revoked(REVOKED);
      const { live, backfill } = await newestDurable(peers, sender, epoch);
      return hubMessage({
        case: 'welcome',
        value: {
          $typeName: 'outrider.agent.v1.Welcome',
          agentId: agent,
          resourceName,
          clockMs: BigInt(clock.now()),
          ackedLive: live,
          ackedBackfill: backfill,
          encodings: [Encoding.GZIP, Encoding.ZSTD].filter(canUnpack),
          detection: true,
        },
      });
    },
    /** Says on the bus that an agent has come. */
    async connected({ org, agent }: Sender, { agentVersion: version, inventory }: Hello): Promise<void> {
      await bus.publish(SUBJECTS.agentConnection, org, {
        agent,
        connected: true,
        atMs: clock.now(),
        version,
        inventory,
      });
    },
    /** Says on the bus that an agent is gone. */
    async gone({ org, agent }: Sender): Promise<void> {
      const news = { agent, connected: false, atMs: clock.now(), version: '', inventory: {} };
      await bus.publish(SUBJECTS.agentConnection, org, news);
      await connections.left(org, agent);
    },
    /** Unpacks a batch within bounds and publishes it; resolves when it cannot be lost any more. */
    async take({ org, agent }: Sender, batch: Batch): Promise<void> {
      const { epoch, lane, seq } = batch;
      const started = clock.monotonic();
      const opened = await openBatch(batch);
      const skewMs = skewOf(batch);
      await clocks.note({ org, agent }, { lane, skewMs });
      const key = { agent, resource: agent, epoch, lane, seq };
      await bus.publish(subjectFor(batch), org, { ...key, receivedMs: clock.now(), skewMs, ...opened });
      metrics.batches.inc();
      metrics.bytes.inc(opened.metrics.length + opened.logs.length);
      metrics.latency.observe((clock.monotonic() - started) / 1000);
    },
    /** Takes of a batch that cannot be stored what later ones need: its tables, and that its number is over. */
    async settle({ org, agent }: Sender, batch: Batch): Promise<void> {
      const { epoch, lane, seq } = batch;
      const key = { agent, resource: agent, epoch, lane, seq };
      const nothing = { tables: openTables(batch), metrics: new Uint8Array(), logs: new Uint8Array() };
      await bus.publish(subjectFor(batch), org, { ...key, receivedMs: clock.now(), skewMs: 0, ...nothing });
    },
    /** The hub's clock, for who asks. */
    pong: (id: bigint): HubMessage =>
      hubMessage({ case: 'pong', value: { $typeName: 'outrider.agent.v1.Pong', id, clockMs: clock.now() } }),
  };
}
export type Taking = ReturnType<typeof createTaking>;
