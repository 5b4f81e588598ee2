import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { SeriesStore } from '../../../ports/series.ts';
import type { Engine } from './engine.ts';
import { problems } from './errors.ts';
import type { AlertNews, AlertResources } from './index.ts';
import { preview, PREVIEW_EPISODES, PREVIEW_HOSTS } from './preview.ts';
import { checkRule, RuleBody, type Rule } from './rule.ts';
import type { AlertStore } from './store.ts';
import { ById, Done, listOf, paging, RuleView, viewRule } from './views.ts';

const ROOT = '/api/v1/monitoring/alerts';
const DAY_MS = 86_400_000;
const tags = ['alerts'];

/** What the routes of alerts stand on. */
export interface AlertRoutesGiven {
  store: AlertStore;
  engine: Engine;
  clock: Clock;
  resources: AlertResources;
  series: SeriesStore;
  changed(news: AlertNews): void;
  /** Makes a changed rule count. */
  reload(org: string): Promise<void>;
}

const PreviewReply = Type.Object({
  fromMs: Type.Integer(),
  toMs: Type.Integer(),
  total: Type.Integer({ description: 'How often it would have fired.' }),
  complete: Type.Boolean({ description: 'False when there are more hosts or episodes than are looked at or listed.' }),
  episodes: Type.Array(
    Type.Object({
      resource: Type.String(),
      resourceName: Type.String(),
      attributes: Type.Record(Type.String(), Type.String()),
      fromMs: Type.Integer(),
      toMs: Type.Union([Type.Integer(), Type.Null()]),
      peak: Type.Number(),
    }),
  ),
});
const Hours = Type.Object(
  { hours: Type.Integer({ default: 24, minimum: 1, maximum: 168, description: 'How far to look back.' }) },
  { additionalProperties: false },
);

async function previewReply(
  { series, clock, resources }: AlertRoutesGiven,
  org: string,
  rule: Omit<Rule, 'id'>,
  hours: number,
) {
  if (rule.builtIn === 'host-silent' || rule.builtIn === 'disk-filling' || rule.builtIn === 'memory-exhausted')
    throw problems.noPreview('It looks at more than one stored metric, or at none.');
  const toMs = clock.now();
  const fromMs = toMs - hours * (DAY_MS / 24);
  const all = (await resources.list(org)).filter(({ id }) => rule.resource === null || rule.resource === id);
  const looked = all.slice(0, PREVIEW_HOSTS);
  const names = new Map(looked.map(({ id, name }) => [id, name]));
  const episodes = await preview(rule, { series, org, resources: [...names.keys()], from: fromMs, to: toMs });
  return {
    fromMs,
    toMs,
    total: episodes.length,
    complete: looked.length === all.length && episodes.length <= PREVIEW_EPISODES,
    episodes: episodes.slice(0, PREVIEW_EPISODES).map((episode) => ({
      ...episode,
      attributes: { ...episode.attributes },
      resourceName: names.get(episode.resource) ?? '',
    })),
  };
}

async function ruleById({ store }: AlertRoutesGiven, org: string, id: string): Promise<Rule> {
  const rule = (await store.rules(org)).find((one) => one.id === id);
  if (rule === undefined) throw problems.notFound('There is no such rule.');
  return rule;
}

async function checkBody({ resources }: AlertRoutesGiven, org: string, body: RuleBody): Promise<void> {
  checkRule(body);
  if (body.resource !== null && (await resources.find(org, body.resource)) === undefined)
    throw problems.unknownResource();
}

/** Of a rule that everyone has, what it looks at stays; how strict it is and whom it tells may change. */
function changedRule(old: Rule, body: RuleBody): Rule {
  const { id, builtIn } = old;
  if (builtIn !== null && (body.metric !== old.metric || body.operator !== old.operator))
    throw problems.builtIn(
      'Its metric and operator cannot be changed. Switch it off and make a rule of your own instead.',
    );
  return { ...body, id, builtIn };
}

function readRoutes(app: ServiceApp, given: AlertRoutesGiven): void {
  const { store, engine } = given;
  app.get(
    ROOT,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'The rules, those that everyone has among them.',
        querystring: Type.Object(paging, { additionalProperties: false }),
        response: { 200: listOf(RuleView) },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const { limit, offset } = request.query;
      const rules = await store.rules(org);
      const counts = engine.counts(org);
      const items = rules.slice(offset, offset + limit).map((rule) => viewRule(rule, counts.get(rule.id) ?? 0));
      return { items, total: rules.length, limit, offset };
    },
  );
  app.get(
    `${ROOT}/:id`,
    { config: { role: 'viewer' }, schema: { tags, summary: 'One rule.', params: ById, response: { 200: RuleView } } },
    async (request) => {
      const { org } = principalOf(request);
      const rule = await ruleById(given, org, request.params.id);
      return viewRule(rule, engine.counts(org).get(rule.id) ?? 0);
    },
  );
  app.get(
    `${ROOT}/:id/preview`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'How often a rule would have fired.',
        params: ById,
        querystring: Hours,
        response: { 200: PreviewReply },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      return previewReply(given, org, await ruleById(given, org, request.params.id), request.query.hours);
    },
  );
  app.post(
    `${ROOT}/preview`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'How often a rule that is not saved would have fired.',
        querystring: Hours,
        body: RuleBody,
        response: { 200: PreviewReply },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      await checkBody(given, org, request.body);
      return previewReply(given, org, { ...request.body, builtIn: null }, request.query.hours);
    },
  );
}

/** Rules: list, make, change, remove, try on the past. */
export function ruleRoutes(app: ServiceApp, given: AlertRoutesGiven): void {
  const { store, engine, reload } = given;
  readRoutes(app, given);
  app.post(
    ROOT,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'Make a rule.', body: RuleBody, response: { 201: RuleView } },
    },
    async (request, reply) => {
      const { org } = principalOf(request);
      await checkBody(given, org, request.body);
      await store.rules(org);
      const rule = await store.addRule(org, { ...request.body, builtIn: null });
      await reload(org);
      return reply.code(201).send(viewRule(rule, 0));
    },
  );
  app.put(
    `${ROOT}/:id`,
    {
      config: { role: 'editor' },
      schema: { tags, summary: 'Change a rule.', params: ById, body: RuleBody, response: { 200: RuleView } },
    },
    async (request) => {
      const { org } = principalOf(request);
      const old = await ruleById(given, org, request.params.id);
      await checkBody(given, org, request.body);
      const rule = await store.changeRule(org, changedRule(old, request.body));
      if (rule === undefined) throw problems.notFound('There is no such rule.');
      await reload(org);
      return viewRule(rule, engine.counts(org).get(rule.id) ?? 0);
    },
  );
  app.delete(
    `${ROOT}/:id`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Remove a rule. What fires under it is closed.',
        params: ById,
        response: { 204: Done },
      },
    },
    async (request, reply) => {
      const { org } = principalOf(request);
      const { builtIn, id } = await ruleById(given, org, request.params.id);
      if (builtIn !== null) throw problems.builtIn('It cannot be removed. Switch it off instead.');
      await store.removeRule(org, id);
      await reload(org);
      return reply.code(204).send(null);
    },
  );
}
