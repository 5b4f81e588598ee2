import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Encoding, LogsSchema } from '#proto/agent/v1/index.ts';
import { silentLogger, systemClock } from '#sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../test/kit/authority.ts';
import { startSmallHub } from '../test/kit/small-hub.ts';
import { createLink, type Link } from './link/link.ts';
import { createSkew } from './link/skew.ts';
import { grpcTransport } from './link/transports/grpc.ts';
import type { Transport } from './link/transports/transport.ts';
import { HAS_ZSTD, pack, packingFor, withGzip } from './packing.ts';
import { askForReplay, listQuarantine, openSpool, quarantineOf, type Packing, type Spool } from './spool/index.ts';

const NEEDED = 'this Node has no zstd; 22.15 and newer have';
const { GZIP, ZSTD } = Encoding;
const both = [GZIP, ZSTD];
/** The text `line`, as any Node with zstd packs it. */
const LINE_IN_ZSTD = Buffer.from('28b52ffd20042100006c696e65', 'hex');

let data = '';
let spool: Spool;
let authority: TestAuthority;
const closing: (() => unknown)[] = [];
const open = (): Promise<Spool> => openSpool({ folder: join(data, 'spool'), limit: 1e9, log: silentLogger });
beforeAll(async () => {
  authority = await createTestAuthority();
});
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'outrider-packing-'));
  spool = await open();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await spool.close();
  rmSync(data, { recursive: true, force: true });
});
afterAll(() => vi.restoreAllMocks());

const put = async (source: string, packing: Packing): Promise<unknown> => {
  const logs = toBinary(LogsSchema, create(LogsSchema, { chunks: [{ source, lines: [{ text: 'line' }] }] }));
  const parts = { metrics: Buffer.alloc(0), logs: await pack(Buffer.from(logs), packing) };
  return spool.append({ ...parts, packing, tables: new Map(), checkpoints: [], sources: new Map([[source, [1, 5]]]) });
};

/** A hub that takes these encodings, and what it took: each source with its encoding. */
async function hubWith(encodings: readonly Encoding[], port = 0) {
  const taken: [string, Encoding][] = [];
  const take = ({ chunks }: { chunks: { source: string }[] }, encoding: Encoding): Promise<void> => {
    for (const { source } of chunks) taken.push([source, encoding]);
    return Promise.resolve();
  };
  const hub = await startSmallHub(authority, take, { port, encodings });
  closing.push(hub.stop);
  return { ...hub, taken };
}

async function link(
  address: string,
  more: { compression?: 'auto' | 'gzip' | 'zstd'; isShared?: boolean } = {},
): Promise<Link> {
  const { isShared = false, compression } = more;
  const { key, certificate } = await authority.agent('agent-1');
  const transport: Transport = { ...grpcTransport(address), isShared };
  const identity = { agentId: 'agent-1', link: address, key, certificate, ca: authority.ca };
  const [clock, log] = [systemClock, silentLogger];
  const given = { identity, dataFolder: data, transport, skew: createSkew(clock), spool, clock, log, compression };
  const made = createLink({ ...given, hostname: 'web-1', labels: {}, inventory: () => ({}) });
  closing.push(() => made.stop());
  made.start();
  return made;
}
const until = (probe: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(probe()).toBe(true), { timeout: 15_000, interval: 10 });

test('an agent packs zstd only where its Node has it', () => {
  expect(packingFor('gzip')).toBe('gzip');
  expect(packingFor('zstd')).toBe(HAS_ZSTD ? 'zstd' : 'gzip');
  expect(HAS_ZSTD).toBe('zstdCompress' in zlib);
});

test('a hub that takes gzip only gets gzip, and the agent goes on packing that', async () => {
  const hub = await hubWith([GZIP]);
  const made = await link(hub.address);
  await put('/a', 'gzip');
  await until(() => spool.lines().waiting === 0);
  expect(hub.taken).toEqual([['/a', GZIP]]);
  expect(made.state().packing).toBe('gzip');
});

