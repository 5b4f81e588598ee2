import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#kit/programs.ts';
import { systemClock, type Problem } from '#sdk';
import { Type } from 'typebox';
import { afterEach, describe, expect, test } from 'vitest';
import { planFor, planSettings } from './assemble.ts';
import { services, type ServiceTable } from './catalogue.ts';
import { listTargets } from './commands/list-targets.ts';
import { printConfig } from './commands/print-config.ts';
import { defineService } from './service.ts';
import { createServiceTokens } from './service-token.ts';
import { startHub } from './start.ts';
import { readTarget } from './targets.ts';

const SECRET = 'a secret that all processes of this hub know';
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function faultsOf(target: string, flags: Record<string, unknown>): Promise<string[]> {
  const sources = { env: {}, flags };
  try {
    planSettings(await planFor(target, sources), sources);
    return [];
  } catch (error) {
    return (error as Problem).facts['faults'] as string[];
  }
}

describe('a target', () => {
  test('is all, one service on its own port, or several, in the order in which they start', () => {
    expect(readTarget('all')).toMatchObject({ name: 'all', port: 8080, sisters: [] });
    expect(readTarget('logs')).toMatchObject({ name: 'logs', services: ['logs'], port: 8084 });
    expect(readTarget('gateway, users')).toMatchObject({
      name: 'users,gateway',
      services: ['users', 'gateway'],
      port: 8080,
    });
    expect(readTarget(Object.keys(services).join(','))).toMatchObject({ name: 'all' });
    expect(() => readTarget('logz')).toThrow('"logz" is none of all, users');
  });

  test('listens on the port that the specification gives it', () => {
    const ports = Object.fromEntries(Object.entries(services).map(([name, { port }]) => [name, port]));
    const specified = { gateway: 8080, users: 8081, monitoring: 8082, predictions: 8083, logs: 8084, ci: 8085, resources: 8086, nlp: 8087, notifications: 8088, reports: 8089, ingest: 8090 }; // prettier-ignore
    expect(specified).toMatchObject(ports);
  });

  test('that is not all refuses what only one process can see, and wants a secret; every fault at once', async () => {
    const faults = await faultsOf('gateway', { port: 'x', listen: '0.0.0.0' });
    const alone = await faultsOf('monitoring', {
      listen: '0.0.0.0',
      peers: { secret: 'short', addresses: { logs: 'logs:1' } },
    });
    expect(faults.join('\n')).toContain('port: must be a whole number');
    expect(alone.join('\n')).toMatch(/peers\.secret: has 5 characters and needs 32/);
    expect(alone.join('\n')).toMatch(/peers\.addresses\.logs: "logs:1" is no address/);
    expect(alone.join('\n')).toMatch(/bus\.adapter: "local" reaches this process alone/);
    expect(alone.join('\n')).toMatch(/relational\.adapter: "embedded" reaches this process alone.*postgres/);
    expect(alone.join('\n')).toMatch(/tls\.certificate: is missing/);
    expect(alone.join('\n')).not.toContain('series.adapter');
    expect((await faultsOf('gateway', {})).join('\n')).toMatch(/peers\.secret: is missing/);
  });

  test('takes a settings file that serves every process, and still refuses a section that nobody has', async () => {
    const cache = { adapter: 'redis', url: 'redis://127.0.0.1:6379' };
    const flags = {
      peers: { secret: SECRET },
      cache,
      logs: { days: 3 },
      monitoring: { rawDays: 1 },
      ingest: { port: 4321 },
    };
    expect(await faultsOf('gateway', flags)).toEqual([]);
    expect(await faultsOf('gateway', { ...flags, logz: {} })).toEqual([
      expect.stringContaining('there is no "logz" here; is "logs" meant?'),
    ]);
  });
});

test('every target is listed with its port and what it needs', async () => {
  const rows = JSON.parse(await listTargets(true)) as { target: string; port: number; needs: string[] }[];
  expect(rows.map(({ target }) => target).toSorted()).toEqual(['all', ...Object.keys(services)].toSorted());
  expect(rows.find(({ target }) => target === 'logs')).toMatchObject({
    port: 8084,
    needs: ['relational', 'logstore', 'bus'],
  });
  expect(await listTargets(false)).toMatch(/^all +8080 {2}Every service/);
});

test('every setting is printed with where it came from, and no secret', async () => {
  const env = { OUTRIDER_LOGS__DAYS: '3' };
  const text = await printConfig('all', { env, flags: { port: 9000, peers: { secret: SECRET } } }, false);
  expect(text).toMatch(/^port: 9000 +# flag$/m);
  expect(text).toMatch(/^logs\.days: 3 +# OUTRIDER_LOGS__DAYS$/m);
  expect(text).toMatch(/^listen: "127\.0\.0\.1" +# default$/m);
  expect(text).toMatch(/^peers\.secret: "\*\*\*" +# flag$/m);
  expect(text).not.toContain(SECRET);
});

test('a service added to the table is a target: alone on its port, asked by its sisters, part of all', async () => {
  const scratch = defineService({
    name: 'scratch',
    summary: 'A service that a test adds.',
    needs: ['peers', 'cache'],
    config: Type.Object({ greeting: Type.String({ description: 'What it says.', default: 'hello' }) }),
    create: ({ config }) => ({
      routes(app) {
        app.get('/internal/scratch', { config: { role: 'service' } }, () => ({ says: config.greeting }));
      },
    }),
  });
  // The one line of the catalogue.
  const table: ServiceTable = {
    ...services,
    scratch: { port: 8099, prefixes: ['/api/v1/scratch'], load: async () => scratch },
  };
  expect(readTarget('all', table).services).toContain('scratch');
  expect(readTarget('scratch', table)).toMatchObject({ port: 8099, sisters: Object.keys(services) });

  const data = mkdtempSync(join(tmpdir(), 'outrider-scratch-'));
  ends.push(() => rmSync(data, { recursive: true, force: true }));
  const port = await freePort();
  // It shares the cache with nobody here: a cache of its own would be refused.
  const alone = { ...scratch, needs: ['peers'] as const, create: scratch.create as never };
  const hub = await startHub({
    target: 'scratch',
    table: { ...table, scratch: { port: 8099, prefixes: [], load: async () => alone } },
    sources: { env: {}, flags: { data, port, peers: { secret: SECRET }, scratch: { greeting: 'alone' } } },
    clock: systemClock,
    sinks: [],
  });
  ends.push(() => hub.stop());
  expect((await fetch(`${hub.url.replace(':8080', `:${port}`)}/ready`)).status).toBe(200);
  const token = await createServiceTokens({ secrets: [SECRET], clock: systemClock }).sign('scratch', undefined);
  const answer = await fetch(`http://127.0.0.1:${port}/peers/scratch/internal/scratch`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(await answer.json()).toEqual({ says: 'alone' });
});
