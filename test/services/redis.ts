import { connect } from 'node:net';
import { defineServer } from './kind.ts';
import { debian, installed } from './sources.ts';

/** Address of a Redis for tests, database 0, no password. Give each test file a key prefix of its own (`ownName`). */
export interface RedisAddress {
  url: string;
}

/** Sends PING as a line and awaits the answer. */
function ping(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port === '' ? 6379 : port), timeout: 5_000 });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.once('error', (error) => fail(error.message));
    socket.once('timeout', () => fail('no answer within 5 s'));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (answer: Buffer) => {
      // A server with a password answers NOAUTH: it runs.
      if (!/^(\+PONG|-NOAUTH)/.test(answer.toString())) return fail(answer.toString().trim());
      socket.destroy();
      resolve();
    });
  });
}

/** Redis: Debian's package unpacked when none is installed. What it acknowledged is on disk (`appendfsync always`), so a killed one keeps it. */
export const redis = defineServer<RedisAddress>({
  id: 'redis',
  title: 'Redis',
  container: { image: 'redis:7', port: 6379, args: ['redis-server', '--appendonly', 'yes', '--appendfsync', 'always'] },
  sources: [
    installed('redis-server'),
    debian({
      packages: ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1', 'libatomic1'],
      program: 'usr/bin/redis-server',
    }),
  ],
  address: (port) => ({ url: `redis://127.0.0.1:${port}` }),
  ready: ({ url }) => ping(url),
  command: ({ program, env = {} }, { folder, port }) => ({
    program,
    env,
    args: [
      '--bind',
      '127.0.0.1',
      '--port',
      String(port),
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
    ],
  }),
});
