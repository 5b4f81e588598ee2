import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../http.ts';
import { readTime } from '../../time-range.ts';
import { problems } from './errors.ts';
import { balances, STATES } from './ledger.ts';
import type { LogsTables } from './store.ts';

/** What these routes ask. */
export interface LedgerRoutesGiven {
  tables: LogsTables;
  clock: Clock;
}

const tags = ['logs'];
const DAY_MS = 86_400_000;
const Amount = Type.Object({ lines: Type.Integer(), bytes: Type.Integer() });
const Loss = Type.Object({
  resource: Type.String(),
  source: Type.String(),
  lines: Type.Integer({ description: '0: nobody could count them.' }),
  bytes: Type.Integer(),
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  cause: Type.String(),
});
const SourceLedger = Type.Object({
  source: Type.String(),
  sinceMs: Type.Integer({ description: 'When the agent started: the counts begin there.' }),
  atMs: Type.Integer({ description: 'When they were so.' }),
  ...Object.fromEntries(STATES.map((state) => [state, Amount])),
  balances: Type.Boolean({ description: 'read = dropped + waiting + acknowledged + lost, in lines and bytes.' }),
});
const Host = Type.String({ format: 'uuid', description: 'Id of a host.' });

function lossRoutes(app: ServiceApp, { tables, clock }: LedgerRoutesGiven): void {
  app.get(
    '/api/v1/logs/losses',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Lines that were lost, newest first: where, when and why.',
        querystring: Type.Object(
          {
            resource: Type.Optional(Host),
            from: Type.Optional(
              Type.String({ maxLength: 40, description: 'now, -2h, milliseconds or ISO 8601; -24h when absent.' }),
            ),
            to: Type.Optional(Type.String({ maxLength: 40 })),
            limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
            offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_000_000 }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            items: Type.Array(Loss),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
          }),
        },
      },
    },
    async (request) => {
      const { resource, from, to, limit, offset } = request.query;
      const now = clock.now();
      const filter = { resource, fromMs: readTime(from ?? '-24h', now), toMs: readTime(to ?? 'now', now) };
      if (filter.toMs < filter.fromMs) throw problems.badRange('"from" must not be after "to".');
      const page = await tables.losses(principalOf(request).org, filter, { limit, offset });
      return { ...page, limit, offset };
    },
  );
  app.get(
    '/api/v1/logs/losses/hosts',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Hosts that lost lines in the last 24 hours, and how many losses and counted lines that were.',
        response: {
          200: Type.Object({
            items: Type.Array(Type.Object({ resource: Type.String(), losses: Type.Integer(), lines: Type.Integer() })),
          }),
        },
      },
    },
    async (request) => ({ items: await tables.lossesByHost(principalOf(request).org, clock.now() - DAY_MS) }),
  );
}

/** The web API of what became of lines. */
export function ledgerRoutes(app: ServiceApp, given: LedgerRoutesGiven): void {
  lossRoutes(app, given);
  app.get(
    '/api/v1/logs/ledger',
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'What became of the lines of each source of a host since its agent started.',
        querystring: Type.Object({ resource: Host }, { additionalProperties: false }),
        response: { 200: Type.Object({ items: Type.Array(SourceLedger) }) },
      },
    },
    async (request) => {
      const sources = await given.tables.ledger(principalOf(request).org, request.query.resource);
      return { items: sources.map(({ amounts, ...one }) => ({ ...one, ...amounts, balances: balances(amounts) })) };
    },
  );
}