describe('where Node has zstd', () => {
  test('a part that was packed comes back in gzip, and nothing stays nothing', async ({ skip }) => {
    skip(!HAS_ZSTD, NEEDED);
    const [empty, text] = [Buffer.alloc(0), Buffer.from('line '.repeat(1000))];
    const [metrics, logs] = [await pack(empty, 'zstd'), await pack(text, 'zstd')];
    expect(metrics).toHaveLength(0);
    expect(logs.length).toBeLessThan(text.length / 10);
    const again = await withGzip({ metrics, logs, packing: 'zstd' });
    expect(again).toMatchObject({ packing: 'gzip', metrics: empty });
    expect(zlib.gunzipSync(again.logs)).toEqual(text);
  });

  test('a hub that announces it gets zstd, and what lies in gzip comes as it is', async ({ skip }) => {
    skip(!HAS_ZSTD, NEEDED);
    const hub = await hubWith(both);
    await put('/old', 'gzip');
    const made = await link(hub.address);
    await until(() => made.state().packing === 'zstd');
    await put('/new', made.state().packing);
    await until(() => spool.lines().waiting === 0);
    expect(hub.taken).toEqual([
      ['/old', GZIP],
      ['/new', ZSTD],
    ]);
  });

  test('what was spooled in zstd reaches a hub that takes gzip only, also after a restart, live and back-fill, each once', async ({
    skip,
  }) => {
    skip(!HAS_ZSTD, NEEDED);
    const names = Array.from({ length: 40 }, (_, n) => `/${n}`);
    for (const name of names) await put(name, 'zstd');
    await spool.close();
    spool = await open();
    await put('/last', 'zstd');
    const hub = await hubWith([GZIP]);
    const made = await link(hub.address);
    await until(() => spool.lines().waiting === 0);
    expect(hub.taken.map(([source]) => source).sort()).toEqual([...names, '/last'].sort());
    expect(new Set(hub.taken.map(([, encoding]) => encoding))).toEqual(new Set([GZIP]));
    expect(spool.lines()).toMatchObject({ acknowledged: 41, lost: 0 });
    expect(made.state().packing).toBe('gzip');
  });

  test('a hub that comes back without it is sent gzip from then on', async ({ skip }) => {
    skip(!HAS_ZSTD, NEEDED);
    const before = await hubWith(both);
    const made = await link(before.address);
    await until(() => made.state().packing === 'zstd');
    before.stop();
    await until(() => !made.state().connected);
    await put('/meanwhile', made.state().packing);
    const after = await hubWith([GZIP], Number(before.address.split(':')[1]));
    await until(() => made.state().packing === 'gzip' && spool.lines().waiting === 0);
    expect(after.taken).toEqual([['/meanwhile', GZIP]]);
  });

  test('settings decide against it, and for it where any hub may read a batch', async ({ skip }) => {
    skip(!HAS_ZSTD, NEEDED);
    const hub = await hubWith(both);
    const packingOf = async (more: Parameters<typeof link>[1]): Promise<Packing> => {
      const made = await link(hub.address, more);
      await until(() => made.state().connected);
      await made.stop();
      return made.state().packing;
    };
    expect(await packingOf({ compression: 'gzip' })).toBe('gzip');
    expect(await packingOf({ isShared: true })).toBe('gzip');
    expect(await packingOf({ isShared: true, compression: 'zstd' })).toBe('zstd');
  });

  test('a batch of the quarantine is put back as it was packed', async ({ skip }) => {
    skip(!HAS_ZSTD, NEEDED);
    await put('/a', 'zstd');
    const reader = spool.reader('live');
    const batch = reader.next();
    reader.close();
    if (batch === undefined) throw new Error('nothing waits');
    spool.giveUp(batch, 'It cannot be read.');
    const quarantine = quarantineOf(join(data, 'spool'));
    expect(askForReplay(quarantine, listQuarantine(quarantine)[0]?.id ?? '')).toBe(true);
    await spool.replay();
    const hub = await hubWith([GZIP]);
    await link(hub.address);
    await until(() => spool.lines().waiting === 0);
    expect(hub.taken).toEqual([['/a', GZIP]]);
  });
});

test('what this Node cannot unpack goes as it is: the hub takes it, or says what is wrong', async () => {
  const damaged = {
    metrics: Buffer.alloc(0),
    logs: HAS_ZSTD ? LINE_IN_ZSTD.subarray(0, 9) : LINE_IN_ZSTD,
    packing: 'zstd' as const,
  };
  expect(await withGzip(damaged)).toBe(damaged);
});
