import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEgress } from './egress.ts';

const CALL = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hello' };
const signal = new AbortController().signal;

let server: Server;
let base = '';
let handle: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) =>
  void response.end('ok');
let calls = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    calls++;
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('an address that is not public', () => {
  const port = (): string => base.split(':')[1] ?? '';
  const guarded = createEgress({ allow: [] });

  test.each([
    ['loopback', (p: string) => `http://127.0.0.1:${p}/`],
    ['a decimal number', (p: string) => `http://2130706433:${p}/`],
    ['a hexadecimal number', (p: string) => `http://0x7f000001:${p}/`],
    ['an octal number', (p: string) => `http://0177.0.0.1:${p}/`],
    ['a short form', (p: string) => `http://127.1:${p}/`],
    ['zero', (p: string) => `http://0:${p}/`],
    ['a mapped address', (p: string) => `http://[::ffff:127.0.0.1]:${p}/`],
    ['loopback of IPv6', (p: string) => `http://[::1]:${p}/`],
    ['a name of loopback', (p: string) => `http://localhost:${p}/`],
    ['a name with a closing dot', (p: string) => `http://localhost.:${p}/`],
    ['an address with a closing dot', (p: string) => `http://127.0.0.1.:${p}/`],
    ['the metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data/'],
    ['a private network', () => 'http://10.0.0.1/'],
    ['full-width digits', (p: string) => `http://１２７.0.0.1:${p}/`],
  ])('is refused when written as %s', async (_how, url) => {
    const before = calls;
    await expect(guarded(url(port()), { ...CALL, signal })).rejects.toMatchObject({
      code: 'egress.address-refused',
      retryable: false,
      message: expect.stringContaining('egress.allow') as string,
    });
    expect(calls).toBe(before);
  });

  test('is refused when only one of the addresses of a name is private', async () => {
    const resolve = () =>
      Promise.resolve([
        { address: '93.184.216.34', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]);
    await expect(
      createEgress({ allow: [], resolve })('http://two.example/', { ...CALL, signal }),
    ).rejects.toMatchObject({
      code: 'egress.address-refused',
    });
  });

  test('is refused for any private address behind a name', async () => {
    const inside = fc.tuple(fc.constantFrom('10.', '127.', '192.168.', '169.254.'), fc.ipV4()).map(([head, tail]) => {
      const missing = 5 - head.split('.').length;
      return head + tail.split('.').slice(-missing).join('.');
    });
    await fc.assert(
      fc.asyncProperty(inside, async (address) => {
        const resolve = () => Promise.resolve([{ address, family: 4 }]);
        await expect(
          createEgress({ allow: [], resolve })('http://a.example/', { ...CALL, signal }),
        ).rejects.toMatchObject({
          code: 'egress.address-refused',
        });
      }),
    );
  });
});

test.each([
  ['file:///etc/passwd', 'Only http and https'],
  ['ftp://example.org/', 'Only http and https'],
  ['http://user:secret@example.org/', 'header'],
  ['http://127.0.0.1@example.org/', 'header'],
  ['not a url', 'not a URL'],
])('%s is no address to call', async (url, reason) => {
  await expect(createEgress({ allow: [] })(url, { ...CALL, signal })).rejects.toMatchObject({
    code: 'egress.invalid-address',
    message: expect.stringContaining(reason) as string,
  });
});

describe('an address that is allowed', () => {
  const open = createEgress({ allow: ['127.0.0.0/8', '::1/128'] });

  test('is called with method, headers and body', async () => {
    const seen: { method?: string; type?: string; host?: string; body: string }[] = [];
    handle = (request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        seen.push({ method: request.method, type: request.headers['content-type'], host: request.headers.host, body });
        response.writeHead(201).end('taken');
      });
    };
    expect(await open(`http://${base}/hook?a=1`, { ...CALL, signal })).toEqual({ status: 201, text: 'taken' });
    expect(seen).toEqual([{ method: 'POST', type: 'text/plain', host: base, body: 'hello' }]);
  });

  test('is asked for by the address that was checked, whatever a second look-up would say', async () => {
    handle = (request, response) => void response.end(request.headers.host);
    let looks = 0;
    const resolve = () => {
      looks++;
      return Promise.resolve([{ address: looks === 1 ? '127.0.0.1' : '10.9.9.9', family: 4 }]);
    };
    const port = base.split(':')[1] ?? '';
    const egress = createEgress({ allow: ['127.0.0.0/8'], resolve });
    expect((await egress(`http://rebound.example:${port}/`, { ...CALL, signal })).text).toBe(`rebound.example:${port}`);
    expect(looks).toBe(1);
  });

  test('does not lead on by a redirect', async () => {
    const before = calls;
    handle = (_request, response) => void response.writeHead(302, { location: `http://${base}/other` }).end();
    expect((await open(`http://${base}/`, { ...CALL, signal })).status).toBe(302);
    expect(calls).toBe(before + 1);
  });

  test('may answer without end, and 64 kB of it are read', async () => {
    handle = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    const { text } = await open(`http://${base}/`, { ...CALL, signal });
    expect(text.length).toBe(65_536);
  });

  test('that never answers is given up, and may be tried again', async () => {
    handle = () => undefined;
    const hasty = createEgress({ allow: ['127.0.0.0/8'], timeoutMs: 50 });
    await expect(hasty(`http://${base}/`, { ...CALL, signal })).rejects.toMatchObject({
      code: 'egress.unreachable',
      retryable: true,
    });
  });

  test('that never answers is given up although garbage is collected meanwhile', async () => {
    handle = () => undefined;
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const collecting = setInterval(collect, 10);
    try {
      const hasty = createEgress({ allow: ['127.0.0.0/8'], timeoutMs: 300 });
      const given = hasty(`http://${base}/`, { ...CALL, signal });
      await expect(given).rejects.toMatchObject({ code: 'egress.unreachable' });
    } finally {
      clearInterval(collecting);
    }
  });
});

test('a name that nobody knows may be known later', async () => {
  const resolve = () => Promise.reject(new Error('ENOTFOUND'));
  await expect(createEgress({ allow: [], resolve })('http://a.example/', { ...CALL, signal })).rejects.toMatchObject({
    code: 'egress.unknown-host',
    retryable: true,
  });
});

test('a range that is none is refused when the hub starts', () => {
  expect(() => createEgress({ allow: ['10.0.0.0/99'] })).toThrow('egress.allow');
});
