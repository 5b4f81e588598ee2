import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createTestAuthority } from '../../test/kit/authority.ts';
import { connectHttp } from './http.ts';
import type { HttpTarget } from './settings.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listen(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const tls = { ca: '', certificate: '', key: '', serverName: '', verify: true };
const at = (url: string, more: Partial<HttpTarget> = {}): HttpTarget => ({
  name: 'x', interval: 0, timeout: 4, labels: {}, user: '', password: '', token: '', tls, url, ...more,
}); // prettier-ignore
const ask = async (target: HttpTarget, path = '', maxBytes = 1000): Promise<string> => {
  const connection = connectHttp(target, { maxBytes, accept: 'text/plain' });
  try {
    return await connection.ask(path, new AbortController().signal);
  } finally {
    connection.close();
  }
};

const echo: RequestListener = (request, answer) => void answer.end(`${request.url} ${request.headers.authorization}`);

test('a question is a path below the address, and credentials go into a header', async () => {
  const url = `http://127.0.0.1:${await listen(createServer(echo))}/api/`;
  expect(await ask(at(url))).toBe('/api/ undefined');
  expect(await ask(at(url, { user: 'ann', password: 'hidden' }), '/x?y=1')).toBe('/api/x?y=1 Basic YW5uOmhpZGRlbg==');
  expect(await ask(at(url, { token: 'hidden' }))).toBe('/api/ Bearer hidden');
});

test('an answer that is too large, cut off or of another status is refused', async () => {
  const port = await listen(
    createServer((request, answer) => {
      if (request.url === '/large') return void answer.end('x'.repeat(1001));
      if (request.url === '/moved') return void answer.writeHead(302, { location: 'file:///etc/passwd' }).end();
      answer.writeHead(200, { 'content-length': 10 }).write('half', () => answer.destroy());
    }),
  );
  const url = `http://127.0.0.1:${port}`;
  await expect(ask(at(`${url}/large`))).rejects.toThrow('larger than 1000 bytes');
  await expect(ask(at(`${url}/moved`))).rejects.toThrow('status 302');
  await expect(ask(at(`${url}/cut`))).rejects.toThrow('aborted');
});

test('a certificate must be valid and bear the right name, unless the settings say otherwise', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-http-'));
  const authority = await createTestAuthority();
  const identity = await authority.server(['shop.test']);
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, authority.ca);
  const url = `https://127.0.0.1:${await listen(createTlsServer(identity, echo))}/`;
  const over = (more: object) => ask(at(url, { tls: { ...tls, ...more } }));
  await expect(over({})).rejects.toThrow(/certificate/);
  await expect(over({ ca })).rejects.toThrow(/altnames/);
  expect(await over({ ca, serverName: 'shop.test' })).toBe('/ undefined');
  expect(await over({ verify: false })).toBe('/ undefined');
  rmSync(folder, { recursive: true });
});
