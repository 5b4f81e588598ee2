/**
 * Prints what the embedded series store does while a hundred agents send 500 samples a second each: `npx tsx test/bench/series.ts [seconds]`.
 * An hour of history (a sample each 10 s) is stored first, so that queries have an hour to read.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock, type Clock } from '#sdk';
import { openDatabase } from '../../hub/adapters/duckdb/database.ts';
import { openSeriesStore, type EmbeddedSeriesStore } from '../../hub/adapters/series/embedded/store.ts';
import type { SeriesIdentity, SeriesTable } from '../../hub/ports/series.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const AGENTS = 100;
const NAMES = 50;
const EACH = 10;
const SECONDS = Number(process.argv[2] ?? 60);
const QUERIES_A_SECOND = 7;
const HISTORY_S = 3600;
/** Seconds between two samples of the history: 1 takes three minutes to store. */
const HISTORY_STEP_S = Number(process.argv[3] ?? 10);

/** Step of the queries over an hour, seconds. */
const STEP_S = Number(process.argv[4] ?? 10);

/** While history is stored, five minutes pass in a moment, for upkeep too. */
let skipped = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped };

const quantile = (values: readonly number[], q: number): string => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN).toFixed(1);
};
const spread = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5)}  p95 ${quantile(values, 0.95)}  p99 ${quantile(values, 0.99)}  max ${quantile(values, 1)} ms  (${values.length})`;

const series: SeriesIdentity[] = Array.from({ length: NAMES * EACH }, (_, index) => ({
  name: `metric.${Math.floor(index / EACH)}`,
  kind: index % 100 < 30 ? 'counter' : 'gauge',
  attributes: { part: String(index % EACH) },
}));
/** Like a machine's: a dozen tables, one for each collector. */
const tables: SeriesTable[] = Array.from({ length: 10 }, (_, index) => ({
  id: BigInt(index + 1),
  series: series.slice(index * NAMES, (index + 1) * NAMES),
}));
const agents = Array.from({ length: AGENTS }, (_, index) => `agent-${index}`);
const levels = Float64Array.from(series, () => Math.random() * 100);

function batch(agent: string, seq: bigint, timesMs: readonly number[]) {
  const blocks = timesMs.flatMap((timeMs) =>
    tables.map(({ id }, index) => ({
      table: id,
      timeMs,
      // Most of a machine's series stand still; the others have three digits.
      values: Float64Array.from({ length: NAMES }, (_, column) => {
        const at = index * NAMES + column;
        if (series[at]?.kind === 'counter') return Math.floor(timeMs / 1000) * (1 + (at % 7));
        if (at % 4 === 0) levels[at] = Math.round(((levels[at] ?? 0) + Math.random() - 0.5) * 10) / 10;
        return levels[at] ?? 0;
      }),
    })),
  );
  return { resource: agent, key: { agent, epoch: 1n, lane: 1, seq }, tables: seq === 1n ? tables : [], blocks };
}

async function fill(store: EmbeddedSeriesStore, nowMs: number): Promise<void> {
  const begun = performance.now();
  let seq = 0n;
  const eachMs = HISTORY_STEP_S * 30_000;
  for (let at = nowMs - HISTORY_S * 1000; at < nowMs; at += eachMs) {
    seq += 1n;
    const times = Array.from({ length: 30 }, (_, index) => at + index * HISTORY_STEP_S * 1000);
    for (let first = 0; first < AGENTS; first += 10)
      await Promise.all(agents.slice(first, first + 10).map((agent) => store.append(ORG, batch(agent, seq, times))));
    skipped += eachMs;
    await store.upkeep();
  }
  const { samples } = await store.usage();
  console.log(`history: ${samples} samples in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

