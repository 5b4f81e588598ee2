/**
 * Prints how fast each log store that can be had takes lines and finds them: `npx tsx test/bench/log-stores.ts [agents] [seconds]`. All agents append
 * batches of 100 lines of an hour as fast as they are acknowledged; then the lines are searched.
 *
 * Once with 20 agents and 15 s on two cores that other programs wanted too (load 6): embedded took 20,000 lines/s, durable after 96 ms (median), and found a
 * substring of one line in 300,000 after 40 ms; Elasticsearch 8 took 6,800 lines/s, 256 ms, and 5 ms of 100,000; Elasticsearch 9 8,900, 196 ms, and 13 ms.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAdapter } from '#kit/stores.ts';
import { reasonOf } from '#sdk';
import { elasticLogstore } from '../../hub/adapters/logstore/elastic/index.ts';
import { embeddedLogstore } from '../../hub/adapters/logstore/embedded/index.ts';
import type { LogFilter, LogLineWrite, LogStore } from '../../hub/ports/logstore.ts';
import { elasticsearch8, elasticsearch9 } from '../services/elasticsearch.ts';

const ORG = '11111111-1111-4111-8111-111111111111';
const AGENTS = Number(process.argv[2] ?? 20);
const SECONDS = Number(process.argv[3] ?? 20);
const LINES = 100;
const HOUR_MS = 3_600_000;
const BEGIN_MS = Date.now() - HOUR_MS;
const PATHS = ['/api/v1/orders', '/api/v1/carts', '/healthz', '/static/app.js'];
const TURNS = 10;

const quantile = (values: readonly number[], q: number): string =>
  ([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? NaN).toFixed(0);
const spread = (values: readonly number[]): string =>
  `p50 ${quantile(values, 0.5)}  p95 ${quantile(values, 0.95)}  max ${quantile(values, 1)} ms`;

function line(number: number): LogLineWrite {
  const timeMs = BEGIN_MS + ((number * 7) % HOUR_MS);
  const status = number % 97 === 0 ? 502 : 200;
  const client = `10.0.${number % 256}.${(number * 7) % 256}`;
  const text = `${new Date(timeMs).toISOString()} ${client} GET ${PATHS[number % 4]}/${(number * 2_654_435_761) % 4_294_967_296} ${status} ${number % 300}ms`;
  return {
    timeMs,
    level: status === 200 ? 2 : 4,
    source: number % 3 === 0 ? '/var/log/syslog' : '/var/log/app.log',
    text: number === 50_000 ? `${text} NeedleInTheHay` : text,
    truncated: false,
  };
}

/** What people look for, over the whole hour. */
const SEARCHES: Readonly<Record<string, Partial<LogFilter>>> = {
  'newest of all': {},
  'errors of a host': { resources: ['agent-7'], levels: [4, 5] },
  'common substring': { text: 'ORDERS' },
  'rare substring': { text: 'needleinthehay' },
  'two characters': { text: ' 5' },
};

async function measure(name: string, store: LogStore): Promise<void> {
  const begun = performance.now();
  const since = (): number => (performance.now() - begun) / 1000;
  const appends: number[] = [];
  let count = 0;
  const feed = async (agent: string): Promise<void> => {
    for (let seq = 1n; since() < SECONDS; seq += 1n) {
      const lines = Array.from({ length: LINES }, () => line((count += 1)));
      const before = performance.now();
      await store.append(ORG, { resource: agent, key: { agent, epoch: 1n, lane: 1, seq }, lines });
      appends.push(performance.now() - before);
    }
  };
  const cpu = process.cpuUsage();
  await Promise.all(Array.from({ length: AGENTS }, (_, index) => feed(`agent-${index}`)));
  const used = process.cpuUsage(cpu);
  const share = (used.user + used.system) / 1e4 / since();
  console.log(
    `${name}: ${(count / since()).toFixed(0)} lines/s, hub ${share.toFixed(0)} % of a core; durable ${spread(appends)}`,
  );
  for (const [title, filter] of Object.entries(SEARCHES)) {
    const took: number[] = [];
    let total = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const before = performance.now();
      const range = { from: BEGIN_MS, to: BEGIN_MS + HOUR_MS };
      ({ total } = await store.search(ORG, { ...range, ...filter }, { limit: 100, offset: 0 }));
      took.push(performance.now() - before);
    }
    console.log(`${name}: ${title.padEnd(17)} ${spread(took)}  (${total} lines)`);
  }
  const before = performance.now();
  await store.histogram(ORG, { from: BEGIN_MS, to: BEGIN_MS + HOUR_MS }, 60_000);
  const { bytes, lines } = await store.usage();
  console.log(
    `${name}: histogram ${(performance.now() - before).toFixed(0)} ms; ${(bytes / lines).toFixed(0)} bytes a line`,
  );
}

const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-'));
try {
  const embedded = makeAdapter(embeddedLogstore, folder);
  await embedded.start?.();
  await measure('embedded', embedded.port);
  await embedded.stop?.();
  for (const kind of [elasticsearch8, elasticsearch9]) {
    try {
      const server = await (await kind.findOwn()).start();
      try {
        const adapter = makeAdapter(elasticLogstore, '', { urls: [server.address.url] });
        await adapter.start?.();
        await measure(kind.title, adapter.port);
        await adapter.stop?.();
      } finally {
        await server.stop();
      }
    } catch (error) {
      console.log(`${kind.title}: could not be had (${reasonOf(error)})`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
