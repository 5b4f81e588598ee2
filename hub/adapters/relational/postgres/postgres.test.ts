import { until } from '#kit/programs.ts';
import { checkSettings, silentLogger, systemClock, type Component } from '#sdk';
import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { onServer } from '../../../../test/services/index.ts';
import { emptyDatabase, postgres } from '../../../../test/services/postgres.ts';
import { relationalContract } from '../../../ports/relational.contract.ts';
import type { Relational } from '../../../ports/relational.ts';
import { postgresRelational } from './index.ts';

function adapterFor(url: string): Component & { port: Relational } {
  const config = checkSettings(postgresRelational.config, { url }, []);
  return postgresRelational.create({
    config,
    dataFolder: '',
    metrics: new Registry(),
    log: silentLogger,
    clock: systemClock,
    fail: () => undefined,
  });
}

const failureOf = (url: string): Promise<unknown> => {
  const adapter = adapterFor(url);
  return (adapter.start?.() ?? Promise.resolve()).catch((error: unknown) => error).finally(() => adapter.stop?.());
};

await onServer(postgres, (address) => {
  let made = 0;
  relationalContract('postgres', async () =>
    adapterFor(await emptyDatabase(address, `outrider_contract_${(made += 1)}`)),
  );

  test('scheduled work runs once a minute, however many hubs know of it', { timeout: 200_000 }, async () => {
    const url = await emptyDatabase(address, 'outrider_schedules');
    const adapters = [adapterFor(url), adapterFor(url), adapterFor(url)];
    const runs: { hub: number; minute: number }[] = [];
    try {
      await Promise.all(
        adapters.map(async (adapter, hub) => {
          await adapter.start?.();
          await adapter.port.schedule('clockwork', 'tick', '* * * * *', () => {
            runs.push({ hub, minute: Math.floor(systemClock.now() / 60_000) });
            return Promise.resolve();
          });
        }),
      );
      await until('it ran in two minutes', () => new Set(runs.map(({ minute }) => minute)).size >= 2 || undefined, 180);
      expect(runs.map(({ minute }) => minute)).toEqual([...new Set(runs.map(({ minute }) => minute))]);
    } finally {
      await Promise.all(adapters.map((adapter) => adapter.stop?.() ?? Promise.resolve()));
    }
  });

  describe('signing in', () => {
    test('a superuser is refused with the statement that makes a modest one', async () => {
      expect(await failureOf(address.url)).toMatchObject({
        code: 'relational.too-powerful',
        message: expect.stringContaining('CREATE ROLE outrider LOGIN CREATEROLE NOINHERIT'),
      });
    });

    test('a wrong password is refused without showing it', async () => {
      const url = new URL(address.url);
      url.password = 'wrong-one';
      const failure = await failureOf(url.href);
      expect(failure).toMatchObject({ code: 'relational.refused' });
      expect(String(failure)).not.toContain('wrong-one');
    });

    test('TLS that the address demands and the server lacks is refused', async () => {
      const url = new URL(address.url);
      url.searchParams.set('sslmode', 'verify-full');
      expect(await failureOf(url.href)).toMatchObject({ code: 'relational.refused' });
    });
  });
});

test.each(['', 'localhost', 'http://127.0.0.1/x'])('the address "%s" is refused with an example', async (url) => {
  expect(await failureOf(url)).toMatchObject({
    code: 'relational.bad-address',
    message: expect.stringContaining('postgres://'),
  });
});

test.each(['127.0.0.1:1', 'no-such-host.invalid'])('a server that is not there is away: %s', async (place) => {
  const failure = await failureOf(`postgres://u:secret@${place}/x`);
  expect(failure).toMatchObject({ code: 'relational.unavailable', retryable: true });
  expect(String(failure)).toContain(`${place}/x does not answer`);
  expect(String(failure)).toContain('relational.url');
  expect(String(failure)).not.toContain('secret');
});
