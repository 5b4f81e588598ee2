import { counter, gauge, type MetricInfo } from './metric-info.ts';

/**
 * What servers say of themselves when they are asked; each series bears outrider.target. Names and attributes are those of the receivers of
 * OpenTelemetry's collector for the same server, in base units; what these lack follows their grammar.
 */
export const SERVER_METRICS = {
  // nginx: state = active reading writing waiting
  'nginx.connections_accepted': counter('{connection}', 'Connections that nginx accepted.'),
  'nginx.connections_handled': counter(
    '{connection}',
    'Connections that nginx handled; fewer than accepted when it was at its limit.',
  ),
  'nginx.connections_current': gauge(
    '{connection}',
    'sum',
    'Connections, by state; active ones are the sum of the others.',
  ),
  'nginx.requests': counter('{request}', 'Requests that clients made.'),
  // redis: state on the processor time, role = primary replica, db, cmd, percentile
  'redis.uptime': counter('s', 'Time since Redis was started.'),
  'redis.cpu.time': counter('s', 'Processor time of Redis, by state: sys, user, and those of its children.'),
  'redis.clients.connected': gauge('{client}', 'sum', 'Clients that are connected, without replicas.'),
  'redis.clients.blocked': gauge('{client}', 'sum', 'Clients that wait in a blocking command.'),
  'redis.clients.limit': gauge('{client}', 'max', 'Clients that may be connected.'),
  'redis.clients.max_input_buffer': gauge('By', 'max', 'The largest input buffer among the clients.'),
  'redis.clients.max_output_buffer': gauge('By', 'max', 'The largest output buffer among the clients.'),
  'redis.memory.used': gauge('By', 'sum', 'Bytes that the allocator of Redis gave out.'),
  'redis.memory.peak': gauge('By', 'max', 'The most that it ever gave out.'),
  'redis.memory.rss': gauge('By', 'sum', 'Resident memory of Redis.'),
  'redis.memory.lua': gauge('By', 'sum', 'Bytes that scripts use.'),
  'redis.memory.fragmentation_ratio': gauge('1', 'max', 'Resident memory as a share of what was given out.'),
  'redis.maxmemory': gauge('By', 'max', 'The limit of memory; 0: none.'),
  'redis.rdb.changes_since_last_save': gauge('{change}', 'sum', 'Changes since the last snapshot.'),
  'redis.rdb.last_save_time': gauge('s', 'max', 'When the last snapshot was saved, in seconds since 1970.'),
  'redis.rdb.last_save_success': gauge('1', 'avg', 'One when the last snapshot was saved.'),
  'redis.aof.last_write_success': gauge('1', 'avg', 'One when the last write to the append-only file was made.'),
  'redis.connections.received': counter('{connection}', 'Connections that were accepted.'),
  'redis.connections.rejected': counter('{connection}', 'Connections that were refused for the limit of clients.'),
  'redis.commands.processed': counter('{command}', 'Commands that were processed.'),
  'redis.net.input': counter('By', 'Bytes that came in.'),
  'redis.net.output': counter('By', 'Bytes that went out.'),
  'redis.keyspace.hits': counter('{hit}', 'Keys that were looked up and found.'),
  'redis.keyspace.misses': counter('{miss}', 'Keys that were looked up and not found.'),
  'redis.keys.expired': counter('{key}', 'Keys that expired.'),
  'redis.keys.evicted': counter('{key}', 'Keys that were evicted for the limit of memory.'),
  'redis.latest_fork': gauge('s', 'max', 'How long the last fork took.'),
  'redis.slaves.connected': gauge('{replica}', 'sum', 'Replicas that are connected.'),
  'redis.replication.offset': counter('By', 'Bytes of the replication stream that the primary wrote.'),
  'redis.replication.backlog_first_byte_offset': gauge('By', 'max', 'Where the backlog of the replication begins.'),
  'redis.replication.replica_offset': counter('By', 'Bytes of the replication stream that this replica has.'),
  'redis.replication.link_up': gauge('1', 'avg', 'One while this replica is connected to its primary.'),
  'redis.role': gauge('1', 'sum', 'One, by role: primary, replica.'),
  'redis.db.keys': gauge('{key}', 'sum', 'Keys of a database.'),
  'redis.db.expires': gauge('{key}', 'sum', 'Keys of a database that expire.'),
  'redis.db.avg_ttl': gauge('s', 'avg', 'Average time to live of the keys of a database.'),
  'redis.cmd.calls': counter('{call}', 'Calls of a command.'),
  'redis.cmd.time': counter('s', 'Time that a command took in all its calls.'),
  'redis.cmd.latency': gauge('s', 'max', 'Latency of a command, by percentile.'),
} as const satisfies Record<string, MetricInfo>;
