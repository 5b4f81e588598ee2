import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '#kit/programs.ts';
import { startUsers, type StartedUsers } from '#kit/sign-in.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'outrider-downloads-'));
const [operator, built] = [join(folder, 'operator'), join(folder, 'built')];
let hub: StartedUsers;
beforeAll(async () => {
  mkdirSync(built);
  writeFileSync(join(built, 'install.sh'), '#!/bin/sh\n');
  writeFileSync(join(built, 'outrider-agent-1.2.3-linux-x64.tar.gz'), 'x'.repeat(8_000_000));
  writeFileSync(join(built, 'hub.key'), 'a secret that somebody left there');
  writeFileSync(join(folder, 'outside.deb'), 'outside');
  hub = await startUsers([], { downloads: [operator, built] });
  await hub.listener.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

const get = (path: string) => hub.listener.inject({ method: 'GET', url: path });

test('a machine that has nothing yet gets the script and the archive, without signing in', async () => {
  const script = await get('/downloads/install.sh');
  expect([script.statusCode, script.body, script.headers['cache-control']]).toEqual([200, '#!/bin/sh\n', 'no-cache']);
  const archive = await get('/downloads/outrider-agent-1.2.3-linux-x64.tar.gz');
  expect([archive.statusCode, archive.headers['content-length']]).toEqual([200, '8000000']);
  expect(archive.headers['content-encoding']).toBeUndefined();
});

test.each([
  'hub.key',
  '../outside.deb',
  '..%2foutside.deb',
  '%2e%2e/outside.deb',
  'outrider-agent-../../outside.deb',
  'outrider-agent-%00.deb',
  '',
  'outrider-agent-9.9.9-linux-x64.tar.gz',
])('%j is not there', async (name) => {
  const reply = await get(`/downloads/${name}`);
  expect(reply.statusCode).toBeGreaterThanOrEqual(400);
  expect(reply.statusCode).toBeLessThan(500);
  expect(reply.body).not.toMatch(/outside"|secret/);
});

test('what an operator puts there comes before what was built, at once', async () => {
  mkdirSync(operator);
  writeFileSync(join(operator, 'install.sh'), '# theirs\n');
  expect((await get('/downloads/install.sh')).body).toBe('# theirs\n');
});

test('readers that never read hold so many files and no more; when they leave, others are served', async () => {
  const { port } = hub.listener.server.address() as AddressInfo;
  const ask = (): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const call = request({ port, host: '127.0.0.1', path: '/downloads/outrider-agent-1.2.3-linux-x64.tar.gz' });
      call.on('response', (reply) => resolve(reply.on('error', () => undefined))).on('error', reject);
      call.end();
    });
  const slow = await Promise.all(Array.from({ length: 32 }, ask));
  expect(new Set(slow.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  const refused = await get('/downloads/install.sh');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '60']);
  expect(refused.json()).toMatchObject({ code: 'gateway.busy' });
  for (const reply of slow) reply.destroy();
  await until('the files are free again', async () =>
    (await get('/downloads/install.sh')).statusCode === 200 ? true : undefined,
  );
});
