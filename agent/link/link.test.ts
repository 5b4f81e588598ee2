import { createHash, X509Certificate } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { Lane, Stream, type Batch } from '#proto/agent/v1/index.ts';
import { silentLogger, systemClock, type Clock, type Logger } from '#sdk';
import { createTestAuthority, type TestAuthority } from '../../test/kit/authority.ts';
import { keyOf, laneOf, say, startScriptedHub, type Call, type ScriptedHub } from '../../test/kit/scripted-hub.ts';
import { openSpool, type Spool } from '../spool/index.ts';
import { listQuarantine } from '../spool/quarantine.ts';
import { readIdentity } from './identity.ts';
import { createLink, type Link } from './link.ts';
import { createSkew, type Skew } from './skew.ts';
import { grpcTransport, reasonFor } from './transports/grpc.ts';

let authority: TestAuthority;
let hub: ScriptedHub;
let data = '';
let spool: Spool;
const links = new Set<Link>();
beforeAll(async () => {
  authority = await createTestAuthority();
});
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'outrider-link-'));
  hub = await startScriptedHub(authority);
  spool = await openSpool({ folder: join(data, 'spool'), limit: 1e9, log: silentLogger });
});
afterEach(async () => {
  for (const link of links) await link.stop();
  links.clear();
  hub.stop();
  await spool.close();
  rmSync(data, { recursive: true, force: true });
});
afterAll(() => vi.restoreAllMocks());

const tableBytes = Buffer.from([0x12, 0x03, 0x0a, 0x01, 0x61]); // One series named "a".
const tableId = createHash('sha256').update(tableBytes).digest().readBigUInt64LE(0);
const put = (text: string, lines = 0): Promise<unknown> =>
  spool.append({
    metrics: Buffer.from(text),
    logs: Buffer.alloc(0),
    tables: new Map([[tableId, tableBytes]]),
    checkpoints: [],
    sources: new Map([['/a', [lines, lines * 10] as const]]),
  });

async function reopen(skew: Skew, clock: Clock): Promise<void> {
  await spool.close();
  spool = await openSpool({
    folder: join(data, 'spool'),
    limit: 1e9,
    log: silentLogger,
    clock,
    skew: () => skew.now(),
  });
}
async function link(
  given: { days?: number; log?: Logger; from?: TestAuthority; clock?: Clock; skew?: Skew } = {},
): Promise<Link> {
  const { key, certificate } = await (given.from ?? authority).agent('agent-1', given.days);
  const made = createLink({
    identity: { agentId: 'agent-1', link: hub.address, key, certificate, ca: authority.ca },
    dataFolder: data,
    transport: grpcTransport(hub.address),
    skew: given.skew ?? createSkew(given.clock ?? systemClock),
    spool,
    clock: given.clock ?? systemClock,
    log: given.log ?? silentLogger,
    hostname: 'web-1',
    labels: { role: 'web' },
    inventory: () => ({ 'os.type': 'linux' }),
  });
  links.add(made);
  made.start();
  return made;
}
const until = (probe: () => boolean): Promise<void> =>
  vi.waitFor(() => expect(probe()).toBe(true), { timeout: 15_000, interval: 10 });
const texts = (): string[] => [...hub.stored.values()].map(({ metrics }) => Buffer.from(metrics).toString());

test('says hello, then sends what the spool holds in order, with each table once', async () => {
  for (const text of ['a', 'b', 'c']) await put(text);
  const made = await link();
  await until(() => hub.stored.size === 3);
  expect(hub.hellos[0]).toMatchObject({
    protocol: 1,
    epoch: spool.epoch,
    hostname: 'web-1',
    labels: { role: 'web' },
    inventory: { 'os.type': 'linux' },
  });
  expect(hub.subjects[0]).toMatchObject({ CN: 'agent-1' });
  expect(texts()).toEqual(['a', 'b', 'c']);
  expect([...hub.stored.values()].map(({ tables }) => tables.map(({ id, series }) => [id, series[0]?.name]))).toEqual([
    [[tableId, 'a']],
    [],
    [],
  ]);
  await until(() => made.state().acknowledged === 3n);
  expect(Math.round(made.state().skewMs / 1000)).toBe(5);
});

