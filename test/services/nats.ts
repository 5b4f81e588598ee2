import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { defineServer } from './kind.ts';
import { goInstall, installed } from './sources.ts';

/** Address of a NATS with JetStream for tests. Give each test file a subject prefix and stream names of its own (`ownName`). */
export interface NatsAddress {
  url: string;
  /** The server's program, to start another one; empty when the server is somebody else's. */
  program: string;
}

/** A NATS server greets with INFO before anything is asked. */
function greeted(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port === '' ? 4222 : port), timeout: 5_000 });
    const fail = (reason: string): void => {
      socket.destroy();
      reject(new Error(reason));
    };
    socket.once('error', (error) => fail(error.message));
    socket.once('timeout', () => fail('no greeting within 5 s'));
    socket.once('data', (greeting: Buffer) => {
      if (!/^INFO .*"jetstream":true/.test(greeting.toString()))
        return fail(`no JetStream: ${greeting.toString().slice(0, 80)}`);
      socket.destroy();
      resolve();
    });
  });
}

/** An acknowledged message is on disk: `sync_interval: always`. */
const settings = (listen: string, store: string): string =>
  `listen: "${listen}"\nmax_payload: 8MB\njetstream { store_dir: ${JSON.stringify(store)}, sync_interval: always }\n`;

/** NATS from the Go module proxy when none of 2.11 or newer is installed. */
export const nats = defineServer<NatsAddress>({
  id: 'nats',
  title: 'NATS',
  container: {
    image: 'nats:2.11',
    port: 4222,
    file: { path: '/etc/outrider.conf', text: settings('0.0.0.0:4222', '/tmp/jetstream') },
    args: ['--config', '/etc/outrider.conf'],
  },
  sources: [
    installed('nats-server', (version) => /v2\.(1[1-9]|[2-9]\d)\./.test(version)),
    goInstall({
      name: 'nats',
      version: '2.15.2',
      module: 'github.com/nats-io/nats-server/v2@v2.15.2',
      program: 'nats-server',
    }),
  ],
  address: (port, program) => ({ url: `nats://127.0.0.1:${port}`, program }),
  ready: ({ url }) => greeted(url),
  command: ({ program }, { folder, port }) => {
    const file = join(folder, 'nats.conf');
    writeFileSync(file, settings(`127.0.0.1:${port}`, join(folder, 'jetstream')));
    return { program, args: ['--config', file] };
  },
});
