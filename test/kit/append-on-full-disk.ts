/**
 * A process of its own that appends to the embedded stores in the folder that it is given while no file may grow beyond a limit, as on a full disk, until
 * appends are refused with `store.unavailable`; then it lifts the limit and goes on. It writes what happened as one line of JSON.
 */
import { execFileSync } from 'node:child_process';
import { Problem, systemClock } from '#sdk';
import { embeddedSeries } from '../../hub/adapters/series/embedded/index.ts';
import { KILLED_ORG as ORG, KILLED_START as START } from './killed-stores.ts';
import { makeAdapter } from './stores.ts';

/** Room for a write-ahead log of 64 MB and not for the third checkpoint. */
const LIMIT = 90_000_000;
const SERIES = 2000;
const SECONDS = 50;
/** After so many refusals there is room again. A store that was opened anew may take some batches between two of them. */
const REFUSALS = 3;

const limit = (bytes: string): void =>
  void execFileSync('prlimit', [`--fsize=${bytes}:`, '--pid', String(process.pid)]);
process.on('SIGXFSZ', () => undefined); // It would end the process; a full disk sends none.

const table = {
  id: 1n,
  series: Array.from({ length: SERIES }, (_, n) => ({ name: `n${n}`, kind: 'gauge' as const, attributes: {} })),
};
const adapter = makeAdapter(embeddedSeries, process.argv[2] ?? '');
await adapter.start?.();

const append = (seq: number): Promise<void> =>
  adapter.port.append(ORG, {
    resource: 'a',
    key: { agent: 'a', epoch: 1n, lane: 1, seq: BigInt(seq) },
    tables: [table],
    blocks: Array.from({ length: SECONDS }, (_, second) => ({
      table: 1n,
      timeMs: START + (seq * SECONDS + second) * 1000,
      values: Float64Array.from({ length: SERIES }, Math.random),
    })),
  });

limit(String(LIMIT));
const refusals: string[] = [];
let acknowledged = 0;
/** Batches that were taken once there was room again. */
let after = 0;
for (let tries = 0; tries < 400 && after < 3; tries++) {
  try {
    await append(acknowledged + 1);
    acknowledged += 1;
    if (refusals.length >= REFUSALS) after += 1;
  } catch (error) {
    refusals.push(error instanceof Problem ? `${error.code} ${error.retryable}` : String(error));
    if (refusals.length === REFUSALS) limit('unlimited');
    await systemClock.sleep(500);
  }
}
const { samples } = await adapter.port.usage();
await adapter.stop?.();
process.stdout.write(`${JSON.stringify({ refusals, acknowledged, after, samples, each: SERIES * SECONDS })}\n`);