test('over twenty streams that die at any place, no batch is lost and none comes twice', async () => {
  let messages = 0;
  const dead = new WeakSet<Call>();
  hub.behave((_message, call) => {
    if (dead.has(call)) return false;
    messages += 1;
    if (messages % 7 !== 0 || messages >= 140) return true;
    dead.add(call);
    call.emit('error', { code: grpc.status.UNAVAILABLE, details: `cut ${messages}` });
    return false;
  });
  await link();
  for (let n = 0; n < 60; n++) await put(`batch ${n}`, 1);
  await until(() => hub.stored.size === 60 && spool.lines().waiting === 0);
  const numbers = (lane: Lane): number[] =>
    [...hub.stored.values()]
      .filter((batch) => batch.lane === lane)
      .map(({ metrics }) => Number(/^batch (\d+)$/.exec(Buffer.from(metrics).toString())?.[1]));
  const [live, backfill] = [numbers(Lane.LIVE), numbers(Lane.BACKFILL)];
  for (const lane of [live, backfill]) expect(lane).toEqual([...lane].sort((a, b) => a - b));
  expect([...live, ...backfill].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  expect(hub.hellos.length).toBeGreaterThan(5);
});

test('a hub that was away finds everything when it is back', async () => {
  const port = Number(hub.address.split(':')[1]);
  const { stored, acked } = hub;
  const made = await link();
  await put('before');
  await until(() => made.state().acknowledged === 1n);
  hub.stop();
  await until(() => !made.state().connected);
  await put('meanwhile');
  hub = await startScriptedHub(authority, port);
  for (const [lane, seq] of acked) hub.acked.set(lane, seq);
  await until(() => hub.stored.size === 1);
  expect(texts()).toEqual(['meanwhile']);
  expect(stored.size).toBe(1);
});

test('batches that the hub has but the spool does not know begin a new epoch', async () => {
  await put('old');
  const old = spool.epoch;
  hub.acked.set(laneOf({ epoch: old, lane: Lane.LIVE }), 9n); // The end of the spool was lost after it was sent.
  const made = await link();
  await until(() => made.state().connected);
  await put('new');
  await until(() => hub.stored.size === 1);
  expect(hub.hellos.map(({ epoch }) => epoch)).toEqual([old, spool.epoch]);
  expect(spool.epoch).not.toBe(old);
  expect(texts()).toEqual(['new']);
});

test('after an outage both lanes come, each in order, and a stream of back-fill that stands still holds up no live batch', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `batch ${n}`);
  for (const name of names) await put(name, 1);
  let stands = true;
  hub.behave(({ kind }) => !(stands && kind.case === 'batch' && kind.value.lane === Lane.BACKFILL));
  await link();
  await until(() => hub.stored.size === 30);
  expect(texts()).toEqual(names.slice(0, 30));
  await put('now', 1);
  await until(() => texts().includes('now'));
  expect([...hub.stored.values()].at(-1)).toMatchObject({ lane: Lane.LIVE, seq: 31n });
  expect(hub.hellos.map(({ stream }) => stream)).toEqual([Stream.LIVE, Stream.BACKFILL]);
  stands = false;
  hub.cut(Stream.BACKFILL);
  await until(() => spool.lines().waiting === 0);
  expect(texts().slice(31)).toEqual(names.slice(30));
});

test('a batch carries by how much the clock was off when it was put, whatever the clock says when it is sent', async () => {
  let offMs = 60_000;
  const clock: Clock = { ...systemClock, now: () => Date.now() + offMs };
  const skew = createSkew(clock);
  hub.behave(({ kind }, call) => {
    const value = { $typeName: 'outrider.agent.v1.Pong', id: 0n, clockMs: Date.now() } as const;
    if (kind.case === 'ping') call.write(say({ case: 'pong', value: { ...value, id: kind.value.id } }));
    return true;
  });
  hub.behind(0);
  await reopen(skew, clock);
  await put('before anybody knew');
  const made = await link({ clock, skew });
  await until(() => hub.stored.size === 1);
  await put('known');
  await until(() => hub.stored.size === 2);
  offMs = -3_600_000;
  await put('set back');
  await until(() => hub.stored.size === 3);
  expect(Math.round(made.state().skewMs / 1000)).toBe(-3600);
  const seconds = [...hub.stored.values()].map(({ skewMs }) => Math.round(Number(skewMs) / 1000));
  expect(seconds).toEqual([60, 60, -3600]);
});

test('after a batch that the hub could not store, tables are sent again', async () => {
  hub.behave(({ kind }, call) => {
    if (kind.case !== 'batch' || kind.value.seq !== 1n) return true;
    const { epoch, lane, seq } = kind.value;
    const value = { epoch, lane, seq, code: 'series.bad-frame', detail: 'It cannot be read.' };
    hub.acked.set(laneOf(kind.value), 1n);
    call.write(say({ case: 'rejected', value: { $typeName: 'outrider.agent.v1.Rejected', ...value } }));
    call.write(say({ case: 'ack', value: { $typeName: 'outrider.agent.v1.Ack', epoch, lane, seq } }));
    return false;
  });
  const made = await link();
  await put('cannot be stored');
  await until(() => made.state().rejected === 1);
  for (const text of ['b', 'c']) await put(text);
  await until(() => hub.stored.size === 2);
  expect([...hub.stored.values()].map(({ tables }) => tables.length)).toEqual([1, 0]);
});

