/**
 * A process of its own that appends to both embedded stores in the folder that it is given until somebody kills it. It writes one line for each
 * batch that is durable: `series AGENT SEQ` or `logs AGENT SEQ`; a batch holds the values or lines SEQ * 10 to SEQ * 10 + 9.
 */
import { systemClock, type Clock } from '#sdk';
import { openDatabase } from '../../hub/adapters/duckdb/database.ts';
import { openLogStore } from '../../hub/adapters/logstore/embedded/store.ts';
import { openSeriesStore } from '../../hub/adapters/series/embedded/store.ts';
import { KILLED_START as START, KILLED_ORG as ORG } from './killed-stores.ts';

const folder = process.argv[2] ?? '';
const TEN = Array.from({ length: 10 }, (_, index) => index);

/** Two hours pass with each upkeep, so that it seals each time. */
let skipped = 0;
const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skipped };
const [series, logs] = await Promise.all([
  openDatabase({ folder: `${folder}/series`, memoryMb: 64, threads: 1 }).then((database) =>
    openSeriesStore(database, clock),
  ),
  openDatabase({ folder: `${folder}/logs`, memoryMb: 64, threads: 1 }).then((database) =>
    openLogStore(database, clock),
  ),
]);

const at = (seq: bigint, index: number): number => START + Number(seq) * 1000 + index * 100;

async function sendSamples(agent: string): Promise<never> {
  for (let seq = (await series.acknowledged(ORG, agent, 1n)).live + 1n; ; seq += 1n) {
    await series.append(ORG, {
      resource: agent,
      key: { agent, epoch: 1n, lane: 1, seq },
      tables: [{ id: 1n, series: [{ name: 'n', kind: 'gauge', attributes: {} }] }],
      blocks: TEN.map((index) => ({
        table: 1n,
        timeMs: at(seq, index),
        values: Float64Array.of(Number(seq) * 10 + index),
      })),
    });
    process.stdout.write(`series ${agent} ${seq}\n`);
  }
}

async function sendLines(agent: string): Promise<never> {
  const line = { level: 2, source: '/log', truncated: false } as const;
  for (let seq = (await logs.acknowledged(ORG, agent, 1n)).live + 1n; ; seq += 1n) {
    await logs.append(ORG, {
      resource: agent,
      key: { agent, epoch: 1n, lane: 1, seq },
      lines: TEN.map((index) => ({ ...line, timeMs: at(seq, index), text: `line ${Number(seq) * 10 + index}` })),
    });
    process.stdout.write(`logs ${agent} ${seq}\n`);
  }
}

async function keep(): Promise<never> {
  for (;;) {
    skipped += 7_200_000;
    await Promise.all([series.upkeep(), logs.upkeep()]);
    await systemClock.sleep(150);
  }
}

await Promise.all([...['a', 'b', 'c'].flatMap((agent) => [sendSamples(agent), sendLines(agent)]), keep()]);
