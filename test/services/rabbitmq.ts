import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineServer } from './kind.ts';
import { answers, type Command } from './processes.ts';
import { debian, type Had } from './sources.ts';

/** Address of the management API of a RabbitMQ for tests. Give each test file queues of its own (`ownName`). */
export interface RabbitmqAddress {
  url: string;
  user: string;
  password: string;
}

const GUEST = { user: 'guest', password: 'guest' };
const credentials = { authorization: `Basic ${Buffer.from('guest:guest').toString('base64')}` };

/** The parts of Erlang that RabbitMQ and its management plugin use. */
const ERLANG = ['base', 'asn1', 'crypto', 'eldap', 'inets', 'mnesia', 'os-mon', 'parsetools', 'public-key', 'runtime-tools', 'ssl', 'syntax-tools', 'tools', 'xmerl']; // prettier-ignore

const only = (folder: string, prefix: string): string =>
  join(folder, readdirSync(folder).find((name) => name.startsWith(prefix)) ?? prefix);

/** Runs the broker in Erlang itself: the scripts of the package name the places of an installed one. Without the port mapper, which would outlive it: the node has one port, and that is known. */
function command({ program, env = {} }: Had, folder: string, port: number): Command {
  const home = dirname(dirname(program));
  const broker = only(join(home, 'lib'), 'rabbitmq_server-');
  const erlang = join(dirname(home), 'erlang');
  const emulator = only(erlang, 'erts-');
  const settings = [
    `listeners.tcp.default = 127.0.0.1:${port + 1}`,
    'management.tcp.ip = 127.0.0.1',
    `management.tcp.port = ${port}`,
  ];
  writeFileSync(join(folder, 'rabbitmq.conf'), `${settings.join('\n')}\n`);
  writeFileSync(join(folder, 'enabled_plugins'), '[rabbitmq_management].\n');
  const own = {
    ROOTDIR: erlang, BINDIR: join(emulator, 'bin'), EMU: 'beam', PROGNAME: 'erl', ERL_LIBS: join(broker, 'plugins'),
    RABBITMQ_HOME: broker, RABBITMQ_PLUGINS_DIR: join(broker, 'plugins'), RABBITMQ_NODENAME: 'outrider@localhost', RABBITMQ_BASE: folder,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'), RABBITMQ_LOG_BASE: folder, RABBITMQ_LOGS: '-', RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'), RABBITMQ_ADVANCED_CONFIG_FILE: join(folder, 'advanced.config'), RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'enabled_plugins'), RABBITMQ_GENERATED_CONFIG_DIR: folder, RABBITMQ_FEATURE_FLAGS_FILE: join(folder, 'features'),
    RABBITMQ_DIST_PORT: String(port + 2),
  }; // prettier-ignore
  const node = ['-sname', 'outrider@localhost', '-setcookie', 'for-tests-only', '-start_epmd', 'false', '-erl_epmd_port', String(port + 2)]; // prettier-ignore
  const kernel = ['-kernel', 'inet_dist_use_interface', '{127,0,0,1}', '-kernel', 'prevent_overlapping_partitions', 'false']; // prettier-ignore
  const boot = [
    '-noinput',
    '-boot',
    join(erlang, 'bin', 'start_sasl'),
    '-s',
    'rabbit',
    'boot',
    '-syslog',
    'logger',
    '[]',
  ];
  return { program: join(emulator, 'bin', 'erlexec'), args: [...boot, ...node, ...kernel], env: { ...env, ...own } };
}

/** RabbitMQ with its management plugin: Debian's package and its Erlang, unpacked. */
export const rabbitmq = defineServer<RabbitmqAddress>({
  id: 'rabbitmq',
  title: 'RabbitMQ',
  parts: ['user', 'password'],
  // Its own guest is for loopback only, which a container's clients are not.
  container: { image: 'rabbitmq:3.13-management', port: 15_672, file: { path: '/etc/rabbitmq/conf.d/20-tests.conf', text: 'loopback_users = none\n' } }, // prettier-ignore
  sources: [
    debian({
      packages: ['rabbitmq-server', ...ERLANG.map((part) => `erlang-${part}`)],
      program: 'usr/lib/rabbitmq/bin/rabbitmq-server',
    }),
  ],
  address: (port) => ({ url: `http://127.0.0.1:${port}`, ...GUEST }),
  ready: ({ url }) => answers(`${url}/api/overview`, credentials),
  command: (had, { folder, port }) => command(had, folder, port),
});
