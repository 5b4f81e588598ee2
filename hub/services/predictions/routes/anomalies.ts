import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Principal } from '../../../principal.ts';
import { readTime } from '../../../time-range.ts';
import type { Anomalies, AnomalyFilter, StoredAnomaly } from '../anomalies.ts';
import { problems } from '../errors.ts';
import { KINDS } from '../event.ts';
import type { Feedback, Said } from '../feedback.ts';
import { VERDICTS } from '../sensitivity.ts';

/** What these routes stand on. */
export interface AnomalyRoutesGiven {
  anomalies: Anomalies;
  feedback: Feedback;
  clock: Clock;
}

const Attributes = Type.Record(Type.String(), Type.String());
const Cause = Type.Object({
  metric: Type.String(),
  attributes: Attributes,
  surprise: Type.Number({ description: '-ln p of its strangest sample, nats.' }),
  direction: Type.Enum(['up', 'down', '']),
  channel: Type.String({
    description: 'What was strange: residual, level, variability, flat, season, silent, count, ….',
  }),
  value: Type.Union([Type.Number(), Type.Null()], {
    description:
      'In the metric’s unit; a counter’s are rates per second, but for log-sequence: the lines of one window.',
  }),
  expected: Type.Union([Type.Number(), Type.Null()], { description: 'What its past had led to expect.' }),
  timeMs: Type.Integer(),
});
const Happening = Type.Object({
  kind: Type.String({ description: 'deploy, reboot, ci-job, agent-restart, ….' }),
  name: Type.String(),
  fromMs: Type.Integer(),
  toMs: Type.Union([Type.Integer(), Type.Null()]),
});
const Verdict = Type.Enum([...VERDICTS], {
  description: 'useful: it was right to tell. noise: nothing was the matter. expected: it was so, and on purpose.',
});
const Event = {
  id: Type.String(),
  resource: Type.String(),
  revision: Type.Integer({ description: 'Grows with everything that its agent says of it anew.' }),
  kind: Type.Enum([...KINDS], {
    description:
      'host: many metrics together. template-…: a kind of log line that is new, rare, or no longer comes. log-sequence: kinds of log lines that come more or less often than usual.',
  }),
  startMs: Type.Integer(),
  peakMs: Type.Integer(),
  endMs: Type.Union([Type.Integer(), Type.Null()], { description: 'Null while it goes on.' }),
  endedBy: Type.Union([Type.Enum(['agent', 'superseded', 'lost']), Type.Null()], {
    description:
      'agent: the host is as ever again. superseded: the next event of the host began. lost: its agent was not heard of for hours, or never said its end.',
  }),
  score: Type.Number({ description: 'At the peak, 0 to 1; strange from 0.5 on.' }),
  surprise: Type.Number({ description: '-ln p at the peak, nats.' }),
  causes: Type.Array(Cause, { description: 'The most telling first.' }),
  contexts: Type.Array(Happening, { description: 'What happened on the host at the time.' }),
  templates: Type.Array(Type.String(), { description: 'Ids of log templates, 16 hex digits.' }),
  model: Type.String({ description: 'Version of the model that judged; empty for none.' }),
  feedback: Type.Object({
    ...Object.fromEntries(VERDICTS.map((verdict) => [verdict, Type.Integer()])),
    mine: Type.Union([Verdict, Type.Null()]),
  }),
};
const Listed = Type.Object(Event);
const Whole = Type.Object({
  ...Event,
  labels: Type.Array(
    Type.Object({ name: Type.String(), verdict: Verdict, note: Type.String(), atMs: Type.Integer() }),
    { description: 'Who said what of it, the newest first.' },
  ),
});
const Query = Type.Object(
  {
    resource: Type.Optional(Type.String({ format: 'uuid', description: 'Id of a host.' })),
    kind: Type.Optional(Type.Enum([...KINDS])),
    state: Type.Optional(Type.Enum(['open', 'ended'])),
    from: Type.Optional(
      Type.String({
        maxLength: 40,
        description: 'now, -2h, milliseconds or ISO 8601: those that went on then or later.',
      }),
    ),
    to: Type.Optional(Type.String({ maxLength: 40, description: 'Those that began then or earlier.' })),
    least: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'The least score.' })),
    label: Type.Optional(
      Type.Enum([...VERDICTS, 'none'], { description: 'What somebody said of it; none: nobody did.' }),
    ),
    limit: Type.Integer({ default: 50, minimum: 1, maximum: 200 }),
    offset: Type.Integer({ default: 0, minimum: 0, maximum: 1_000_000 }),
  },
  { additionalProperties: false },
);
const Word = Type.Object(
  { verdict: Verdict, note: Type.String({ default: '', maxLength: 1000, description: 'Why, for others.' }) },
  { additionalProperties: false },
);
const Sensitivity = Type.Object({
  offset: Type.Number({ description: 'Nats that the threshold of the host is higher; below 0: lower.' }),
  series: Type.Array(Type.Object({ metric: Type.String(), attributes: Attributes, offset: Type.Number() })),
});

