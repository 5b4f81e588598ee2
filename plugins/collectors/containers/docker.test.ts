import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { systemClock } from '#sdk';
import { listContainers } from './docker.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-docker-'));
const socket = join(folder, 'engine.sock');
let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(socket, { force: true });
});

const serve = (listener: RequestListener): Promise<void> =>
  new Promise((resolve) => {
    server = createServer(listener).listen(socket, resolve);
  });

const ask = (clock = systemClock) => listContainers(socket, clock, new AbortController().signal);

test('asks for the containers that run, and for nothing else', async () => {
  const asked: string[] = [];
  await serve(({ method = '', url = '' }, answer) => {
    asked.push(`${method} ${url}`);
    answer.end(
      JSON.stringify([
        { Id: 'a', Names: ['/web'], Image: 'nginx:1.25' },
        { Id: 'b', Names: null },
      ]),
    );
  });
  expect([...(await ask())]).toEqual([
    ['a', { name: 'web', image: 'nginx:1.25' }],
    ['b', { name: '', image: '' }],
  ]);
  expect(asked).toEqual(['GET /containers/json']);
});

test.each<[string, RequestListener, string]>([
  ['refuses', (_asked, answer) => void answer.writeHead(403).end(), 'it answered 403'],
  ['answers no JSON', (_asked, answer) => void answer.end('<html>'), 'JSON'],
  ['answers another thing', (_asked, answer) => void answer.end('[{"id":1}]'), 'something else'],
  ['answers without end', (_asked, answer) => void answer.end(Buffer.alloc(8_400_000, ' ')), 'more than 8388608 bytes'],
  ['breaks off', (_asked, answer) => void answer.write('[', () => answer.destroy()), 'engine.sock'],
])('an engine that %s is a fault with its socket', async (_what, listener, reason) => {
  await serve(listener);
  await expect(ask()).rejects.toThrow(reason);
});

test('an engine that is silent or not there is not waited for', async () => {
  await expect(ask()).rejects.toThrow('ENOENT');
  const clock = createManualClock();
  let serving = Promise.resolve();
  const asked = new Promise<void>((resolve) => {
    serving = serve(() => resolve());
  });
  await serving;
  const answer = expect(ask(clock)).rejects.toThrow('no answer within 3 s');
  await asked;
  await clock.advance(3000);
  await answer;
});
