import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { Relational } from '../../../ports/relational.ts';
import { createSessions } from '../sessions/index.ts';

const config = Type.Object({
  url: Type.String({
    description:
      'postgres://user:password@host:5432/database?sslmode=verify-full. The user needs CREATEROLE and CREATE on the database, and must not be a superuser.',
    secret: true,
    default: '',
  }),
  connections: Type.Integer({
    description: 'Most connections that one hub opens.',
    default: 10,
    minimum: 2,
    maximum: 200,
  }),
});

function place(url: string): string {
  try {
    const { host, pathname } = new URL(url);
    return `${host}${pathname}`;
  } catch {
    return 'the address in relational.url';
  }
}

/** A PostgreSQL server somewhere, by URL. */
export const postgresRelational = defineAdapter<Relational, typeof config>({
  name: 'postgres',
  config,
  create({ config: { url, connections }, log }) {
    const sessions = createSessions({ connectionString: url, max: connections }, place(url), log);
    return { port: sessions.port, start: sessions.open, stop: sessions.close, check: () => sessions.port.check() };
  },
});
