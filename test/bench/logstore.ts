/**
 * Prints what the embedded log store does while a hundred agents send 20 lines a second each: `npx tsx test/bench/logstore.ts [seconds]`.
 * An hour of that, 7.2 million lines, is stored first, so that searches have something to read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock, type Clock } from '#sdk';
import { openDatabase } from '../../hub/adapters/duckdb/database.ts';
import { openLogStore, type EmbeddedLogStore } from '../../hub/adapters/logstore/embedded/store.ts';
import type { LogFilter, LogLineWrite } from '../../hub/ports/logstore.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const AGENTS = 100;
const LINES = 20;
const SECONDS = Number(process.argv[2] ?? 30);
const HISTORY_S = 3600;
/** Seconds of history in one batch. */
const AT_ONCE_S = 60;

const quantile = (values: readonly number[], q: number): string => {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN).toFixed(1);
};
const spread = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5)}  p95 ${quantile(values, 0.95)}  max ${quantile(values, 1)} ms  (${values.length})`;

/** While history is stored, minutes pass in a moment, for upkeep too. */
let skipped = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped };

const agents = Array.from({ length: AGENTS }, (_, index) => `agent-${index}`);
const PATHS = ['/api/v1/orders', '/api/v1/carts', '/healthz', '/static/app.js'];
let count = 0;

function line(timeMs: number): LogLineWrite {
  count += 1;
  const path = PATHS[count % PATHS.length];
  const status = count % 97 === 0 ? 502 : 200;
  const text = `${new Date(timeMs).toISOString()} 10.0.${count % 256}.${(count * 7) % 256} GET ${path}/${(count * 2_654_435_761) % 4_294_967_296} ${status} ${count % 300}ms`;
  return {
    timeMs,
    level: status === 200 ? 2 : 4,
    source: count % 3 === 0 ? '/var/log/syslog' : '/var/log/app.log',
    text: count === 1_000_000 ? `${text} NeedleInTheHay` : text,
    truncated: false,
  };
}

const batch = (agent: string, seq: bigint, timesMs: readonly number[]) => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq },
  lines: timesMs.flatMap((timeMs) => Array.from({ length: LINES }, (_, index) => line(timeMs + index * 40))),
});

async function fill(store: EmbeddedLogStore, nowMs: number): Promise<void> {
  const begun = performance.now();
  let seq = 0n;
  for (let at = nowMs - HISTORY_S * 1000; at < nowMs; at += AT_ONCE_S * 1000) {
    seq += 1n;
    const times = Array.from({ length: AT_ONCE_S }, (_, index) => at + index * 1000);
    await Promise.all(agents.map((agent) => store.append(ORG, batch(agent, seq, times))));
    skipped += AT_ONCE_S * 1000;
    await store.upkeep();
  }
  const { lines, bytes } = await store.usage();
  const seconds = (performance.now() - begun) / 1000;
  console.log(`history: ${lines} lines in ${seconds.toFixed(1)} s, ${(bytes / lines).toFixed(1)} bytes each on disk`);
}

/** What people look for; each over the last hour. */
const SEARCHES: Readonly<Record<string, Partial<LogFilter>>> = {
  'newest of all': {},
  'newest of a host': { resources: ['agent-7'] },
  'errors of a host': { resources: ['agent-7'], levels: [4, 5] },
  'common substring': { text: 'ORDERS' },
  'rare substring': { text: 'needleinthehay' },
  'rare substring of a host': { text: '502', resources: ['agent-9'], source: '/var/log/syslog' },
};

async function load(store: EmbeddedLogStore): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 1 });
  const begun = performance.now();
  const append: number[] = [];
  const answers = new Map<string, number[]>();
  const timed = async <T>(name: string, work: Promise<T>): Promise<T> => {
    const before = performance.now();
    const answer = await work;
    answers.set(name, [...(answers.get(name) ?? []), performance.now() - before]);
    return answer;
  };
  const sendFor = async (agent: string, index: number): Promise<void> => {
    for (let second = 0; second < SECONDS; second++) {
      await systemClock.sleep(begun + second * 1000 + (index * 1000) / AGENTS - performance.now());
      const before = performance.now();
      await store.append(ORG, batch(agent, BigInt(1000 + second), [Date.now()]));
      append.push(performance.now() - before);
    }
  };
  const ask = async (): Promise<void> => {
    const names = Object.keys(SEARCHES);
    for (let turn = 0; turn < SECONDS * 2; turn++) {
      await systemClock.sleep(begun + turn * 500 - performance.now());
      const name = names[turn % names.length] ?? '';
      const filter = { from: Date.now() - 3_600_000, to: Date.now(), ...SEARCHES[name] };
      const { lines } = await timed(name, store.search(ORG, filter, { limit: 100, offset: 0 }));
      if (turn % 6 === 0) await timed('histogram of an hour', store.histogram(ORG, filter, 60_000));
      if (turn % 6 === 1 && lines[0]) await timed('context of 20 lines', store.context(ORG, lines[0].id, 10));
    }
  };
  loop.enable();
  await Promise.all([...agents.map(sendFor), ask(), store.upkeep()]);
  loop.disable();
  console.log(`append to durable          ${spread(append)}`);
  for (const [name, took] of answers) console.log(`${name.padEnd(27)}${spread(took)}`);
  const ms = (ns: number): string => (ns / 1e6).toFixed(1);
  console.log(
    `event loop delay           p50 ${ms(loop.percentile(50))}  p99 ${ms(loop.percentile(99))}  max ${ms(loop.max)} ms`,
  );
  console.log(`RSS ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB`);
}

const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-logstore-'));
try {
  const options = { folder, memoryMb: 256, threads: 2 };
  const database = await openDatabase(options);
  const store = await openLogStore(database, clock);
  await fill(store, Date.now());
  await load(store);
  const [sealed] = await database.read('SELECT count(*), sum(rows), sum(bytes) / sum(rows) FROM sealed');
  console.log(
    `sealed: ${String(sealed?.[0])} files, ${String(sealed?.[1])} lines, ${Number(sealed?.[2]).toFixed(1)} bytes each`,
  );
  await store.drain();
  database.close();
  const begun = performance.now();
  const again = await openDatabase(options);
  await openLogStore(again, clock);
  console.log(`reopen ${(performance.now() - begun).toFixed(0)} ms`);
  again.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
