/**
 * A process of its own that plays many agents for a bench, so that their work is not measured with the hub's. Its parent sends a `LoadOrder`; it answers
 * `ready` once the history is acknowledged, then sends a batch a second for each agent until it is told to stop, and answers with a `LoadReport`.
 */
import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AgentMessageSchema,
  BatchSchema,
  Encoding,
  Kind,
  LogsSchema,
  MetricsSchema,
  TableSchema,
  type HubMessage,
  type Table,
} from '#proto/agent/v1/index.ts';
import { createHash } from 'node:crypto';
import { openSimulated, type SimulatedIdentity } from './simulated-agent.ts';

/** What a process of agents is to do. */
export interface LoadOrder {
  identities: readonly SimulatedIdentity[];
  /** Series and lines of an agent and second. */
  series: number;
  lines: number;
  /** Seconds of history that each agent sends first, and the distance of its samples. */
  historySeconds: number;
  historyStep: number;
}

/** What it did. */
export interface LoadReport {
  batches: number;
  acknowledged: number;
  samples: number;
  lines: number;
  /** Milliseconds from sending to acknowledgement, of live batches. */
  latencies: number[];
  /** Streams that ended before their time, with the reason. */
  ended: string[];
}

/** Series of one name: four names of an answer are forty series. */
const EACH = 10;
const TABLES = 10;
const LIVE = 1;
const BACKFILL = 2;
const EPOCH = 1n;
/** Batches of history on their way at a time. */
const WINDOW = 4;
const HISTORY_BLOCKS = 20;

/** Names as the bench asks for them. */
export const loadName = (index: number): string => `bench.metric.${index}`;

function tablesOf(count: number): Table[] {
  const series = Array.from({ length: count }, (_, index) => ({
    name: loadName(Math.floor(index / EACH)),
    kind: index % 100 < 30 ? Kind.COUNTER : Kind.GAUGE,
    attributes: { part: String(index % EACH) },
  }));
  const each = Math.ceil(count / TABLES);
  return Array.from({ length: TABLES }, (_, index) => {
    const table = create(TableSchema, { series: series.slice(index * each, (index + 1) * each) });
    return { ...table, id: createHash('sha256').update(toBinary(TableSchema, table)).digest().readBigUInt64LE(0) };
  });
}