async function load(store: EmbeddedSeriesStore): Promise<void> {
  const figures = {
    append: [] as number[],
    query: [] as number[],
    raw: [] as number[],
    upkeep: [] as number[],
    behind: 0,
    wal: 0,
  };
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  const cpu = process.cpuUsage();
  const timed = async (into: number[], work: Promise<unknown>): Promise<void> => {
    const before = performance.now();
    await work;
    into.push(performance.now() - before);
  };
  const sendFor = async (agent: string, index: number): Promise<void> => {
    // Agents are spread over the second and send their next batch when the last one is acknowledged.
    for (let second = 0; second < SECONDS; second++) {
      const wait = begun + second * 1000 + (index * 1000) / AGENTS - performance.now();
      if (wait > 0) await systemClock.sleep(wait);
      else figures.behind = Math.max(figures.behind, -wait);
      await timed(figures.append, store.append(ORG, batch(agent, BigInt(1000 + second), [Date.now()])));
    }
  };
  const ask = async (): Promise<void> => {
    for (let count = 0; count < SECONDS * QUERIES_A_SECOND; count++) {
      await systemClock.sleep(begun + (count * 1000) / QUERIES_A_SECOND - performance.now());
      const now = Date.now();
      const names = [1, 2, 3, 4].map((offset) => `metric.${(count * 7 + offset) % NAMES}`);
      const query = { resource: agents[count % AGENTS] ?? '', names, to: now, where: {}, by: [] };
      const live = count % 10 === 9;
      const range = live ? { from: now - 300_000, step: 1000 } : { from: now - 3_600_000, step: STEP_S * 1000 };
      await timed(live ? figures.raw : figures.query, store.query(ORG, { ...query, ...range }));
    }
  };
  const keep = async (): Promise<void> => {
    for (let at = 10; at <= SECONDS; at += 10) {
      await systemClock.sleep(begun + at * 1000 - performance.now());
      const wal = statSync(join(folder, 'hot.duckdb.wal'), { throwIfNoEntry: false })?.size ?? 0;
      figures.wal = Math.max(figures.wal, wal);
      await timed(figures.upkeep, store.upkeep());
    }
  };
  loop.enable();
  await Promise.all([...agents.map(sendFor), ask(), keep()]);
  loop.disable();
  const used = process.cpuUsage(cpu);
  const rate = (figures.append.length * NAMES * EACH) / ((performance.now() - begun) / 1000);
  console.log(`load: ${rate.toFixed(0)} samples/s for ${SECONDS} s, at most ${figures.behind.toFixed(0)} ms behind`);
  console.log(`append to durable   ${spread(figures.append)}`);
  console.log(`query 4 names, 1 h  ${spread(figures.query)}`);
  console.log(`query 4 names, 5 min at 1 s  ${spread(figures.raw)}`);
  console.log(`upkeep              ${spread(figures.upkeep)}`);
  console.log(`write-ahead log at most ${(figures.wal / 1e6).toFixed(0)} MB`);
  const ms = (ns: number): string => (ns / 1e6).toFixed(1);
  console.log(
    `event loop delay    p50 ${ms(loop.percentile(50))}  p99 ${ms(loop.percentile(99))}  p99.9 ${ms(loop.percentile(99.9))}  max ${ms(loop.max)} ms`,
  );
  console.log(
    `CPU ${((used.user + used.system) / 1e4 / SECONDS).toFixed(0)} % of a core, RSS ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-series-'));
try {
  const database = await openDatabase({ folder, memoryMb: 256, threads: 2 });
  const store = await openSeriesStore(database, clock);
  await fill(store, Date.now());
  await load(store);
  const files = await database.read('SELECT tbl, count(*), sum(rows), sum(bytes) / sum(rows) FROM sealed GROUP BY tbl');
  for (const [table, count, rows, bytes] of files)
    console.log(
      `sealed ${String(table)}: ${String(count)} files, ${String(rows)} rows, ${Number(bytes).toFixed(2)} bytes each`,
    );
  await store.drain();
  database.close();
  const reopened = performance.now();
  const again = await openDatabase({ folder, memoryMb: 256, threads: 2 });
  await openSeriesStore(again, clock);
  console.log(
    `reopen ${(performance.now() - reopened).toFixed(0)} ms, ${((await again.read('SELECT count(*) FROM raw'))[0] ?? []).join()} hot rows`,
  );
  again.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
