import { Type } from 'typebox';
import type { MetricName } from '#proto/metrics.ts';
import { defineCollector, type Clock, type Connect, type Emit } from '#sdk';
import {
  createTargets,
  rememberAttributes,
  secret,
  targetList,
  TlsSettings,
  type Reader,
} from '../../targets/index.ts';
import { connectPostgres, type PostgresTarget } from './connection.ts';
import { writerQuery } from './queries.ts';
import { numberOf, readRows, textOf, type Row } from './rows.ts';

/** Sizes are found by looking at every file, so not with each question. */
const SIZES_MS = 60_000;

const DATABASE_VALUES: readonly (readonly [column: string, metric: MetricName])[] = [
  ['commits', 'postgresql.commits'],
  ['rollbacks', 'postgresql.rollbacks'],
  ['blks_hit', 'postgresql.blks_hit'],
  ['blks_read', 'postgresql.blks_read'],
  ['tup_returned', 'postgresql.tup_returned'],
  ['tup_fetched', 'postgresql.tup_fetched'],
  ['tup_inserted', 'postgresql.tup_inserted'],
  ['tup_updated', 'postgresql.tup_updated'],
  ['tup_deleted', 'postgresql.tup_deleted'],
  ['conflicts', 'postgresql.conflicts'],
  ['deadlocks', 'postgresql.deadlocks'],
  ['temp_files', 'postgresql.temp_files'],
  ['temp_bytes', 'postgresql.temp.io'],
];

interface Answers {
  server: Row | undefined;
  writer: Row | undefined;
  databases: Row[];
  backends: Row[];
  locks: Row[];
  replicas: Row[];
  sizes: Row[];
}

type Attributes = ReturnType<typeof rememberAttributes>;
const DATABASE = 'postgresql.database.name';

function tellServer(emit: Emit, { server, writer }: Answers, of: Attributes): void {
  emit('postgresql.connection.max', numberOf(server, 'max_connections'), of());
  emit('postgresql.uptime', numberOf(server, 'uptime'), of());
  emit('postgresql.recovery', numberOf(server, 'is_replica'), of());
  emit('postgresql.wal.delay', numberOf(server, 'replay_delay'), of());
  emit('postgresql.bgwriter.buffers.allocated', numberOf(writer, 'allocated'), of());
  emit('postgresql.bgwriter.maxwritten', numberOf(writer, 'maxwritten'), of());
  for (const source of ['checkpoints', 'bgwriter', 'backend'])
    emit('postgresql.bgwriter.buffers.writes', numberOf(writer, source), of('source', source));
  for (const type of ['scheduled', 'requested'])
    emit('postgresql.bgwriter.checkpoint.count', numberOf(writer, type), of('type', type));
  for (const type of ['write', 'sync']) emit('postgresql.bgwriter.duration', numberOf(writer, type), of('type', type));
}

function tellDatabases(emit: Emit, { databases, sizes }: Answers, of: Attributes): void {
  for (const row of databases) {
    const own = of(DATABASE, textOf(row, 'database'));
    for (const [column, metric] of DATABASE_VALUES) emit(metric, numberOf(row, column), own);
  }
  for (const row of sizes) emit('postgresql.db_size', numberOf(row, 'bytes'), of(DATABASE, textOf(row, 'database')));
}

function tellWork(emit: Emit, { backends, locks, replicas }: Answers, of: Attributes): void {
  const oldest = new Map<string, number>();
  for (const row of backends) {
    const database = textOf(row, 'database');
    emit('postgresql.backends', numberOf(row, 'count'), of(DATABASE, database, 'state', textOf(row, 'state')));
    oldest.set(database, Math.max(oldest.get(database) ?? 0, numberOf(row, 'oldest')));
  }
  for (const [database, age] of oldest) emit('postgresql.transaction.age.max', age, of(DATABASE, database));
  for (const row of locks) {
    const pairs = ['mode', textOf(row, 'mode'), 'granted', textOf(row, 'granted')];
    emit('postgresql.database.locks', numberOf(row, 'count'), of(DATABASE, textOf(row, 'database'), ...pairs));
  }
  for (const row of replicas) {
    const client = ['replication_client', textOf(row, 'client')];
    emit('postgresql.replication.data_delay', numberOf(row, 'bytes'), of(...client));
    for (const operation of ['write', 'flush', 'replay'])
      emit('postgresql.wal.lag', numberOf(row, operation), of(...client, 'operation', operation));
  }
}

function createReader({ name, labels }: PostgresTarget, clock: Clock): Reader {
  const of = rememberAttributes({ ...labels, 'outrider.target': name });
  let sizedAt = -Infinity;
  return {
    async read(ask) {
      const rows = async (question: string): Promise<Row[]> => readRows(await ask(question));
      const [server] = await rows('server');
      const isDue = clock.monotonic() - sizedAt >= SIZES_MS;
      const answers: Answers = {
        server,
        writer: (await rows(writerQuery(numberOf(server, 'version'))))[0],
        databases: await rows('databases'),
        backends: await rows('backends'),
        locks: await rows('locks'),
        replicas: await rows('replicas'),
        sizes: isDue ? await rows('sizes') : [],
      };
      if (isDue) sizedAt = clock.monotonic();
      return {
        tell(emit) {
          tellServer(emit, answers, of);
          tellDatabases(emit, answers, of);
          tellWork(emit, answers, of);
        },
      };
    },
  };
}

const fields = {
  host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Host, or the folder of its Unix socket.' }),
  port: Type.Integer({ default: 5432, minimum: 1, maximum: 65_535, description: 'Port.' }),
  user: Type.String({ default: 'outrider', minLength: 1, description: 'Role; it needs `pg_monitor` and nothing else.' }), // prettier-ignore
  password: secret('Password of that role.'),
  database: Type.String({ default: 'postgres', minLength: 1, description: 'Database to connect to; all are told.' }),
  encrypted: Type.Boolean({ default: false, description: 'Speak TLS.' }),
  tls: TlsSettings,
};

/** PostgreSQL 12 and newer, by its statistics views. */
export const postgres = defineCollector({
  name: 'postgres',
  summary:
    'Asks PostgreSQL’s statistics views for connections, transactions, rows, locks, writers and replicas, by database.',
  platforms: ['linux', 'darwin', 'win32', 'freebsd'],
  intervalSeconds: 10,
  config: Type.Object({ targets: targetList(fields) }, { additionalProperties: false }),
  create: ({ config, ...context }, connect: Connect<PostgresTarget> = connectPostgres) =>
    createTargets({
      collector: 'postgres',
      targets: config.targets,
      context,
      connect,
      reader: (target) => createReader(target, context.clock),
    }),
});