function playAgent(identity: SimulatedIdentity, order: LoadOrder, report: LoadReport) {
  const tables = tablesOf(order.series);
  const levels = Float64Array.from({ length: order.series }, () => Math.random() * 100);
  const sentAt = new Map<bigint, number>();
  const waiting: { lane: number; seq: bigint; resolve(): void }[] = [];
  let welcome: () => void = () => undefined;
  const welcomed = new Promise<void>((resolve) => (welcome = resolve));
  const received = ({ kind }: HubMessage): void => {
    if (kind.case === 'welcome') welcome();
    if (kind.case === 'refusal') report.ended.push(`${kind.value.code}: ${kind.value.detail}`);
    if (kind.case !== 'ack') return;
    const { lane, seq } = kind.value;
    report.acknowledged += 1;
    const sent = lane === LIVE ? sentAt.get(seq) : undefined;
    if (sent !== undefined) report.latencies.push(performance.now() - sent);
    sentAt.delete(seq);
    for (const one of waiting.filter((each) => each.lane === lane && each.seq <= seq)) one.resolve();
  };
  const stream = openSimulated(identity, EPOCH, received);
  let stopped = false;
  void stream.ended.then((reason) => stopped || report.ended.push(reason));
  let first = true;
  const values = (timeMs: number, from: number, count: number): number[] =>
    Array.from({ length: count }, (_, column) => {
      const at = from + column;
      if (at % 100 < 30) return Math.floor(timeMs / 1000) * (1 + (at % 7));
      // Most of a machine's series stand still; the others have three digits.
      if (at % 4 === 0) levels[at] = Math.round(((levels[at] ?? 0) + Math.random() - 0.5) * 10) / 10;
      return levels[at] ?? 0;
    });
  const blocksAt = (timeMs: number) => {
    let from = 0;
    return tables.map(({ id, series }) => {
      const block = { table: id, timeMs: BigInt(timeMs), values: values(timeMs, from, series.length) };
      from += series.length;
      return block;
    });
  };
  const line = (timeMs: number, n: number): string => {
    const number = Math.floor(timeMs / 1000) * 20 + n;
    const status = number % 97 === 0 ? 502 : 200;
    return `${new Date(timeMs).toISOString()} 10.0.${number % 256}.7 GET /api/v1/orders/${(number * 2_654_435_761) % 4_294_967_296} ${status} ${number % 300}ms`;
  };
  const send = (lane: number, seq: bigint, timesMs: readonly number[]): void => {
    const blocks = timesMs.flatMap(blocksAt);
    const lines = timesMs.flatMap((timeMs) =>
      Array.from({ length: order.lines }, (_, n) => ({
        timeMs: BigInt(timeMs + n),
        level: n === 7 ? 4 : 2,
        text: line(timeMs, n),
        truncated: false,
      })),
    );
    const logs = create(LogsSchema, { chunks: [{ source: '/var/log/app.log', lines }] });
    const value = create(BatchSchema, {
      epoch: EPOCH,
      lane,
      seq,
      encoding: Encoding.GZIP,
      metrics: gzipSync(toBinary(MetricsSchema, create(MetricsSchema, { blocks })), { level: 1 }),
      logs: gzipSync(toBinary(LogsSchema, logs), { level: 1 }),
      tables: first ? tables : [],
    });
    first = false;
    report.batches += 1;
    report.samples += blocks.length === 0 ? 0 : timesMs.length * order.series;
    report.lines += lines.length;
    if (lane === LIVE) sentAt.set(seq, performance.now());
    stream.send(create(AgentMessageSchema, { kind: { case: 'batch', value } }));
  };
  const acknowledged = (lane: number, seq: bigint): Promise<void> =>
    new Promise((resolve) => waiting.push({ lane, seq, resolve }));
  let seq = 0n;
  return {
    async history(untilMs: number): Promise<void> {
      await welcomed;
      const count = Math.floor(order.historySeconds / order.historyStep);
      const times = Array.from({ length: count }, (_, index) => untilMs - (count - index) * order.historyStep * 1000);
      const pending: Promise<void>[] = [];
      let number = 0n;
      for (let at = 0; at < count; at += HISTORY_BLOCKS) {
        number += 1n;
        pending.push(acknowledged(BACKFILL, number));
        send(BACKFILL, number, times.slice(at, at + HISTORY_BLOCKS));
        if (pending.length >= WINDOW) await pending.shift();
      }
      await Promise.all(pending);
    },
    tick: () => send(LIVE, (seq += 1n), [Date.now()]),
    async finish(): Promise<void> {
      if (seq > 0n && sentAt.has(seq)) await Promise.race([acknowledged(LIVE, seq), stream.ended]);
      stopped = true;
      stream.close();
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

async function play(order: LoadOrder): Promise<void> {
  const report: LoadReport = { batches: 0, acknowledged: 0, samples: 0, lines: 0, latencies: [], ended: [] };
  const agents = order.identities.map((identity) => playAgent(identity, order, report));
  const untilMs = Math.floor(Date.now() / 1000) * 1000;
  if (order.historySeconds > 0) await Promise.all(agents.map((agent) => agent.history(untilMs)));
  let stopping = false;
  process.once('message', () => (stopping = true));
  process.send?.('ready');
  const begun = performance.now();
  // Agents are spread over the second.
  const live = agents.map(async (agent, index) => {
    for (let second = 0; !stopping; second++) {
      await pause(begun + second * 1000 + (index * 1000) / agents.length - performance.now());
      if (!stopping) agent.tick();
    }
    await agent.finish();
  });
  await Promise.all(live);
  // A long report is on its way for a while.
  process.send?.(report, () => process.disconnect());
}

if (process.send !== undefined)
  process.once('message', (order) => {
    play(order as LoadOrder).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    });
  });