test('what earlier runs left is sent under its own epoch and lane', async () => {
  for (let n = 0; n < 32; n++) await put(`old ${n}`, 1);
  const old = spool.epoch;
  await spool.close();
  spool = await openSpool({ folder: join(data, 'spool'), limit: 1e9, log: silentLogger });
  await put('new', 1);
  await link();
  await until(() => hub.stored.size === 33 && spool.lines().waiting === 0);
  const keys = [...hub.stored.keys()];
  expect(keys).toContain(keyOf({ epoch: old, lane: Lane.BACKFILL, seq: 2n } as Batch));
  expect(keys).toContain(keyOf({ epoch: old, lane: Lane.LIVE, seq: 30n } as Batch));
  expect(keys).toContain(keyOf({ epoch: spool.epoch, lane: Lane.LIVE, seq: 1n } as Batch));
});

test('a refusal that no retry will change is told once as an error, and the spool keeps everything', async () => {
  const errors: unknown[] = [];
  hub.behave((_message, call) => {
    const value = { code: 'ingest.revoked', detail: 'An administrator removed it.', retry: false };
    call.write(say({ case: 'refusal', value: { $typeName: 'outrider.agent.v1.Refusal', ...value } }));
    call.end();
    return false;
  });
  await put('kept');
  const made = await link({ log: { ...silentLogger, error: (_message, facts) => void errors.push(facts) } });
  await until(() => errors.length > 0);
  const reason = `an administrator removed this agent from the hub. To bring it back, get a new join token, stop the agent, and run: outrider-agent enroll --force --data ${data}`;
  expect(errors).toEqual([{ hub: hub.address, reason }]);
  expect(made.state()).toMatchObject({ connected: false, reason });
  expect(spool.reader('live').next()?.seq).toBe(1n);
});

test('a hub that is not there is told in words of ours', async () => {
  hub.stop();
  const made = await link();
  await until(() => made.state().reason !== 'the first try is under way');
  expect(made.state().reason).toBe(`nobody listens at ${hub.address}`);
});

test.each([
  [
    'No connection established. Last error: Error: connect EHOSTUNREACH 10.0.0.9:4320. Resolution note: ',
    'hub:4320 cannot be reached: connect EHOSTUNREACH 10.0.0.9:4320',
  ],
  ['No connection established. Last error: null. Resolution note: ', 'hub:4320 cannot be reached'],
  ['No connection established', 'hub:4320 cannot be reached'],
  ['Name resolution failed for target dns:hub:4320', 'the name in hub:4320 cannot be resolved'],
  ['Connection dropped', 'hub:4320 closed the connection'],
  ['something else', 'something else'],
])('the transport says “%s”, the agent “%s”', (details, words) => {
  expect(reasonFor({ details, message: '14 UNAVAILABLE' }, 'hub:4320')).toBe(words);
});

test('a certificate of another authority is not let in', async () => {
  const made = await link({ from: await createTestAuthority() });
  await until(() => made.state().reason !== 'the first try is under way');
  expect(made.state().connected).toBe(false);
  expect(hub.hellos).toEqual([]);
});

test('a certificate that nears its end is renewed with a new key, and kept', async () => {
  const past = await createTestAuthority(() => Date.now());
  hub.stop();
  authority = past;
  hub = await startScriptedHub(past);
  hub.behave((message, call) => {
    if (message.kind.case !== 'renew') return true;
    void past
      .certify(message.kind.value.publicKey, 'agent-1', 30)
      .then((chain) =>
        call.write(say({ case: 'certificate', value: { $typeName: 'outrider.agent.v1.Certificate', chain } })),
      );
    return false;
  });
  await link({ days: 0.01 }); // With the hour that it is backdated, four fifths of its life are over.
  await until(() => readIdentity(data) !== undefined);
  const { certificate, key } = readIdentity(data) ?? { certificate: '', key: '' };
  expect(Date.parse(new X509Certificate(certificate).validTo) - Date.now()).toBeGreaterThan(29 * 86_400_000);
  expect(key).toContain('PRIVATE KEY');
});

