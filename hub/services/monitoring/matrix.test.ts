import { randomUUID } from 'node:crypto';
import { feedHost } from '#kit/host-feed.ts';
import { startMonitoring, type StartedMonitoring } from '#kit/monitored.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

let hub: StartedMonitoring;
beforeAll(async () => void (hub = await startMonitoring()));
afterAll(() => hub.stop());

interface Column {
  name: string;
  attributes: Record<string, string>;
}
const BUSY = { name: 'system.cpu.busy', attributes: {} };
const CORE = { name: 'system.cpu.busy', attributes: { 'cpu.logical_number': '0' } };
const DISK = { name: 'system.disk.io', attributes: { 'system.device': 'sda', 'disk.io.direction': 'read' } };

async function ask(body: object): Promise<{ status: number; bytes: Buffer }> {
  const headers = { 'content-type': 'application/json' };
  const call = { method: 'POST', path: '/internal/monitoring/matrix', headers, body: JSON.stringify(body) } as const;
  const reply = await hub.peers.call('monitoring', call);
  const parts: Buffer[] = [];
  for await (const part of reply.body) parts.push(part as Buffer);
  return { status: reply.status, bytes: Buffer.concat(parts) };
}
const numbersOf = (bytes: Buffer): number[] => [...new Float32Array(new Uint8Array(bytes).buffer)];

test('samples of a host come as a table: a total and its part apart, counters as rates, and nothing where there is none', async () => {
  const { org } = await hub.outsider();
  const host = await feedHost(hub.bus, org, 'web-1');
  const from = Math.floor(hub.clock.now() / 10_000) * 10_000 - 60_000;
  for (const second of [0, 5, 10, 15, 30, 35])
    await host.send({
      timeMs: from + 1000 * second,
      samples: [
        { ...BUSY, value: second < 10 ? 0.2 : 0.4 },
        { ...CORE, value: 0.5 },
        { ...DISK, value: 100 * second, kind: 'counter' },
      ],
    });
  const columns: Column[] = [CORE, BUSY, DISK, { name: 'system.cpu.busy', attributes: { 'cpu.logical_number': '9' } }];
  const query = { org, resource: host.resource, from, to: from + 40_000, step: 10_000, columns };
  const { status, bytes } = await ask(query);
  expect(status).toBe(200);
  const numbers = numbersOf(bytes);
  expect(numbers.slice(0, 8).map((value) => Number(value.toFixed(3)))).toEqual([
    0.5,
    0.5,
    NaN,
    0.5,
    0.2,
    0.4,
    NaN,
    0.4,
  ]);
  expect(
    numbers
      .slice(8, 12)
      .filter(Number.isFinite)
      .every((rate) => Math.abs(rate - 100) < 1),
  ).toBe(true);
  expect(numbers.slice(8, 12).some(Number.isFinite)).toBe(true);
  expect(numbers.slice(12)).toEqual([NaN, NaN, NaN, NaN]);
  expect(numbersOf((await ask({ ...query, org: randomUUID() })).bytes).every(Number.isNaN)).toBe(true);
});

test('a table that is too large, or that begins between two steps, is refused', async () => {
  const { org } = await hub.outsider();
  const query = { org, resource: randomUUID(), from: 0, to: 10_000, step: 10_000, columns: [BUSY] };
  expect((await ask(query)).status).toBe(200);
  expect((await ask({ ...query, from: 1 })).status).toBe(400);
  expect((await ask({ ...query, from: 10_000 })).status).toBe(400);
  expect((await ask({ ...query, to: 50_000_000_000_000 })).status).toBe(400);
  expect((await ask({ ...query, step: 1500 })).status).toBe(400);
});
