import type { Client } from 'pg';
import type { Static } from 'typebox';
import type { Connection } from '#sdk';
import { problems, tlsOptions, type Target, type TlsSettings } from '../../targets/index.ts';
import { QUERIES } from './queries.ts';

/** How a PostgreSQL is reached. */
export interface PostgresTarget extends Target {
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  encrypted: boolean;
  tls: Static<typeof TlsSettings>;
}

async function open({
  host,
  port,
  user,
  password,
  database,
  encrypted,
  tls,
  timeout,
}: PostgresTarget): Promise<Client> {
  const { default: pg } = await import('pg'); // Loaded by those only who ask a PostgreSQL.
  const client = new pg.Client({
    host,
    port,
    user,
    password,
    database,
    ssl: encrypted ? tlsOptions(tls, host) : false,
    application_name: 'outrider-agent',
    connectionTimeoutMillis: timeout * 1000,
    statement_timeout: timeout * 1000,
    options: '-c default_transaction_read_only=on',
  });
  client.on('error', () => undefined); // The next question says it.
  await client.connect();
  return client;
}

/** Connects to PostgreSQL; a question is the name of a query, the answer its rows as JSON. One connection stays open, and it only reads. */
export function connectPostgres(target: PostgresTarget): Connection {
  let opening: Promise<Client> | undefined;
  return {
    async ask(question) {
      const query = QUERIES[question];
      if (query === undefined) throw problems.notUnderstood(`there is no query ${question}`);
      const client = await (opening ??= open(target));
      return JSON.stringify((await client.query<object>(query)).rows);
    },
    close() {
      void opening?.then((client) => client.end()).catch(() => undefined); // It never opened, or has ended.
    },
  };
}
