/**
 * Prints how fast each series store that can be had takes samples and answers: `npx tsx test/bench/series-stores.ts [agents] [seconds]`. Each agent has
 * 500 series. An hour of history (a sample each 10 s) is stored first, then all agents append batches of a second as fast as they are acknowledged.
 *
 * Once with 20 agents and 15 s on two cores that ten other programs wanted too (load 20): embedded took 80,000 live samples/s, durable after 102 ms (median),
 * and answered 40 series over an hour in 236 ms; InfluxDB 260,000 samples/s, 24 ms, and 2.4 s (14.6 s where ten late pieces had to be gathered first).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSettings, reasonOf, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import type { Static, TObject } from 'typebox';
import type { AdapterDefinition } from '../../hub/adapter.ts';
import { embeddedSeries } from '../../hub/adapters/series/embedded/index.ts';
import { influxSeries } from '../../hub/adapters/series/influx/index.ts';
import type { SeriesIdentity, SeriesStore, SeriesTable } from '../../hub/ports/series.ts';
import { influxdb } from '../services/influxdb.ts';
import { ownName } from '../services/own-name.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const AGENTS = Number(process.argv[2] ?? 20);
const SECONDS = Number(process.argv[3] ?? 20);
const NAMES = 50;
const HOUR_MS = 3_600_000;

const series: SeriesIdentity[] = Array.from({ length: 500 }, (_, index) => ({
  name: `metric.${Math.floor(index / 10)}`,
  kind: index % 100 < 30 ? 'counter' : 'gauge',
  attributes: { part: String(index % 10) },
}));
const tables: SeriesTable[] = Array.from({ length: 10 }, (_, index) => ({
  id: BigInt(index + 1),
  series: series.slice(index * NAMES, (index + 1) * NAMES),
}));
const agents = Array.from({ length: AGENTS }, (_, index) => `agent-${index}`);
const levels = Float64Array.from(series, () => Math.round(Math.random() * 1000) / 10);

function batch(agent: string, seq: bigint, timesMs: readonly number[]) {
  const valueOf = (at: number, timeMs: number): number => {
    if (series[at]?.kind === 'counter') return Math.floor(timeMs / 1000) * (1 + (at % 7));
    // Most of a machine's series stand still.
    if (at % 4 === 0) levels[at] = Math.round(((levels[at] ?? 0) + Math.random() - 0.5) * 10) / 10;
    return levels[at] ?? 0;
  };
  const blocks = timesMs.flatMap((timeMs) =>
    tables.map(({ id }, index) => ({
      table: id,
      timeMs,
      values: Float64Array.from({ length: NAMES }, (_, column) => valueOf(index * NAMES + column, timeMs)),
    })),
  );
  return { resource: agent, key: { agent, epoch: 1n, lane: 1, seq }, tables: seq === 1n ? tables : [], blocks };
}

const quantile = (values: readonly number[], q: number): string =>
  ([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? NaN).toFixed(0);
const spread = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5)}  p95 ${quantile(values, 0.95)}  max ${quantile(values, 1)} ms`;

async function measure(name: string, store: SeriesStore): Promise<void> {
  const now = Date.now();
  let seq = 0n;
  let begun = performance.now();
  const since = (): number => (performance.now() - begun) / 1000;
  for (let at = now - HOUR_MS; at < now; at += 60_000) {
    seq += 1n;
    const times = Array.from({ length: 6 }, (_, index) => at + index * 10_000);
    await Promise.all(agents.map((agent) => store.append(ORG, batch(agent, seq, times))));
  }
  console.log(`${name}: history ${((AGENTS * 500 * 360) / since()).toFixed(0)} samples/s`);
  begun = performance.now();
  const cpu = process.cpuUsage();
  const appends: number[] = [];
  const feed = async (agent: string): Promise<void> => {
    for (let own = seq + 1n; since() < SECONDS; own += 1n) {
      const before = performance.now();
      await store.append(ORG, batch(agent, own, [now + Number(own) * 1000]));
      appends.push(performance.now() - before);
    }
  };
  await Promise.all(agents.map(feed));
  const used = process.cpuUsage(cpu);
  const rate = (appends.length * 500) / since();
  console.log(
    `${name}: live ${rate.toFixed(0)} samples/s, durable after ${spread(appends)}, this process ${((used.user + used.system) / 1e4 / since()).toFixed(0)} % of a core`,
  );
  const queries: number[][] = [[], []];
  for (const [round, figures] of queries.entries())
    for (const [index, resource] of agents.entries()) {
      const names = [1, 2, 3, 4].map((offset) => `metric.${(index * 7 + offset) % NAMES}`);
      const before = performance.now();
      const answer = await store.query(ORG, { resource, names, from: now - HOUR_MS, to: now, step: 10_000, where: {}, by: [] }); // prettier-ignore
      if (answer.length !== 4 || (answer[0]?.times.length ?? 0) < 300)
        throw new Error(`${name}: round ${round} lacks steps`);
      figures.push(performance.now() - before);
    }
  console.log(
    `${name}: 4 names of 10 series, 1 h in steps of 10 s: first ${spread(queries[0] ?? [])}; again ${spread(queries[1] ?? [])}`,
  );
  const { bytes, samples } = await store.usage();
  console.log(`${name}: ${(bytes / samples).toFixed(2)} bytes a sample of ${samples}`);
}

async function run<Schema extends TObject>(
  definition: AdapterDefinition<SeriesStore, Schema>,
  settings: Record<string, unknown>,
): Promise<void> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'outrider-bench-series-'));
  const config = checkSettings(definition.config, settings, []) as Static<Schema>;
  const rest = { log: silentLogger, clock: systemClock, metrics: new Registry(), fail: () => undefined };
  const given = { config, dataFolder, ...rest };
  const adapter: Component & { port: SeriesStore } = definition.create(given);
  await adapter.start?.();
  try {
    await measure(definition.name, adapter.port);
  } finally {
    await adapter.stop?.();
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

await run(embeddedSeries, {});
try {
  const server = await (await influxdb.find()).start();
  await run(influxSeries, { ...server.address, bucket: ownName('bench') }).finally(() => server.stop());
} catch (error) {
  console.log(`influx: ${reasonOf(error)}`);
}
