import { Type } from 'typebox';
import type { MetricName } from '#proto/metrics.ts';
import { defineCollector, type Connect, type Emit } from '#sdk';
import { createTargets, problems, rememberAttributes, secret, targetList, TlsSettings } from '../../targets/index.ts';
import { connectRedis, type RedisTarget } from './connection.ts';
import { numberIn, parseInfo, partsOf, startingWith, type Info } from './info.ts';

/** Keys of INFO that are metrics as they stand, with what makes them base units. */
const VALUES: readonly (readonly [key: string, metric: MetricName, scale?: number])[] = [
  ['uptime_in_seconds', 'redis.uptime'],
  ['connected_clients', 'redis.clients.connected'],
  ['blocked_clients', 'redis.clients.blocked'],
  ['maxclients', 'redis.clients.limit'],
  ['client_recent_max_input_buffer', 'redis.clients.max_input_buffer'],
  ['client_recent_max_output_buffer', 'redis.clients.max_output_buffer'],
  ['used_memory', 'redis.memory.used'],
  ['used_memory_peak', 'redis.memory.peak'],
  ['used_memory_rss', 'redis.memory.rss'],
  ['used_memory_lua', 'redis.memory.lua'],
  ['mem_fragmentation_ratio', 'redis.memory.fragmentation_ratio'],
  ['maxmemory', 'redis.maxmemory'],
  ['rdb_changes_since_last_save', 'redis.rdb.changes_since_last_save'],
  ['rdb_last_save_time', 'redis.rdb.last_save_time'],
  ['total_connections_received', 'redis.connections.received'],
  ['rejected_connections', 'redis.connections.rejected'],
  ['total_commands_processed', 'redis.commands.processed'],
  ['total_net_input_bytes', 'redis.net.input'],
  ['total_net_output_bytes', 'redis.net.output'],
  ['keyspace_hits', 'redis.keyspace.hits'],
  ['keyspace_misses', 'redis.keyspace.misses'],
  ['expired_keys', 'redis.keys.expired'],
  ['evicted_keys', 'redis.keys.evicted'],
  ['latest_fork_usec', 'redis.latest_fork', 1e-6],
  ['connected_slaves', 'redis.slaves.connected'],
  ['master_repl_offset', 'redis.replication.offset'],
  ['repl_backlog_first_byte_offset', 'redis.replication.backlog_first_byte_offset'],
  ['slave_repl_offset', 'redis.replication.replica_offset'],
];

const CPU_STATES = ['sys', 'user', 'sys_children', 'user_children'] as const;

/** Keys whose value is a word: one when it is the good one. */
const GOOD: readonly (readonly [key: string, good: string, metric: MetricName])[] = [
  ['rdb_last_bgsave_status', 'ok', 'redis.rdb.last_save_success'],
  ['aof_last_write_status', 'ok', 'redis.aof.last_write_success'],
  ['master_link_status', 'up', 'redis.replication.link_up'],
];

function createTeller({ name, labels, commands }: RedisTarget & { commands: boolean }) {
  const attributes = rememberAttributes({ ...labels, 'outrider.target': name });
  return (emit: Emit, info: Info): void => {
    for (const [key, metric, scale = 1] of VALUES) emit(metric, numberIn(info, key) * scale, attributes());
    for (const state of CPU_STATES)
      emit('redis.cpu.time', numberIn(info, `used_cpu_${state}`), attributes('state', state));
    for (const [key, good, metric] of GOOD)
      if (info.has(key)) emit(metric, info.get(key) === good ? 1 : 0, attributes());
    emit('redis.role', 1, attributes('role', info.get('role') === 'master' ? 'primary' : 'replica'));
    for (const [db, value] of startingWith(info, 'db')) {
      if (!/^\d+$/.test(db)) continue;
      const parts = partsOf(value);
      emit('redis.db.keys', numberIn(parts, 'keys'), attributes('db', db));
      emit('redis.db.expires', numberIn(parts, 'expires'), attributes('db', db));
      emit('redis.db.avg_ttl', numberIn(parts, 'avg_ttl') / 1000, attributes('db', db));
    }
    if (!commands) return;
    for (const [command, value] of startingWith(info, 'cmdstat_')) {
      emit('redis.cmd.calls', numberIn(partsOf(value), 'calls'), attributes('cmd', command));
      emit('redis.cmd.time', numberIn(partsOf(value), 'usec') * 1e-6, attributes('cmd', command));
    }
    for (const [command, value] of startingWith(info, 'latency_percentiles_usec_'))
      for (const [percentile, usec] of partsOf(value))
        emit('redis.cmd.latency', Number(usec) * 1e-6, attributes('cmd', command, 'percentile', percentile));
  };
}

const fields = {
  host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Host.' }),
  port: Type.Integer({ default: 6379, minimum: 1, maximum: 65_535, description: 'Port.' }),
  socket: Type.String({ default: '', description: 'Path of a Unix socket, in the place of host and port.' }),
  user: Type.String({ default: '', description: 'User of the access control list; empty: the default one.' }),
  password: secret('Password of that user.'),
  encrypted: Type.Boolean({ default: false, description: 'Speak TLS.' }),
  tls: TlsSettings,
  commands: Type.Boolean({ default: false, description: 'Also tell calls, time and latency of each command.' }),
};

/** Redis, Valkey and what else answers INFO. */
export const redis = defineCollector({
  name: 'redis',
  summary: 'Asks Redis and Valkey by INFO for clients, memory, persistence, replication, keys and commands.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 10,
  config: Type.Object({ targets: targetList(fields) }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<RedisTarget & { commands: boolean }> = connectRedis) =>
    createTargets({
      collector: 'redis',
      targets: config.targets,
      context,
      connect,
      reader(target) {
        const tell = createTeller(target);
        return {
          async read(ask) {
            const info = parseInfo(await ask('INFO all'));
            if (!info.has('uptime_in_seconds')) throw problems.notUnderstood('the answer to INFO is none of Redis');
            return { tell: (emit) => tell(emit, info) };
          },
        };
      },
    }),
});
