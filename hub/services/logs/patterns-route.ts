import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../http.ts';
import { readTime } from '../../time-range.ts';
import { problems } from './errors.ts';
import { familiesOf, filterOf, Filters, LEVELS, ONLY_THESE } from './filters.ts';
import { ORDERS, patternsOf, stepsOf } from './patterns.ts';
import type { LogRoutesGiven } from './tail-route.ts';

const Pattern = Type.Object({
  template: Type.Union([Type.String(), Type.Null()], { description: 'What `template` takes; null: lines of no kind.' }),
  text: Type.String({ description: 'With wildcards where lines vary; empty where no agent has said it yet.' }),
  count: Type.Integer(),
  share: Type.Number({ description: 'Of all lines that were counted, 0 to 1.' }),
  level: Type.Enum([...LEVELS]),
  firstMs: Type.Number({ description: 'When its first line ever was written, as far as is known.' }),
  lastMs: Type.Number(),
  sparkline: Type.Array(Type.Integer(), { description: 'Lines in each step of the range, oldest first.' }),
  example: Type.String({ description: 'The beginning of its newest line.' }),
  merged: Type.Array(Type.String(), { description: 'Templates that turned out to be this one and count as it.' }),
});

/** What lines of a range are made of. */
export function patternsRoute(app: ServiceApp, { logstore, templates, clock }: LogRoutesGiven): void {
  app.get(
    '/api/v1/logs/patterns',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['logs'],
        summary:
          'Kinds of lines with their counts. Some are missing, or not all lines are counted, when `complete` is false.',
        querystring: Type.Object(
          {
            ...Filters,
            from: Type.Optional(
              Type.String({ maxLength: 40, description: 'now, -2h, milliseconds or ISO 8601; -15m when absent.' }),
            ),
            to: Type.Optional(Type.String({ maxLength: 40 })),
            sort: Type.Union([Type.Literal('count'), Type.Literal('newest')], {
              default: 'count',
              description: 'count: most lines first; newest: those that began last.',
            }),
            limit: Type.Integer({ default: 100, minimum: 1, maximum: 1000 }),
            offset: Type.Integer({ default: 0, minimum: 0, maximum: 100_000 }),
          },
          ONLY_THESE,
        ),
        response: {
          200: Type.Object({
            items: Type.Array(Pattern),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
            complete: Type.Boolean(),
            from: Type.Number({ description: 'When the first step begins.' }),
            step: Type.Integer({ description: 'Length of a step, milliseconds.' }),
            lines: Type.Integer({ description: 'Lines that were counted.' }),
            without: Type.Integer({ description: 'Those of them that are of no kind.' }),
          }),
        },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const { limit, offset, from, to, sort } = request.query;
      const now = clock.now();
      const range = { from: readTime(from ?? '-15m', now), to: readTime(to ?? 'now', now) + 1 };
      if (range.to <= range.from) throw problems.badRange('"from" must not be after "to".');
      const filter = await familiesOf(templates, org, filterOf(request.query));
      const steps = stepsOf(range.from, range.to);
      const found = await logstore.patterns(org, { ...filter, ...range }, steps.step);
      const known = await templates.known(
        org,
        found.patterns.flatMap(({ template }) => template ?? []),
      );
      const patterns = patternsOf(found.patterns, known, steps).sort(ORDERS[sort]);
      return {
        items: patterns
          .slice(offset, offset + limit)
          .map(({ template = null, level, ...one }) => ({ ...one, template, level: LEVELS[level] })),
        ...{ total: patterns.length, limit, offset, complete: found.complete, from: steps.from, step: steps.step },
        lines: patterns.reduce((sum, { count }) => sum + count, 0),
        without: patterns.find(({ template }) => template === undefined)?.count ?? 0,
      };
    },
  );
}
