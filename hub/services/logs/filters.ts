import { Type } from 'typebox';
import type { LogFilter, LogLevelNumber, StoredLine } from '../../ports/logstore.ts';
import { problems } from './errors.ts';
import type { TailLine } from './tail.ts';
import type { TemplateStore } from './template-store.ts';

/** Names of the levels, by number. */
export const LEVELS = ['unknown', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

const several = (description: string) =>
  Type.Optional(
    Type.Union([Type.Array(Type.String({ maxLength: 300 }), { maxItems: 50 }), Type.String({ maxLength: 4000 })], {
      description,
    }),
  );
/** What a call may ask of lines, a time aside. */
export const Filters = {
  q: Type.Optional(Type.String({ maxLength: 1000, description: 'Text that lines contain, in any case.' })),
  not: several('Text that lines do not contain, in any case; may be repeated.'),
  level: several(`Levels, repeated or with commas between: ${LEVELS.join(', ')}.`),
  host: several('Ids of hosts, repeated or with commas between.'),
  source: Type.Optional(Type.String({ maxLength: 1024, description: 'The file that lines came from.' })),
  attribute: Type.Optional(
    Type.Union([Type.Array(Type.String({ maxLength: 400 }), { maxItems: 20 }), Type.String({ maxLength: 400 })], {
      description:
        'What wrote the lines, as name:value (k8s.pod.name:web-1); may be repeated. All names must fit, each with any of its values.',
    }),
  ),
  template: several('Kinds of lines, as patterns name them (16 hex digits), repeated or with commas between.'),
  notTemplate: several('Kinds that lines must not be of, in the same words.'),
};
/** A typo in a filter's name must not answer everything. */
export const ONLY_THESE = { additionalProperties: false };
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The same, as it arrives. */
export interface FilterQuery {
  q?: string;
  not?: string | string[];
  level?: string | string[];
  host?: string | string[];
  source?: string;
  attribute?: string | string[];
  template?: string | string[];
  notTemplate?: string | string[];
}

const listed = (value: string | string[] | undefined): string[] =>
  (typeof value === 'string' ? [value] : (value ?? []))
    .flatMap((part) => part.split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** `name:value`; a value may hold colons. */
function attributesOf(given: string | string[] | undefined): LogFilter['attributes'] {
  const asked = typeof given === 'string' ? [given] : (given ?? []);
  const attributes = asked.map((one) => {
    const colon = one.indexOf(':');
    if (colon < 1 || colon === one.length - 1)
      throw problems.badAttribute(`"${one}" is not written as name:value, such as k8s.pod.name:web-1.`);
    return { name: one.slice(0, colon), value: one.slice(colon + 1) };
  });
  return attributes.length === 0 ? undefined : attributes;
}

const TEMPLATE = /^[0-9a-f]{16}$/i;

/** Ids of templates; undefined where none is given. */
function templatesIn(given: string | string[] | undefined): string[] | undefined {
  const ids = listed(given);
  const wrong = ids.find((id) => !TEMPLATE.test(id));
  if (wrong !== undefined)
    throw problems.unknownTemplate(`"${wrong}" is no id of a template. GET /api/v1/logs/patterns lists them.`);
  return ids.length === 0 ? undefined : ids.map((id) => id.toLowerCase());
}

/** The same filter, with templates that others turned out to be, and those others. */
export async function familiesOf<Filter extends Pick<LogFilter, 'templates' | 'withoutTemplates'>>(
  store: TemplateStore,
  org: string,
  filter: Filter,
): Promise<Filter> {
  const { templates, withoutTemplates } = filter;
  if (templates === undefined && withoutTemplates === undefined) return filter;
  return {
    ...filter,
    templates: templates === undefined ? undefined : await store.family(org, templates),
    withoutTemplates: withoutTemplates === undefined ? undefined : await store.family(org, withoutTemplates),
  };
}

/** The search's words; `not` is taken whole, because a text may hold commas. */
export function filterOf(query: FilterQuery): Omit<LogFilter, 'from' | 'to'> {
  const hosts = listed(query.host);
  const wrong = hosts.find((host) => !ID.test(host));
  if (wrong !== undefined)
    throw problems.unknownHost(
      `"${wrong}" is no id of a host. GET /api/v1/monitoring/resources lists hosts with their ids.`,
    );
  const levels = listed(query.level).map((name) => {
    const number = LEVELS.indexOf(name.toLowerCase() as (typeof LEVELS)[number]);
    if (number < 0) throw problems.unknownLevel(`"${name}" is none of ${LEVELS.join(', ')}.`);
    return number as LogLevelNumber;
  });
  return {
    resources: hosts.length === 0 ? undefined : hosts,
    text: query.q === '' ? undefined : query.q,
    without: typeof query.not === 'string' ? [query.not] : query.not,
    levels: levels.length === 0 ? undefined : levels,
    source: query.source === '' ? undefined : query.source,
    attributes: attributesOf(query.attribute),
    templates: templatesIn(query.template),
    withoutTemplates: templatesIn(query.notTemplate),
  };
}

/** A line that is stored, as people see it. */
export const shown = ({ resource, level, attributes = {}, parameters, ...line }: StoredLine) => ({
  ...line,
  host: resource,
  level: LEVELS[level],
  attributes,
  ...(parameters === undefined ? {} : { parameters: [...parameters] }),
});
/** A line on its way, as people see it. */
export const shownLive = ({ resource, level, attributes = {}, ...line }: TailLine) => ({
  ...line,
  host: resource,
  level: LEVELS[level],
  attributes,
});
