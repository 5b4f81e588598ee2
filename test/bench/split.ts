/**
 * Prints what it costs to run every service as a process of its own: `npx tsx test/bench/split.ts [--reads 1500]`.
 *
 * Two hubs from dist/ on one PostgreSQL server, one process and one process a service (NATS, Redis); the same reads through the gateway, in turn, one after
 * another. The bar is 3 ms more at the median.
 *
 * Measured on two cores with half of them taken by anything else, 500 reads each: 5.9 → 8.0, 5.0 → 7.0 and 4.5 → 6.8 ms at the median, 2.1 to 2.3 ms more.
 */
import { parseArgs } from 'node:util';
import { apiWith, type Api } from '#kit/programs.ts';
import { signInFirst, startHubProgram } from '#kit/running-hub.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { ownName } from '../services/own-name.ts';

const { values: flags } = parseArgs({ options: { reads: { type: 'string', default: '1500' } } });
const READS = Number(flags.reads);
const PATHS = ['/api/v1/monitoring/resources', '/api/v1/monitoring/alerts', '/api/v1/users'];
/** Reads that nobody counts: code gets warm and connections open. */
const WARM = 200;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? NaN;

async function timed(api: Api, path: string): Promise<number> {
  const begun = performance.now();
  const reply = await api.raw('GET', path);
  await reply.arrayBuffer();
  if (!reply.ok) throw new Error(`${path} answered ${reply.status}`);
  return performance.now() - begun;
}

const database = await (await postgres.find()).start();
const env = {
  OUTRIDER_RELATIONAL__ADAPTER: 'postgres',
  OUTRIDER_RELATIONAL__URL: await emptyDatabase(database.address, ownName('one')),
  OUTRIDER_GATEWAY__REQUESTS_PER_SECOND: '100000',
  OUTRIDER_GATEWAY__BURST: '100000',
};
const { OUTRIDER_RELATIONAL__URL: _own, OUTRIDER_RELATIONAL__ADAPTER: _too, ...limits } = env;
const one = await startHubProgram([], { env }, 'all');
const many = await startHubProgram([], { env: limits }, 'split');
try {
  const apis = await Promise.all([one, many].map(async (hub) => apiWith(hub.url, (await signInFirst(hub)).token)));
  for (const path of PATHS) {
    const times: [number[], number[]] = [[], []];
    for (let n = -WARM; n < READS / PATHS.length; n++)
      for (const [side, api] of apis.entries()) {
        const ms = await timed(api, path);
        if (n >= 0) times[side as 0 | 1].push(ms);
      }
    const [together, alone] = times;
    const line = [0.5, 0.95].map(
      (q) => `p${q * 100} ${quantile(together, q).toFixed(2)} → ${quantile(alone, q).toFixed(2)} ms`,
    );
    const more = quantile(alone, 0.5) - quantile(together, 0.5);
    process.stdout.write(
      `${path.padEnd(34)} ${line.join('   ')}   ${more >= 0 ? '+' : ''}${more.toFixed(2)} ms at the median (${together.length} reads each)\n`,
    );
  }
} finally {
  await many.close();
  await one.close();
  await database.stop();
}
