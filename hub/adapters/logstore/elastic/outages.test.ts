import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, request, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '#kit/authority.ts';
import { startFaultProxy } from '#kit/fault-proxy.ts';
import { makeAdapter } from '#kit/stores.ts';
import { checkSettings, systemClock, type Component } from '#sdk';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { elasticsearch8, elasticsearch9 } from '../../../../test/services/elasticsearch.ts';
import { onOwnServer, onServer, ownName } from '../../../../test/services/index.ts';
import type { Instance } from '../../../../test/services/processes.ts';
import type { LogStore, LogWrite } from '../../../ports/logstore.ts';
import { elasticLogstore } from './index.ts';

type Adapter = Component & { port: LogStore };

const ORG = '11111111-1111-4111-8111-111111111111';
const ALL = { from: 0, to: 8.64e15 };
const ONE = { limit: 1, offset: 0 };

const running: Adapter[] = [];
const listening: Server[] = [];
afterEach(async () => {
  for (const adapter of running.splice(0)) await adapter.stop?.();
  for (const server of listening.splice(0)) await new Promise((resolve) => server.close(resolve));
});
async function startOn(given: object): Promise<LogStore> {
  const adapter = makeAdapter(elasticLogstore, '', { prefix: 'o-outages', ...given });
  running.push(adapter);
  await adapter.start?.();
  return adapter.port;
}
const failureOf = (given: object): Promise<unknown> => startOn(given).catch((error: unknown) => error);
async function listen(server: Server): Promise<number> {
  listening.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
const telling = (code: string, ...words: string[]): object => ({
  code: `logstore.${code}`,
  retryable: true,
  message: expect.toSatisfy((message: string) => words.every((word) => message.includes(word))),
});
const write = (agent: string, seq: bigint, texts: readonly string[]): LogWrite => ({
  resource: agent,
  key: { agent, epoch: 1n, lane: 1, seq },
  lines: texts.map((text) => ({ timeMs: Date.now(), text, level: 2, source: '/log', truncated: false })),
});

for (const kind of [elasticsearch8, elasticsearch9]) {
  await onOwnServer(kind, (start) => {
    test(`an ${kind.title} that is killed under appends loses nothing acknowledged and doubles nothing`, async () => {
      const server = await start();
      const given = { urls: [server.address.url], timeoutSeconds: 10 };
      const stores = [await startOn(given), await startOn(given)];
      const acknowledged = new Map<string, bigint>();
      let ended = false;
      let refusals = 0;
      const feed = async (agent: string): Promise<void> => {
        for (let seq = 1n, turn = 0; !ended || refusals === 0; turn += 1) {
          // Another hub may get the resend.
          const store = stores[turn % 2] as LogStore;
          try {
            // The same batch at each try.
            const lines = [0, 1].map((at) => `${agent} ${seq} ${at}`);
            const batch = write(agent, seq, lines);
            const timeMs = 1_750_000_000_000 + Number(seq) * 1_000_000;
            await store.append(ORG, { ...batch, lines: batch.lines.map((line) => ({ ...line, timeMs })) });
            acknowledged.set(agent, seq);
            seq += 1n;
          } catch (error) {
            expect(error).toMatchObject({ retryable: true });
            refusals += 1;
            await systemClock.sleep(50);
          }
        }
      };
      const enough = async (more: bigint): Promise<void> => {
        const from = acknowledged.get('a') ?? 0n;
        while ((acknowledged.get('a') ?? 0n) < from + more) await systemClock.sleep(10);
      };
      const feeding = Promise.all(['a', 'b', 'c'].map(feed));
      await enough(15n);
      await server.kill();
      await server.again();
      await enough(5n);
      ended = true;
      await feeding;
      const again = await startOn(given);
      let total = 0;
      for (const [agent, seq] of acknowledged) {
        expect((await again.acknowledged(ORG, agent, 1n)).live).toBe(seq);
        const found: string[] = [];
        for (let offset = 0; offset < Number(seq) * 2; offset += 1_000) {
          const page = await again.search(ORG, { ...ALL, resources: [agent] }, { limit: 1_000, offset });
          expect(page).toMatchObject({ total: Number(seq) * 2, complete: true });
          found.push(...page.lines.map(({ text }) => text));
        }
        const stored = Array.from({ length: Number(seq) * 2 }, (_, at) => `${agent} ${(at >> 1) + 1} ${at % 2}`);
        expect(found.reverse()).toEqual(stored);
        total += stored.length;
      }
      expect((await again.usage()).lines).toBe(total);
    }, 300_000);
  });
}

await onServer(elasticsearch8, ({ url }) => {
  const port = Number(new URL(url).port);
  const prefix = ownName('o-away').replace('_', '-');
  afterAll(async () => {
    for (const index of [
      `${prefix}-keys`,
      `${prefix}-lines-${new Date().toISOString().slice(0, 10).replaceAll('-', '.')}`,
    ])
      await fetch(`${url}/${index}`, { method: 'DELETE' });
    await fetch(`${url}/_index_template/${prefix}-*`, { method: 'DELETE' });
  });

  test('a server that is away or says nothing is named, and all goes on when it is back', async () => {
    const proxy = await startFaultProxy({ port });
    const host = `${proxy.host}:${proxy.port}`;
    const given = { urls: [`http://${host}`], timeoutSeconds: 4, prefix };
    try {
      const store = await startOn(given);
      await store.append(ORG, write('h', 1n, ['one']));
      for (const fault of ['closed', 'reset', 'silent', 'garbage'] as const) {
        await proxy.set(fault);
        const told = telling('unavailable', host, 'logstore.urls');
        await expect(store.append(ORG, write('h', 2n, ['two'])), fault).rejects.toMatchObject(told);
        await expect(store.search(ORG, ALL, ONE), fault).rejects.toMatchObject(told);
        await expect(store.check(), fault).rejects.toMatchObject(told);
        expect(await failureOf(given), fault).toMatchObject(told);
      }
      await proxy.set('pass');
      await expect.poll(() => store.append(ORG, write('h', 2n, ['two'])), { timeout: 30_000 }).toBeUndefined();
      expect(await store.acknowledged(ORG, 'h', 1n)).toEqual({ live: 2n, backfill: 0n });
      expect(await store.search(ORG, ALL, ONE)).toMatchObject({ lines: [{ text: 'two' }], total: 2, complete: true });
    } finally {
      await proxy.stop();
    }
  }, 120_000);

  test('of several servers, one that is away is passed over', async () => {
    const proxy = await startFaultProxy({ port });
    const urls = [`http://${proxy.host}:${proxy.port}`, url];
    try {
      const store = await startOn({ urls, prefix });
      await proxy.set('closed');
      for (let seq = 1n; seq < 6n; seq += 1n) await store.append(ORG, write('several', seq, ['one']));
      expect((await store.search(ORG, { ...ALL, resources: ['several'] }, ONE)).total).toBe(5);
    } finally {
      await proxy.stop();
    }
  }, 60_000);

  describe('behind TLS', () => {
    const forward: RequestListener = (from, to) => {
      const { method, url: path, headers } = from;
      const onward = request(`${url}${path}`, { method, headers }, (answer) => {
        to.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(to);
      });
      from.pipe(onward);
    };
    const serve = async (now: number) => {
      const authority = await createTestAuthority(() => now);
      const folder = mkdtempSync(join(tmpdir(), 'outrider-ca-'));
      const ca = join(folder, 'ca.pem');
      writeFileSync(ca, authority.ca);
      const at = await listen(createHttps(await authority.server(), forward));
      return { given: { urls: [`https://127.0.0.1:${at}`], prefix }, ca, folder };
    };

    test('a certificate of a given authority is taken, another is not', async () => {
      const { given, ca, folder } = await serve(Date.now());
      const store = await startOn({ ...given, ca });
      await store.append(ORG, write('tls', 1n, ['one']));
      expect((await store.search(ORG, { ...ALL, resources: ['tls'] }, ONE)).total).toBe(1);
      expect(await failureOf(given)).toMatchObject(telling('unavailable', given.urls[0]!.slice(8), 'logstore.ca'));
      rmSync(folder, { recursive: true });
    });

    test('a certificate that is over is named', async () => {
      const { given, ca, folder } = await serve(Date.now() - 365 * 86_400_000);
      const told = telling('unavailable', given.urls[0]!.slice(8), 'certificate has expired', 'Renew');
      expect(await failureOf({ ...given, ca })).toMatchObject(told);
      rmSync(folder, { recursive: true });
    });
  });
});

await onOwnServer(elasticsearch9, (start) => {
  test('with security on, each refusal says what is wrong, and none a secret', async (context) => {
    const password = 'correct-one';
    // Whoever says no name may ask how the server is, which tells that it has started.
    const flags = ['enabled=true', 'http.ssl.enabled=false', 'authc.anonymous.roles=apm_system'];
    const args = flags.flatMap((flag) => ['-E', `xpack.security.${flag}`]);
    const note = ({ folder, container }: Instance): void => {
      if (container !== undefined) return;
      const salt = randomBytes(32);
      const hash = pbkdf2Sync(password, salt, 10_000, 32, 'sha512');
      const line = `root:{PBKDF2}10000$${salt.toString('base64')}$${hash.toString('base64')}\n`;
      writeFileSync(join(folder, 'config', 'users'), line);
      writeFileSync(join(folder, 'config', 'users_roles'), 'superuser:root\n');
    };
    const { address, instance } = await start({ args, note });
    if (instance.container !== undefined) return context.skip('a container is started without flags');
    const { url } = address;
    const { host } = new URL(url);
    const call = async (method: string, path: string, body: object) => {
      const headers = { 'content-type': 'application/json', authorization: `Basic ${btoa(`root:${password}`)}` };
      const answer = await fetch(`${url}/_security/${path}`, { method, headers, body: JSON.stringify(body) });
      expect(answer.status).toBe(200);
      return (await answer.json()) as { encoded: string };
    };
    const indices = [{ names: ['o-outages-*'], privileges: ['all'] }];
    await call('PUT', 'role/hub', { cluster: ['monitor', 'manage_index_templates'], indices });
    await call('PUT', 'role/narrow', { cluster: ['monitor'], indices });
    await call('PUT', 'user/hub', { password, roles: ['hub'] });
    await call('PUT', 'user/narrow', { password, roles: ['narrow'] });
    const key = await call('POST', 'api_key', { name: 'hub' });

    for (const secret of [{ username: 'hub', password: 'wrong-one' }, { apiKey: btoa('wrong:wrong-one') }]) {
      const failure = await failureOf({ urls: [url], ...secret });
      expect(failure).toMatchObject(telling('refused', host, 'logstore.apiKey', 'logstore.password'));
      expect(JSON.stringify(failure) + String(failure)).not.toMatch(/wrong-one|d3Jvbmc/);
    }
    const narrow = await failureOf({ urls: [url], username: 'narrow', password });
    expect(narrow).toMatchObject(telling('refused', host, 'manage_index_templates'));

    for (const [agent, secret] of [
      ['user', { username: 'hub', password }],
      ['key', { apiKey: key.encoded }],
    ] as const) {
      // prettier-ignore
      const store = await startOn({ urls: [url], ...secret });
      await store.append(ORG, write(agent, 1n, ['one']));
      expect((await store.search(ORG, { ...ALL, resources: [agent] }, ONE)).total).toBe(1);
      await store.deleteResource(ORG, agent);
      await store.retain({ days: 1, diskLimit: 1 });
      expect((await store.usage()).lines).toBe(0);
      await store.check();
    }
  }, 300_000);
});

test.each([
  ['7.17.9', { 'x-elastic-product': 'Elasticsearch' }, '7.17.9'],
  ['6.8.0', {}, '8 or 9'],
])('a server that tells %s is of a wrong version', async (number, headers, word) => {
  const at = await listen(
    createHttp((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ name: 'n', cluster_name: 'c', version: { number } }));
    }),
  );
  const failure = await failureOf({ urls: [`http://127.0.0.1:${at}`] });
  expect(failure).toMatchObject(telling('other-version', `127.0.0.1:${at}`, word, 'logstore.urls'));
});

test('settings that cannot work are refused with what to set, and without a secret', () => {
  const faults = (given: object): string =>
    (elasticLogstore.faults?.(checkSettings(elasticLogstore.config, given, [])) ?? []).join('\n');
  expect(faults({})).toMatch(/^logstore\.urls: is missing/);
  expect(faults({ urls: ['http://user:hidden@host:9200', 'host:9200'] })).toMatch(/\*\*\*@host:9200.*\n.*"host:9200"/);
  expect(faults({ urls: ['http://user:hidden@host:9200'] })).not.toMatch(/hidden/);
  expect(faults({ urls: ['http://h'], apiKey: 'a', username: 'b', password: 'c' })).toMatch(/not both/);
  expect(faults({ urls: ['http://h'], username: 'b' })).toMatch(/go together/);
  expect(faults({ urls: ['http://h:9200', 'https://h'], username: 'b', password: 'c' })).toBe('');
});
