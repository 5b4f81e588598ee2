import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger, type Logger } from '#sdk';
import { createTestAuthority } from '../../../test/kit/authority.ts';
import { runCollector } from '../../../test/kit/run-collector.ts';
import { check } from './index.ts';

const open: Server[] = [];
let folder = '';
let [plain, secure, ca] = ['', '', ''];

const page: RequestListener = (request, answer) => {
  const to = (location: string) => void answer.writeHead(302, { location }).end();
  if (request.url === '/once') return to('/');
  if (request.url === '/loop') return to('/loop');
  if (request.url === '/file') return to('file:///etc/passwd');
  if (request.url === '/down') return void answer.writeHead(503).end('sorry');
  if (request.url === '/endless')
    return void answer.write('x'.repeat(100_000), (error) => void (error ?? page(request, answer))); // Until it is hung up.
  answer.end('all is well');
};

async function listen(server: Server): Promise<string> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-check-'));
  const authority = await createTestAuthority();
  ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.ca);
  plain = await listen(createServer(page));
  secure = await listen(createTlsServer(await authority.server(['shop.test']), page));
});
afterAll(() => {
  for (const server of open) server.close();
  rmSync(folder, { recursive: true });
});

/** Runs checks and gives success and reason of each, and every value. */
async function run(targets: readonly Record<string, unknown>[]) {
  const reasons: Record<string, unknown> = {};
  const log: Logger = {
    ...silentLogger,
    child: ({ target }) => ({
      ...silentLogger,
      warn: (_message, facts) => (reasons[String(target)] = facts?.['reason']),
    }),
  };
  const [values = {}] = await runCollector(check, targets, undefined, { log });
  const of = (metric: string, name: string) => Object.entries(values).find(([key]) => key.startsWith(`${metric} check.name=${name} `))?.[1]; // prettier-ignore
  return { reasons, of };
}

test('a page is up when status, text and redirects are as the settings say', async () => {
  const url = `http://${plain}`;
  const { reasons, of } = await run([
    { name: 'good', address: `${url}/once`, contains: 'is well' },
    { name: 'expected', address: `${url}/down`, expectedStatus: ['503'] },
    { name: 'kept', address: `${url}/once`, redirects: 0, expectedStatus: ['3xx'] },
    { name: 'down', address: `${url}/down` },
    { name: 'other', address: url, contains: 'is lost' },
    { name: 'loop', address: `${url}/loop`, redirects: 2 },
    { name: 'file', address: `${url}/file` },
    { name: 'gone', address: 'http://127.0.0.1:1/' },
  ]);
  for (const name of ['good', 'expected', 'kept']) expect([name, of('check.success', name)]).toEqual([name, 1]);
  expect(of('check.http.status_code', 'down')).toBe(503);
  expect(reasons).toEqual({
    down: 'the answer is status 503',
    other: 'the answer does not hold the text',
    loop: 'more than 2 redirects',
    file: 'a redirect leads to what is no HTTP',
    gone: expect.stringContaining('ECONNREFUSED') as string,
  });
});

test('an answer without end is read to the limit, and one that never comes ends the check in its time', async () => {
  const silent = await listen(createServer(() => undefined));
  const { reasons, of } = await run([
    { name: 'endless', address: `http://${plain}/endless`, maxBytes: 5000 },
    { name: 'silent', address: `http://${silent}/`, timeout: 0.2 },
  ]);
  expect(of('check.http.body_size', 'endless')).toBe(5000);
  expect(of('check.success', 'endless')).toBe(1);
  expect(reasons).toEqual({ silent: 'no answer within 0.2 s' });
});

test('a certificate is told with its end; it must be trusted, bear the name and have days left', async () => {
  const tls = { ca, serverName: 'shop.test' };
  const { reasons, of } = await run([
    { name: 'good', type: 'tls', address: secure, tls },
    { name: 'page', address: `https://${secure}/`, tls },
    { name: 'unknown', type: 'tls', address: secure, tls: { serverName: 'shop.test' } },
    { name: 'name', type: 'tls', address: secure, tls: { ca } },
    { name: 'short', type: 'tls', address: secure, tls, minDays: 3650 },
    { name: 'plain', type: 'tls', address: plain },
  ]);
  for (const name of ['good', 'page', 'unknown', 'name', 'short'])
    expect(of('check.tls.certificate.remaining', name)).toBeGreaterThan(86_400);
  expect(['good', 'page', 'unknown', 'name', 'short'].map((name) => of('check.tls.certificate.valid', name))).toEqual([1, 1, 0, 0, 1]); // prettier-ignore
  expect([of('check.success', 'good'), of('check.success', 'page')]).toEqual([1, 1]);
  expect(Object.keys(reasons).sort()).toEqual(['name', 'plain', 'short', 'unknown']);
  expect(reasons['name']).toContain('altnames');
});

test('a port is up when it takes a connection, and a name when it has an address', async () => {
  const { reasons, of } = await run([
    { name: 'open', type: 'tcp', address: plain },
    { name: 'closed', type: 'tcp', address: '127.0.0.1:1' },
    { name: 'known', type: 'dns', address: 'localhost' },
    { name: 'unknown', type: 'dns', address: 'nothing.invalid' },
  ]);
  expect([of('check.success', 'open'), of('check.success', 'known')]).toEqual([1, 1]);
  expect(of('check.dns.addresses', 'known')).toBeGreaterThanOrEqual(1);
  expect(Object.keys(reasons).sort()).toEqual(['closed', 'unknown']);
});
