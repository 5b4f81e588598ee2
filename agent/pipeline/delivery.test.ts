import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { LogsSchema, type Ledger as LedgerMessage } from '#proto/agent/v1/index.ts';
import { silentLogger } from '#sdk';
import { openSpool, type Spool, type SpooledBatch } from '../spool/index.ts';
import { balances, deliveries, LINE_STATES, type Delivery } from './delivery.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';

const START = Date.UTC(2026, 10, 26);
const SOURCES = ['/var/log/app.log', '/var/log/db.log', 'journal:ssh.service'];

/** An agent's way from its files to a hub that takes, refuses or waits. */
async function createWay() {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-delivery-'));
  const clock = createManualClock(START);
  const told: LedgerMessage[] = [];
  let [spool, pipeline, offset]: [Spool, Pipeline, number] = [undefined as never, undefined as never, 0];
  const begin = async (): Promise<void> => {
    spool = await openSpool({ folder, limit: 1e8, segmentBytes: 2000, log: silentLogger, clock });
    pipeline = createPipeline({ spool, clock, log: silentLogger });
    pipeline.start();
  };
  await begin();
  const oldest = (): SpooledBatch | undefined => {
    for (const lane of ['backfill', 'live'] as const) {
      const reader = spool.reader(lane);
      const batch = reader.next();
      reader.close();
      if (batch !== undefined) return batch;
    }
    return undefined;
  };
  const all = (): Map<string, Delivery> => deliveries({ ...pipeline, spool });
  return {
    all,
    told,
    read(source: string, lines: number, length: number) {
      const size = lines * (length + 1);
      const checkpoint = { path: source, device: 1, inode: SOURCES.indexOf(source), fingerprint: '', fingerprintLength: 0, offset: (offset += size) }; // prettier-ignore
      pipeline.addEvents({ path: source, events: Buffer.alloc(2 * lines, '1200', 'hex'), lines, size, checkpoint });
    },
    drop: (source: string, lines: number) => pipeline.addDropped(source, { lines, bytes: 10 * lines }),
    lose: (path: string, lines: number) =>
      pipeline.addLost({ path, lines, bytes: 10 * lines, fromMs: START, toMs: START, cause: 'truncated' }),
    async second() {
      await clock.advance(1000);
      await pipeline.flush();
    },
    acknowledge() {
      const batch = oldest();
      if (batch === undefined) return;
      const logs = fromBinary(LogsSchema, batch.logs.length === 0 ? batch.logs : gunzipSync(batch.logs));
      if (logs.ledger !== undefined) told.push(logs.ledger);
      spool.acknowledge(batch);
    },
    refuse() {
      const batch = oldest();
      if (batch !== undefined) spool.giveUp(batch, 'a test');
    },
    async restart() {
      await pipeline.stop();
      await spool.close();
      await begin();
    },
    async stop() {
      await pipeline.stop();
      await spool.close();
      rmSync(folder, { recursive: true });
    },
  };
}
type Way = Awaited<ReturnType<typeof createWay>>;

const source = fc.constantFrom(...SOURCES);
const few = fc.integer({ min: 1, max: 40 });
const step: fc.Arbitrary<(way: Way) => unknown> = fc.oneof(
  fc.tuple(source, few, few).map(
    ([name, lines, length]) =>
      (way: Way) =>
        way.read(name, lines, length),
  ),
  fc.tuple(source, few).map(
    ([name, lines]) =>
      (way: Way) =>
        way.drop(name, lines),
  ),
  fc.tuple(source, few).map(
    ([name, lines]) =>
      (way: Way) =>
        way.lose(name, lines),
  ),
  fc.constant((way: Way) => way.second()),
  fc.constant((way: Way) => way.acknowledge()),
  fc.constant((way: Way) => way.refuse()),
  fc.constant((way: Way) => way.restart()),
);

const unbalanced = (all: Map<string, Delivery>) => [...all].filter(([, one]) => !balances(one));

test('whatever happens to lines, each source balances in lines and bytes at every moment, and so does what the hub is told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const way = await createWay();
      try {
        for (const take of steps) {
          await take(way);
          expect(unbalanced(way.all())).toEqual([]);
        }
        for (const { sources } of way.told)
          for (const { source: name, ...states } of sources) {
            const amounts = LINE_STATES.map((state) => [state, { lines: Number(states[state]?.lines), bytes: Number(states[state]?.bytes) }]); // prettier-ignore
            expect(unbalanced(new Map([[name, Object.fromEntries(amounts) as Delivery]]))).toEqual([]);
          }
      } finally {
        await way.stop();
      }
    }),
    { numRuns: 60 },
  );
});

test('the hub is told every ten seconds of the sources that have changed, and nothing while nothing has', async () => {
  const way = await createWay();
  const [app = '', db = ''] = SOURCES;
  const seconds = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await way.second();
      way.acknowledge();
    }
  };
  way.read(app, 5, 9);
  way.read(db, 1, 9);
  way.drop(db, 2);
  await seconds(11);
  way.read(db, 1, 9);
  await seconds(11);
  const before = way.told.length;
  await seconds(30);
  const [last] = way.told.slice(-1);
  expect(way.told.flatMap(({ sources }) => sources.map((one) => [one.source, Number(one.read?.lines), Number(one.dropped?.lines), Number(one.acknowledged?.lines)]))).toEqual([
    [app, 5, 0, 0],
    [db, 3, 2, 0],
    [app, 5, 0, 5],
    [db, 3, 2, 1],
    [db, 4, 2, 2],
  ]); // prettier-ignore
  expect(Number(last?.sinceMs)).toBe(START);
  expect(way.told.length - before).toBeLessThanOrEqual(1);
  await way.stop();
});
