import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock } from '#kit/manual-clock.ts';
import { Problem, systemClock, type Component } from '#sdk';
import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAuthority } from './services/ingest/authority.ts';
import { createDoctor, findMismatches, type Finding } from './doctor.ts';
import { createMeasures } from './measures.ts';
import type { Ports } from './service.ts';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'outrider-doctor-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const away = new Problem(
  'relational.unavailable',
  { status: 503, title: 'Away.', retryable: true },
  'PostgreSQL at db:5432 does not answer.',
);

async function examine(given: {
  metrics?: Registry;
  check?: Component['check'];
  certificate?: string;
  clock?: ReturnType<typeof createManualClock>;
}): Promise<Finding[]> {
  const {
    metrics = new Registry(),
    check = () => Promise.resolve(),
    certificate = '',
    clock = createManualClock(),
  } = given;
  const checked = [{ name: 'relational', component: { check } }];
  return createDoctor({ checked: () => checked, metrics, dataFolder: folder, certificate, clock }).examine();
}
const about = (findings: readonly Finding[], subject: string) => findings.find((one) => one.subject === subject);

test('a store that is away is failing, in its own words, with what to do', async () => {
  expect(about(await examine({}), 'relational')).toMatchObject({ level: 'ok', todo: '' });
  expect(about(await examine({ check: () => Promise.reject(away) }), 'relational')).toMatchObject({
    level: 'failing',
    text: 'PostgreSQL at db:5432 does not answer.',
    todo: expect.stringContaining('tried again') as string,
  });
});

test('a part that knows what to do about its fault says it', async () => {
  const kind = { status: 503, title: 'Away.', retryable: true };
  const fault = new Problem('ingest.nats-away', kind, 'It does not answer.', { facts: { todo: 'Start it.' } });
  const findings = await examine({ check: () => Promise.reject(fault) });
  expect(about(findings, 'relational')).toMatchObject({ level: 'failing', todo: 'Start it.' });
});

test('a store that never answers is failing too', async () => {
  const clock = createManualClock();
  const asked = examine({ check: () => new Promise(() => undefined), clock });
  await new Promise((resolve) => setTimeout(resolve, 50));
  await clock.advance(5_000);
  expect(about(await asked, 'relational')).toMatchObject({ level: 'failing', text: 'no answer within 5 s' });
});

test('ports that fail or are slow are named with their figures', async () => {
  const metrics = new Registry();
  const measures = createMeasures(metrics);
  const series = measures.port('series', 'embedded', {
    append: (ok: boolean) => (ok ? Promise.resolve() : Promise.reject(new Error('no'))),
  });
  for (let n = 0; n < 40; n++) await series.append(n % 4 !== 0).catch(() => undefined);
  expect(about(await examine({ metrics }), 'port series')).toMatchObject({
    level: 'failing',
    text: '25 % of 40 calls failed',
  });

  const cache = measures.port('cache', 'redis', { get: () => systemClock.sleep(60) });
  await Promise.all(Array.from({ length: 30 }, () => cache.get()));
  expect(about(await examine({ metrics }), 'port cache')).toMatchObject({
    level: 'slow',
    todo: expect.stringContaining('25 ms is usual') as string,
  });
});

test('only the last minutes count', async () => {
  const [metrics, clock] = [new Registry(), createManualClock()];
  const port = createMeasures(metrics).port('bus', 'nats', { publish: () => Promise.reject(new Error('no')) });
  const doctor = createDoctor({ checked: () => [], metrics, dataFolder: folder, certificate: '', clock });
  await doctor.start?.();
  for (let n = 0; n < 40; n++) await port.publish().catch(() => undefined);
  expect(about(await doctor.examine(), 'port bus')?.level).toBe('failing');
  for (let minute = 0; minute < 3; minute++) {
    await clock.advance(60_000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(about(await doctor.examine(), 'port bus')?.level).toBe('ok');
  await doctor.stop?.();
});

test('a sister that is left alone, messages that wait and messages that were put aside are named', async () => {
  const metrics = new Registry();
  const gauge = (name: string, labels: Record<string, string>, value: number): void => {
    new Gauge({ name, help: name, labelNames: Object.keys(labels), registers: [metrics] }).set(labels, value);
  };
  gauge('outrider_peer_breaker_state', { service: 'logs', address: 'http://logs:8084' }, 2);
  gauge('outrider_bus_pending_messages', { subscriber: 'monitoring' }, 5_000);
  gauge('outrider_bus_dead_letters', { subscriber: 'logs' }, 3);
  const findings = await examine({ metrics });
  expect(about(findings, 'service logs')).toMatchObject({
    level: 'failing',
    text: 'http://logs:8084 does not answer and is left alone',
  });
  expect(about(findings, 'bus monitoring')).toMatchObject({ level: 'slow', text: '5000 messages wait' });
  expect(about(findings, 'bus')).toMatchObject({
    level: 'failing',
    todo: expect.stringContaining('bus replay') as string,
  });
});

test('a certificate that ends soon is near its limit, one that has ended is failing', async () => {
  const clock = createManualClock();
  const { certificate: pem } = await createAuthority(clock.now());
  const certificate = join(folder, 'hub.pem');
  writeFileSync(certificate, pem);
  expect(about(await examine({ certificate, clock }), 'certificate')?.level).toBe('ok');
  await clock.advance(3645 * 86_400_000);
  expect(about(await examine({ certificate, clock }), 'certificate')?.level).toBe('near');
  await clock.advance(10 * 86_400_000);
  expect(about(await examine({ certificate, clock }), 'certificate')?.level).toBe('failing');
});

test('a series store that may lose its last seconds is told of on a bus that keeps none', async () => {
  const series = { doubts: () => () => undefined } as Partial<Ports['series']> as Ports['series'];
  const bus = {} as Ports['bus'];
  expect(findMismatches({ series, bus: { ...bus, upkeep: {} as never } })).toEqual([]);
  expect(findMismatches({ series: {} as Ports['series'], bus })).toEqual([]);
  const known = findMismatches({ series, bus });
  const given = { checked: () => [], known, metrics: new Registry(), dataFolder: folder, certificate: '' };
  const doctor = createDoctor({ ...given, clock: createManualClock() });
  expect(about(await doctor.examine(), 'series on a local bus')).toMatchObject({
    level: 'near',
    todo: 'Set bus.adapter: nats.',
  });
});
