import { create } from '@bufbuild/protobuf';
import { LogsSchema } from '#proto/agent/v1/index.ts';
import { feedHost, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { startUsers, type SignedInPerson } from '#kit/sign-in.ts';
import { startStores } from '#kit/stores.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ServiceDefinition } from '../../service.ts';
import { logs } from './index.ts';
import { balances, ledgerOf, lossesOf } from './ledger.ts';

const API = '/api/v1/logs';
const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;

let stores: Awaited<ReturnType<typeof startStores>>;
let hub: Awaited<ReturnType<typeof startUsers>>;
let viewer: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  stores = await startStores();
  const services = [{ definition: logs as unknown as ServiceDefinition, prefixes: [API] }];
  hub = await startUsers(services, { clock: createManualClock(NOW), ports: { logstore: stores.logstore } });
  viewer = await hub.join('viewer');
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
});
beforeEach(async () => {
  host = await feedHost(hub.bus, viewer.org, 'web-1');
});

const lost = (minutesAgo: number, more = {}) => ({
  source: '/var/log/app.log',
  lines: 873n,
  bytes: 90_000n,
  fromMs: BigInt(NOW - (minutesAgo + 1) * MINUTE),
  toMs: BigInt(NOW - minutesAgo * MINUTE),
  cause: 'truncated',
  ...more,
});
const amount = (lines: number) => ({ lines: BigInt(lines), bytes: BigInt(lines * 100) });
const shown = (lines: number) => ({ lines, bytes: lines * 100 });
const ask = async (path: string, token = viewer.token) => {
  const { status, body } = await hub.call('GET', `${API}/${path}`, { token });
  return { status, items: body['items'] as Record<string, unknown>[], total: body['total'] };
};

test('a loss is kept once, however often its batch comes, and is told newest first', async () => {
  await host.send({ timeMs: NOW, losses: [lost(5), lost(3, { lines: 0n, cause: 'removed' })] });
  await host.resend();
  await host.send({ timeMs: NOW, losses: [lost(1)] });
  const { items, total } = await ask(`losses?resource=${host.resource}&limit=2`);
  expect(total).toBe(3);
  expect(items).toEqual([
    {
      resource: host.resource,
      source: '/var/log/app.log',
      lines: 873,
      bytes: 90_000,
      fromMs: NOW - 2 * MINUTE,
      toMs: NOW - MINUTE,
      cause: 'truncated',
    },
    expect.objectContaining({ lines: 0, cause: 'removed' }),
  ]);
  expect((await ask(`losses?resource=${host.resource}&from=-100s`)).total).toBe(1);
  expect((await ask(`losses?resource=${host.resource}&from=-1m&to=-1h`)).status).toBe(400);
});

test('times are by the clock of the hub', async () => {
  await host.send({ timeMs: NOW, skewMs: 5 * MINUTE, losses: [lost(0)] });
  const { items } = await ask(`losses?resource=${host.resource}`);
  expect(items).toMatchObject([{ fromMs: NOW - 6 * MINUTE, toMs: NOW - 5 * MINUTE }]);
});

test('the newest ledger of each source counts, also when an older one is filled in later', async () => {
  const ledger = (atMs: number, read: number, waiting: number) => ({
    sinceMs: BigInt(NOW - DAY),
    atMs: BigInt(atMs),
    sources: [
      {
        source: '/var/log/app.log',
        read: amount(read),
        dropped: amount(10),
        waiting: amount(waiting),
        acknowledged: amount(80),
        lost: amount(5),
      },
    ],
  });
  await host.send({ timeMs: NOW, ledger: ledger(NOW, 100, 5) });
  await host.send({ timeMs: NOW, lane: 2, ledger: ledger(NOW - MINUTE, 1, 0) });
  const { items } = await ask(`ledger?resource=${host.resource}`);
  expect(items).toEqual([
    {
      source: '/var/log/app.log',
      sinceMs: NOW - DAY,
      atMs: NOW,
      read: shown(100),
      dropped: shown(10),
      waiting: shown(5),
      acknowledged: shown(80),
      lost: shown(5),
      balances: true,
    },
  ]);
  await host.send({ timeMs: NOW, ledger: ledger(NOW + 1, 101, 5) });
  expect((await ask(`ledger?resource=${host.resource}`)).items).toMatchObject([{ balances: false }]);
});

test('hosts that lost lines in a day are named', async () => {
  await host.send({ timeMs: NOW, losses: [lost(10), lost(20, { lines: 7n })] });
  const old = await feedHost(hub.bus, viewer.org, 'old');
  await old.send({ timeMs: NOW, losses: [lost(25 * 60)] });
  const { items } = await ask('losses/hosts');
  expect(items).toContainEqual({ resource: host.resource, losses: 2, lines: 880 });
  expect(items.map(({ resource }) => resource)).not.toContain(old.resource);
});

test('another organisation sees none of it, and nobody does without signing in', async () => {
  await host.send({ timeMs: NOW, losses: [lost(1)], ledger: { sources: [{ source: 'a' }] } });
  const outsider = await hub.outsider();
  for (const path of [`losses?resource=${host.resource}`, `ledger?resource=${host.resource}`, 'losses/hosts']) {
    expect((await ask(path, outsider.token)).items).toEqual([]);
    expect((await hub.call('GET', `${API}/${path}`, {})).status).toBe(401);
  }
});

test('what a deleted host told goes with it; losses older than the lines go too', async () => {
  await host.send({ timeMs: NOW, losses: [lost(1)], ledger: { atMs: 1n, sources: [{ source: 'a' }] } });
  await hub.bus.publish(SUBJECTS.resourceDeleted, viewer.org, { resource: host.resource });
  expect((await ask(`losses?resource=${host.resource}`)).total).toBe(0);
  expect((await ask(`ledger?resource=${host.resource}`)).items).toEqual([]);
  const other = await feedHost(hub.bus, viewer.org, 'web-2');
  await other.send({ timeMs: NOW, losses: [lost(15 * 24 * 60)] });
  await other.send({ timeMs: NOW, losses: [lost(1)] });
  expect((await ask(`losses?resource=${other.resource}&from=-30d`)).total).toBe(1);
});

test('what an agent makes up is bounded', () => {
  const losses = Array.from({ length: 5000 }, () => ({
    source: '\0'.repeat(10) + 's'.repeat(5000),
    lines: 2n ** 64n - 1n,
    fromMs: 2n ** 62n,
    toMs: -(2n ** 62n),
    cause: 'c'.repeat(500),
  }));
  const read = lossesOf(create(LogsSchema, { losses }), 0);
  expect(read).toHaveLength(1000);
  expect(read[0]).toEqual({
    source: 's'.repeat(1024),
    lines: Number.MAX_SAFE_INTEGER,
    bytes: 0,
    fromMs: 0,
    toMs: 0,
    cause: 'c'.repeat(40),
  });
  const sources = Array.from({ length: 5000 }, (_one, n) => ({ source: `${n % 4000}` }));
  const ledger = ledgerOf(create(LogsSchema, { ledger: { sources } }), 0);
  expect(ledger?.sources).toHaveLength(2000);
  expect(ledger?.sources.every(({ amounts }) => balances(amounts))).toBe(true);
  expect(ledgerOf(create(LogsSchema), 0)).toBeUndefined();
});
