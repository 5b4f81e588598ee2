import { Problem, reasonOf, type Clock, type Logger } from '#sdk';
import { problems } from '../points/errors.ts';
import type { Owner, PointServer } from '../points/tiered-store.ts';
import { RESOLUTIONS, type Resolution } from '../points/tiers.ts';
import { AHEAD_MS, createAccess, placeOf, timeOf, type Access } from './access.ts';
import { createCount } from './counts.ts';
import { createNotes } from './notes.ts';
import { watchRestarts } from './restarts.ts';
import { createSamples } from './samples.ts';
import type { Server } from './server.ts';
import { createSettling } from './settling.ts';
import { createTierRows } from './tier-rows.ts';

const [HOUR_MS, DAY_MS] = [3_600_000, 86_400_000];
/** How far back series that no coarser tier knows yet are looked for, and how far ahead. */
const FRESH_MS = 2 * HOUR_MS + AHEAD_MS;
/** A series that ends is seen so long: five minutes, less a little. */
const SEEN_MS = 240_000;
const [RAW] = RESOLUTIONS;

async function check({ server, clock }: Access): Promise<void> {
  const [one] = await server.instant('vector(1)', clock.now());
  if (one === undefined) throw problems.otherVersion(`${server.name} does not answer like Prometheus.`);
}

/** Learns the ways of the server; rejects when it cannot be used. */
async function open(access: Access, log: Logger): Promise<void> {
  const { server, clock } = access;
  await check(access);
  await server.checkWrite().catch((error: unknown) => {
    // What is full may be read.
    if (!(error instanceof Problem && error.code === 'series.unavailable')) throw error;
    log.warn('the series store takes no samples now', { reason: error.message });
  });
  const { kind, apart } = await server.facts();
  if (kind === 'victoria') {
    access.settling = createSettling(clock, () => server.flush());
    await access.settling.all();
    if (apart !== undefined && apart !== '1ms')
      log.warn('set -dedup.minScrapeInterval=1ms: else samples that come again count twice, or near ones are dropped', {
        is: apart,
      });
    return;
  }
  const [edge] = await server.instant('count_over_time(vector(1)[1ms:1ms])', clock.now());
  access.closed = Number(edge?.value?.[1]) === 2 ? 1 : 0;
  const lateMs = await server.lateMs();
  if (lateMs !== undefined && lateMs < HOUR_MS)
    throw problems.refused(
      `${server.name} takes no late samples: set storage.tsdb.out_of_order_time_window in its configuration to as long as agents may be away, such as 7d.`,
    );
}

async function lastSeen(access: Access, tier: Resolution, owner: Owner, since: number): Promise<[string, number][]> {
  const { server, clock, settling, window, metricOf, oldest } = access;
  await settling?.settled(placeOf(tier, owner), -Infinity, Infinity);
  const now = clock.now() + AHEAD_MS;
  if (tier !== RAW) {
    const series = access.select(metricOf(tier), { ...owner, stat: 'lastT' });
    const found = await server.instant(`max_over_time(${series}${window(oldest(since), now)})`, now - 1);
    return found.map(({ metric, value }) => [metric['series'] ?? '', Number(value?.[1])]);
  }
  const series = access.select(metricOf(tier), { ...owner });
  const newest =
    settling === undefined
      ? `max_over_time(timestamp(${series})[${FRESH_MS}ms:${SEEN_MS}ms])`
      : `tlast_over_time(${series}[${FRESH_MS}ms])`;
  const found = await server.instant(newest, Math.ceil(now / SEEN_MS) * SEEN_MS);
  return found.map(({ metric, value }) => [metric['series'] ?? '', timeOf(Number(value?.[1]))]);
}

/** Deletes old samples, now and then, where the server can delete a part of a series. */
function createForgetting({ server, metricOf, clock }: Access, log: Logger) {
  let doneMs = -Infinity;
  let cannot = false;
  return async (beginsMs: (tier: Resolution) => number): Promise<void> => {
    if (cannot || clock.monotonic() - doneMs < HOUR_MS) return;
    doneMs = clock.monotonic();
    if ((await server.facts()).kind !== 'prometheus') return;
    try {
      for (const tier of RESOLUTIONS) await server.remove(metricOf(tier), beginsMs(tier));
    } catch (error) {
      cannot = true;
      log.warn('old samples are hidden, and stay on disk as long as the store’s own retention says', {
        reason: reasonOf(error),
      });
    }
  };
}

/** Points in a store that takes remote writes and answers like Prometheus. */
export function createPoints(server: Server, prefix: string, given: { clock: Clock; log: Logger }): PointServer {
  const { clock, log } = given;
  const access = createAccess(server, prefix, clock);
  const [samples, rows] = [createSamples(access), createTierRows(access)];
  const forget = createForgetting(access, log);
  const kept = new Map<Resolution, number>();
  const beginsMs = (tier: Resolution): number => {
    const keptMs = kept.get(tier);
    return keptMs === undefined ? 0 : clock.now() - keptMs;
  };
  return {
    ...createNotes(access, prefix),
    beginsMs,
    open: () => open(access, log),
    check: () => check(access),
    async keep(retention) {
      for (const tier of RESOLUTIONS) kept.set(tier, tier.days(retention) * DAY_MS);
      await forget(beginsMs);
    },
    writeSamples: (writes) => samples.write(writes),
    async readRows(tier, owner, query) {
      await access.settling?.settled(placeOf(tier, owner), query.from, query.to);
      return tier === RAW ? samples.read(owner, query) : rows.read(tier, owner, query);
    },
    writeRows: (tier, owner, own) => rows.write(tier, owner, own),
    lastSeen: (tier, owner) => lastSeen(access, tier, owner, beginsMs(tier)),
    async remove({ org, resource }) {
      // What cannot be seen yet would stay.
      await access.settling?.all();
      await server.remove(access.select('', { org, resource }, `,__name__=~"${prefix}_.*"`));
    },
    count: createCount(access),
    watchLosses: (lost) => watchRestarts(access, { prefix, log }, lost),
    bytes: async () => (await server.facts()).bytes,
  };
}