test('a new certificate that does not fit, or that the disk does not take, leaves the old one and the stream', async () => {
  const warnings: unknown[] = [];
  const log: Logger = { ...silentLogger, warn: (message) => void warnings.push(message) };
  const foreign = await authority.agent('agent-1');
  hub.behave((message, call) => {
    if (message.kind.case !== 'renew') return true;
    const value = { $typeName: 'outrider.agent.v1.Certificate', chain: foreign.certificate } as const;
    call.write(say({ case: 'certificate', value }));
    return false;
  });
  const made = await link({ days: 0.01, log });
  await until(() => warnings.length > 0);
  expect(warnings).toEqual(['the new certificate could not be kept; the old one stays']);
  expect(readIdentity(data)).toBeUndefined();
  await put('still heard');
  await until(() => texts().includes('still heard'));
  await made.stop();

  hub.behave((message, call) => {
    if (message.kind.case !== 'renew') return true;
    void authority.certify(message.kind.value.publicKey, 'agent-1', 30).then((chain) => {
      const value = { $typeName: 'outrider.agent.v1.Certificate', chain } as const;
      call.write(say({ case: 'certificate', value }));
    });
    return false;
  });
  writeFileSync(join(data, 'identity'), ''); // A folder cannot be made there.
  const next = await link({ days: 0.01, log });
  await until(() => warnings.length > 1);
  await put('heard again');
  await until(() => texts().includes('heard again'));
  expect(next.state().connected).toBe(true);
});

test('an agent whose certificate has ended is told what to do', async () => {
  const made = await link({ days: -0.01 });
  await until(() => made.state().reason !== 'the first try is under way');
  expect(made.state().reason).toMatch(/certificate ended on .* outrider-agent enroll --force --data /);
  await put('kept');
  expect(spool.lines().lost).toBe(0);
});

test('a batch that no hub can read is put aside after three refusals, counted as lost, and what follows goes on', async () => {
  const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 1000, signal) };
  let refusals = 0;
  const dead = new WeakSet<Call>();
  hub.givenUp.set(2n, 1n);
  hub.behave((message, call) => {
    if (dead.has(call)) return false;
    if (message.kind.case !== 'batch' || Buffer.from(message.kind.value.metrics).toString() !== 'poison') return true;
    refusals += 1;
    dead.add(call);
    const value = { code: 'ingest.bad-frame', detail: 'It cannot be read.', retry: false };
    call.write(say({ case: 'refusal', value: { $typeName: 'outrider.agent.v1.Refusal', ...value } }));
    call.end();
    return false;
  });
  for (const text of ['before', 'poison', 'after']) await put(text, 2);
  const made = await link({ clock });
  await until(() => texts().includes('after'));
  expect(texts()).toEqual(['before', 'after']);
  expect(refusals).toBe(3);
  await until(() => made.state().acknowledged === 3n);
  expect(spool.lines()).toEqual({ carried: 0, put: 6, waiting: 0, acknowledged: 4, lost: 2 });
  expect(listQuarantine(join(data, 'spool', 'quarantine'))).toMatchObject([{ reason: 'It cannot be read.', lines: 2 }]);
});

test('a batch too large for the transport is told from those that a slow hub has not acknowledged yet', async () => {
  const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 1000, signal) };
  const dead = new WeakSet<Call>();
  hub.givenUp.set(3n, 1n);
  hub.behave((message, call) => {
    if (message.kind.case !== 'batch') return true;
    const batch = message.kind.value;
    if (Buffer.from(batch.metrics).toString() === 'poison') {
      dead.add(call);
      call.emit('error', {
        code: grpc.status.RESOURCE_EXHAUSTED,
        details: 'Received message larger than max (9 vs. 8)',
      });
    } else if (!dead.has(call)) setTimeout(() => hub.store(batch, call), 100);
    return false;
  });
  for (const text of ['one', 'two', 'poison', 'after']) await put(text, 2);
  await link({ clock });
  await until(() => texts().includes('after'));
  expect(texts()).toEqual(['one', 'two', 'after']);
  await until(() => spool.lines().waiting === 0);
  expect(spool.lines()).toMatchObject({ acknowledged: 6, lost: 2 });
  expect(listQuarantine(join(data, 'spool', 'quarantine'))).toHaveLength(1);
});

test('a machine that was put back to an earlier state loses nothing and doubles nothing', async () => {
  await put('a');
  await spool.close();
  cpSync(join(data, 'spool'), join(data, 'earlier'), { recursive: true });
  const open = (): Promise<Spool> => openSpool({ folder: join(data, 'spool'), limit: 1e9, log: silentLogger });
  spool = await open();
  for (const text of ['b', 'c']) await put(text);
  const first = await link();
  await until(() => texts().includes('c'));
  await first.stop();
  await spool.close();
  rmSync(join(data, 'spool'), { recursive: true });
  cpSync(join(data, 'earlier'), join(data, 'spool'), { recursive: true });
  spool = await open();
  for (const text of ['d', 'e', 'f']) await put(text);
  await link();
  await until(() => hub.stored.size === 6 && !spool.hasMore('live') && !spool.hasMore('backfill'));
  expect(texts().sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('a stop waits until what was collected last is acknowledged', async () => {
  const made = await link();
  await until(() => made.state().connected);
  await put('last words');
  await made.stop();
  expect(texts()).toEqual(['last words']);
});
