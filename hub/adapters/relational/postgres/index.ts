import { Type } from 'typebox';
import { defineAdapter } from '../../../adapter.ts';
import type { Relational } from '../../../ports/relational.ts';
import { createSessions, problems } from '../sessions/index.ts';

const config = Type.Object({
  url: Type.String({
    description:
      'postgres://user:password@host:5432/database?sslmode=verify-full. The user needs CREATEROLE, NOINHERIT and CREATE on the database, and must not be a superuser.',
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

const HELP = 'Set relational.url to postgres://user:password@host:5432/database?sslmode=verify-full.';

/** Server and database of an address, without its secrets; undefined when it is no address of PostgreSQL. */
function placeOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, pathname } = new URL(url);
  return protocol === 'postgres:' || protocol === 'postgresql:' ? `${host}${pathname}` : undefined;
}

/** A PostgreSQL server somewhere, by URL. */
export const postgresRelational = defineAdapter<Relational, typeof config>({
  name: 'postgres',
  reach: 'hub',
  config,
  faults: ({ url }) =>
    placeOf(url) === undefined ? [`relational.url: is no address of a PostgreSQL server. ${HELP}`] : [],
  create({ config: { url, connections }, log }) {
    const place = placeOf(url);
    const sessions = createSessions({ connectionString: url, max: connections }, place ?? 'no address', log);
    return {
      port: sessions.port,
      async start() {
        if (place === undefined) throw problems.badAddress(HELP);
        await sessions.open();
      },
      stop: sessions.close,
      check: () => sessions.port.check(),
    };
  },
});
