/**
 * A process of its own that plays many agents over the agent's own transports, so that their work is not measured with the hub's. Its parent sends a
 * `FleetOrder`; it answers `ready` when all are welcomed, and from then on each sends a batch a second. `begin` starts the count, `end` answers with a
 * `FleetReport`, `stop` ends it.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  HelloSchema,
  Kind,
  Lane,
  LogsSchema,
  MetricsSchema,
  Stream,
  TableSchema,
  type HubMessage,
  type Table,
} from '#proto/agent/v1/index.ts';
import type { LinkSettings } from '../../agent/link/config.ts';
import { transportOf } from '../../agent/link/transports/index.ts';
import type { SimulatedIdentity } from './simulated-agent.ts';

/** What a process of agents is to do. */
export interface FleetOrder {
  identities: readonly SimulatedIdentity[];
  link: LinkSettings;
  /** Series and lines of an agent and second. */
  series: number;
  lines: number;
}

/** What it did between `begin` and `end`. */
export interface FleetReport {
  sent: number;
  acknowledged: number;
  /** Seconds in which an agent sent nothing, because so much was under way: a real one would keep it. */
  held: number;
  /** Batches under way at the end. */
  underWay: number;
  /** Milliseconds from sending to acknowledgement. */
  latencies: number[];
  /** Streams that ended before their time, with the reason. */
  ended: string[];
}

const TABLES = 10;
/** Batches under way, as those of an agent. */
const WINDOW = 32;
const EPOCH = 1n;
/** Agents that connect at a time. */
const AT_A_TIME = 20;

const now = (): number => performance.now();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
const empty = (): FleetReport => ({ sent: 0, acknowledged: 0, held: 0, underWay: 0, latencies: [], ended: [] });

function tablesOf(count: number): Table[] {
  const each = Math.ceil(count / TABLES);
  return Array.from({ length: TABLES }, (_, part) => {
    const series = Array.from({ length: each }, (_entry, index) => ({
      name: `bench.metric.${part * 3 + Math.floor(index / 10)}`,
      kind: index % 10 < 3 ? Kind.COUNTER : Kind.GAUGE,
      attributes: { part: String(index % 10) },
    }));
    const table = create(TableSchema, { series });
    return { ...table, id: createHash('sha256').update(toBinary(TableSchema, table)).digest().readBigUInt64LE(0) };
  });
}

/** What a machine shows in a second: most series stand still, the others have three digits. */
function createMachine({ series, lines }: FleetOrder) {
  const tables = tablesOf(series);
  const levels = tables.map(({ series: of }) => of.map(() => Math.round(Math.random() * 1000) / 10));
  const line = (timeMs: number, n: number): string =>
    `${new Date(timeMs).toISOString()} 10.0.${n}.7 GET /api/v1/orders/${(timeMs * 31 + n) % 1_000_000} 200 ${n * 7}ms`;
  return {
    tables,
    second(timeMs: number): { metrics: Uint8Array; logs: Uint8Array } {
      const blocks = tables.map(({ id }, part) => {
        const values = levels[part] ?? [];
        for (let at = 0; at < values.length; at += 4)
          values[at] = Math.round(((values[at] ?? 0) + Math.random() - 0.5) * 10) / 10;
        return { table: id, timeMs: BigInt(timeMs), values: [...values] };
      });
      const of = Array.from({ length: lines }, (_, n) => ({
        ...{ timeMs: BigInt(timeMs + n), level: 2, truncated: false },
        text: line(timeMs, n),
      }));
      const logs = create(LogsSchema, { chunks: [{ source: '/var/log/app.log', lines: of }] });
      return {
        metrics: gzipSync(toBinary(MetricsSchema, create(MetricsSchema, { blocks })), { level: 1 }),
        logs: lines === 0 ? new Uint8Array() : gzipSync(toBinary(LogsSchema, logs), { level: 1 }),
      };
    },
  };
}

async function playAgent(identity: SimulatedIdentity, order: FleetOrder, report: () => FleetReport) {
  const machine = createMachine(order);
  const sentAt = new Map<bigint, number>();
  let welcome: () => void = () => undefined;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));
  let isOver = false;
  const over = (reason: string): void => {
    if (!isOver) report().ended.push(reason);
    isOver = true;
    welcome();
  };
  const received = ({ kind }: HubMessage): void => {
    if (kind.case === 'welcome') welcome();
    if (kind.case === 'refusal') over(`${kind.value.code}: ${kind.value.detail}`);
    if (kind.case === 'rejected') report().ended.push(`rejected: ${kind.value.code}`);
    if (kind.case !== 'ack') return;
    const at = sentAt.get(kind.value.seq);
    sentAt.delete(kind.value.seq);
    report().acknowledged += 1;
    if (at !== undefined) report().latencies.push(now() - at);
  };
  const wire = await transportOf(order.link, identity.link).open(identity, Stream.LIVE, received);
  void wire.ended.then(over);
  const hello = { protocol: 1, agentVersion: 'fleet', epoch: EPOCH, hostname: identity.resourceName };
  const clockMs = BigInt(Date.now());
  const value = create(HelloSchema, { ...hello, clockMs, stream: Stream.LIVE });
  wire.send(create(AgentMessageSchema, { kind: { case: 'hello', value } }));
  await welcomed;
  let seq = 0n;
  return {
    tick(): void {
      if (isOver) return;
      if (sentAt.size >= WINDOW) return void (report().held += 1);
      seq += 1n;
      const batch = { epoch: EPOCH, lane: Lane.LIVE, seq, encoding: Encoding.GZIP, ...machine.second(Date.now()) };
      sentAt.set(seq, now());
      report().sent += 1;
      const tables = seq === 1n ? machine.tables : [];
      wire.send(
        create(AgentMessageSchema, { kind: { case: 'batch', value: create(BatchSchema, { ...batch, tables }) } }),
      );
    },
    underWay: () => sentAt.size,
    close(): void {
      isOver = true;
      wire.close();
    },
  };
}

async function play(order: FleetOrder): Promise<void> {
  let report = empty();
  const agents: Awaited<ReturnType<typeof playAgent>>[] = [];
  for (let at = 0; at < order.identities.length; at += AT_A_TIME) {
    const some = order.identities.slice(at, at + AT_A_TIME);
    agents.push(...(await Promise.all(some.map((identity) => playAgent(identity, order, () => report)))));
  }
  let isOver = false;
  process.on('message', (word) => {
    if (word === 'begin') report = { ...empty(), ended: report.ended };
    if (word === 'stop') isOver = true;
    if (word !== 'end') return;
    const underWay = agents.reduce((sum, agent) => sum + agent.underWay(), 0);
    process.send?.({ ...report, underWay });
  });
  process.send?.('ready');
  const begun = now();
  // Agents are spread over the second.
  await Promise.all(
    agents.map(async (agent, index) => {
      for (let second = 0; !isOver; second++) {
        await pause(begun + second * 1000 + (index * 1000) / agents.length - now());
        if (!isOver) agent.tick();
      }
      agent.close();
    }),
  );
  process.disconnect();
}

if (process.send !== undefined)
  process.once('message', (order) => {
    play(order as FleetOrder).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  });