const ROOT = '/api/v1/predictions';
const tags = ['predictions'];
const ById = Type.Object({ id: Type.String({ format: 'uuid' }) });

/** Before the first and after the last day that a Date can hold nothing lies. */
const LAST_MS = 8.64e15;
const within = (ms: number): number => Math.max(-LAST_MS, Math.min(LAST_MS, ms));

/** An event with what was said of it, as one person sees it. */
function shown(anomaly: StoredAnomaly, said: readonly Said[], { user }: Principal) {
  const count = (verdict: string): number => said.filter((one) => one.verdict === verdict).length;
  const counts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, count(verdict)]));
  return { ...anomaly, feedback: { ...counts, mine: said.find(({ person }) => person === user)?.verdict ?? null } };
}

function readRoutes(app: ServiceApp, { anomalies, feedback, clock }: AnomalyRoutesGiven): void {
  app.get(
    `${ROOT}/anomalies`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'Times in which hosts were unlike their past, newest first.',
        querystring: Query,
        response: {
          200: Type.Object({
            items: Type.Array(Listed),
            total: Type.Integer(),
            limit: Type.Integer(),
            offset: Type.Integer(),
          }),
        },
      },
    },
    async (request) => {
      const { limit, offset, from, to, ...rest } = request.query;
      const [principal, now] = [principalOf(request), clock.now()];
      const range = {
        ...(from === undefined ? {} : { fromMs: within(readTime(from, now)) }),
        ...(to === undefined ? {} : { toMs: within(readTime(to, now)) }),
      };
      if ((range.fromMs ?? 0) > (range.toMs ?? Infinity)) throw problems.badRange('"from" must not be after "to".');
      const filter: AnomalyFilter = { ...rest, ...range };
      const { items, total } = await anomalies.list(principal.org, filter, { limit, offset });
      const said = await feedback.of(
        principal.org,
        items.map(({ id }) => id),
      );
      return { items: items.map((one) => shown(one, said.get(one.id) ?? [], principal)), total, limit, offset };
    },
  );
  app.get(
    `${ROOT}/anomalies/:id`,
    {
      config: { role: 'viewer' },
      schema: { tags, summary: 'One event, and who said what of it.', params: ById, response: { 200: Whole } },
    },
    (request) => wholeOf({ anomalies, feedback }, principalOf(request), request.params.id),
  );
  app.get(
    `${ROOT}/sensitivities/:id`,
    {
      config: { role: 'viewer' },
      schema: {
        tags,
        summary: 'By how much feedback moved the thresholds of a host and its series.',
        params: ById,
        response: { 200: Sensitivity },
      },
    },
    async (request) => {
      const { offset, series } = await feedback.sensitivity(principalOf(request).org, request.params.id);
      return {
        offset,
        series: series.map(({ metric, attributes, offset: own }) => ({ metric, attributes, offset: own })),
      };
    },
  );
}

async function wholeOf(
  { anomalies, feedback }: Pick<AnomalyRoutesGiven, 'anomalies' | 'feedback'>,
  principal: Principal,
  id: string,
) {
  const anomaly = await anomalies.get(principal.org, id);
  if (anomaly === undefined) throw problems.notFound();
  const said = (await feedback.of(principal.org, [id])).get(id) ?? [];
  const labels = said.map(({ name, verdict, note, atMs }) => ({ name, verdict, note, atMs }));
  return { ...shown(anomaly, said, principal), labels };
}

/** The web API of anomaly events. */
export function anomalyRoutes(app: ServiceApp, given: AnomalyRoutesGiven): void {
  const { feedback } = given;
  readRoutes(app, given);
  app.post(
    `${ROOT}/anomalies/:id/feedback`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary:
          'Say what an event was worth, in the place of what you said before. It moves the thresholds of its host and first causes.',
        params: ById,
        body: Word,
        response: { 200: Whole },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      await feedback.say(principal, request.params.id, request.body);
      return wholeOf(given, principal, request.params.id);
    },
  );
  app.delete(
    `${ROOT}/anomalies/:id/feedback`,
    {
      config: { role: 'editor' },
      schema: {
        tags,
        summary: 'Take back what you said of an event.',
        params: ById,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
    },
    async (request, reply) => {
      await feedback.takeBack(principalOf(request), request.params.id);
      return reply.code(204).send(null);
    },
  );
}
