import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';

let echo: Server;
let proxy: FaultProxy;
const sockets: Socket[] = [];
beforeEach(async () => {
  echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  proxy = await startFaultProxy({ port: (echo.address() as AddressInfo).port });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => echo.close(resolve));
});

function dial(): Socket {
  const socket = connect({ host: proxy.host, port: proxy.port });
  sockets.push(socket.on('error', () => undefined));
  return socket;
}

/** What comes back for a word, or how the connection ended. */
async function ask(socket: Socket, word: string, patienceMs = 2_000): Promise<string> {
  socket.write(word);
  return Promise.race([
    once(socket, 'data').then(([data]) => String(data)),
    once(socket, 'close').then(() => 'closed'),
    delay(patienceMs, 'nothing'),
  ]).catch(() => 'closed');
}

test('everything gets through, and a connection lives on over a slow spell', async () => {
  const socket = dial();
  expect(await ask(socket, 'a')).toBe('a');
  await proxy.set('slow', 300);
  expect(await ask(socket, 'b', 50)).toBe('nothing');
  expect(String((await once(socket, 'data'))[0])).toBe('b');
  await proxy.set('pass');
  expect(await ask(socket, 'c')).toBe('c');
  expect(proxy.taken()).toBe(1);
});

test('silence takes connections and answers nothing', async () => {
  await proxy.set('silent');
  expect(await ask(dial(), 'a', 300)).toBe('nothing');
  await proxy.set('pass');
  expect(await ask(dial(), 'a')).toBe('a');
});

test('open connections are broken off by a reset, and so are new ones', async () => {
  const socket = dial();
  await ask(socket, 'a');
  await proxy.set('reset');
  expect(await ask(socket, 'b')).toBe('closed');
  expect(await ask(dial(), 'c')).toBe('closed');
});

test('rubbish is talked instead of the answer', async () => {
  const socket = dial();
  await ask(socket, 'a');
  await proxy.set('garbage');
  expect(await ask(socket, 'b')).toContain('rubbish');
});

test('nobody listens while it is closed, and the same port is open again afterwards', async () => {
  await proxy.set('closed');
  expect(await ask(dial(), 'a')).toBe('closed');
  await proxy.set('pass');
  expect(await ask(dial(), 'a')).toBe('a');
});
