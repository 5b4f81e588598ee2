import type { TSchema } from 'typebox';
import { nearestName } from './nearest.ts';
import { reasonOf } from './problem.ts';

/** As much of a schema as words are made of. */
interface Described {
  type?: unknown;
  properties?: Record<string, TSchema>;
  patternProperties?: Record<string, TSchema>;
  items?: TSchema;
  anyOf?: TSchema[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  description?: string;
  /** What a text looks like that fits the pattern, in words. */
  form?: string;
  secret?: boolean;
}

/** A fault as the schema's checker tells it. */
export interface SchemaFault {
  keyword: string;
  instancePath: string;
  params: object;
  message: string;
}

/** `a, b or c`. */
export function anyOfWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/** The keys of a place in the checker's form. */
const keysOf = (instancePath: string): string[] =>
  instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

function childOf(schema: Described, key: string): Described {
  const own = schema.properties?.[key] ?? schema.items;
  return (own ?? Object.values(schema.patternProperties ?? {})[0] ?? {}) as Described;
}

const valueAt = (tree: unknown, keys: readonly string[]): unknown =>
  keys.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], tree);

/** What may be chosen from; undefined where it is not a choice. */
function choicesOf({ enum: values, anyOf, const: only }: Described): string[] | undefined {
  const chosen = values ?? anyOf?.map((one) => (one as Described).const) ?? (only === undefined ? undefined : [only]);
  return chosen?.every((value) => typeof value === 'string') === true ? chosen : undefined;
}

/** The bounds of a number as words of their own; empty without any. */
function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: Described): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  const words = [
    minimum === undefined ? '' : `at least ${minimum}`,
    exclusiveMinimum === undefined ? '' : `more than ${exclusiveMinimum}`,
    maximum === undefined ? '' : `at most ${maximum}`,
    exclusiveMaximum === undefined ? '' : `less than ${exclusiveMaximum}`,
  ];
  return words.filter((one) => one !== '').join(' and ');
}

const range = (schema: Described): string => {
  const words = bounds(schema);
  if (words === '') return '';
  return words.startsWith('from ') ? ` ${words}` : words.startsWith('at ') ? ` of ${words}` : ` that is ${words}`;
};

/** What a value has to be. */
function wanted(schema: Described): string {
  const choices = choicesOf(schema);
  if (choices !== undefined) return anyOfWords(choices);
  switch (schema.type) {
    case 'integer':
      return `a whole number${range(schema)}`;
    case 'number':
      return `a number${range(schema)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'a text';
    case 'array':
      return 'a list: [a, b], or lines that begin with "- "';
    case 'object':
      return schema.properties === undefined
        ? 'names with values, such as { role: web }'
        : `a section that may hold ${Object.keys(schema.properties).join(', ')}`;
    default:
      return 'something else';
  }
}

/** What stands there instead; a secret is not shown, and no text that may hold one. */
function found(value: unknown, { type, secret }: Described): string {
  if (value === null || value === undefined) return 'is empty';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object') return 'is a section';
  const isShown = secret !== true && type !== 'object' && type !== 'array';
  if (typeof value !== 'string') return isShown ? `is ${JSON.stringify(value)}` : `is a ${typeof value}`;
  return isShown ? `is ${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)}` : 'is a text';
}

const POWERS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 };
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The number that somebody meant by `100MB` or `5m`. */
function numberMeant(text: string, { description = '' }: Described): string {
  const size = /^\s*(\d+(?:\.\d+)?)\s*([kmgt])(i?)b?\s*$/i.exec(text);
  const time = /^\s*(\d+(?:\.\d+)?)\s*([smhd])\s*$/i.exec(text);
  if (/second/i.test(description) && time !== null)
    return `; in seconds that is ${Number(time[1]) * (SECONDS[time[2]?.toLowerCase() ?? ''] ?? 1)}`;
  if (size === null || !/byte/i.test(description)) return '';
  const base = size[3] === '' ? 1000 : 1024;
  return `; in bytes that is ${Math.round(Number(size[1]) * base ** (POWERS[size[2]?.toLowerCase() ?? ''] ?? 0))}`;
}

/** YAML 1.1 took these for switches, and people still write them so. */
const SWITCHES: Readonly<Record<string, string>> = { true: 'on', yes: 'on', false: 'off', no: 'off' };

/** The value that is meant by a wrong one. */
function meant(value: unknown, schema: Described): string {
  const choices = choicesOf(schema) ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  if (choices === undefined) return typeof value === 'string' ? numberMeant(value, schema) : '';
  const word = String(value);
  const isSwitch = choices.includes('on') && Object.hasOwn(SWITCHES, word.toLowerCase());
  const near = isSwitch ? SWITCHES[word.toLowerCase()] : nearestName(word, choices);
  return near === undefined || typeof value === 'object' ? '' : `; is ${near} meant?`;
}

function regexFault(value: unknown): string {
  try {
    new RegExp(String(value));
    return 'is no regular expression';
  } catch (error) {
    return `is no regular expression (${reasonOf(error).replace(/^Invalid regular expression: .*: /s, '')})`;
  }
}

/** Names with paths, of every setting below a schema. */
function namesBelow({ properties = {} }: Described, above: readonly string[] = []): [name: string, path: string][] {
  return Object.entries(properties).flatMap(([name, child]) => [
    [name, [...above, name].join('.')] as [string, string],
    ...namesBelow(child as Described, [...above, name]),
  ]);
}

/** One sentence on a name that a section does not know. */
function unknownName(name: string, section: Described, root: Described): string {
  const known = Object.keys(section.properties ?? {});
  const near = nearestName(name, known);
  if (near !== undefined) return `there is no "${name}" here; is "${near}" meant?`;
  const elsewhere = namesBelow(root).filter(([own]) => own === name);
  if (elsewhere.length === 1) return `there is no "${name}" here; "${elsewhere[0]?.[1]}" may be meant`;
  const all = known.length === 0 ? 'nothing' : known.join(', ');
  return `there is no "${name}" here; what there is: ${all}`;
}

/** Words on a fault of a length or of a form; undefined for other kinds. */
function formFault({ keyword, params }: SchemaFault, schema: Described, value: unknown): string | undefined {
  const { limit } = params as { limit?: number };
  const entries = limit === 1 ? 'one entry' : `${limit} entries`;
  switch (keyword) {
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
      return `must have at least ${entries}`;
    case 'maxItems':
      return `must have at most ${entries}`;
    case 'pattern':
      return schema.form === undefined ? 'does not have the right form' : `must be ${schema.form}`;
    case 'format':
      return (params as { format?: string }).format === 'regex' ? regexFault(value) : undefined;
    default:
      return undefined;
  }
}

/** The schemas on the way to a place, from the whole to the one of the place itself. */
const schemasTo = (root: Described, keys: readonly string[]): Described[] =>
  keys.reduce<Described[]>((way, key) => [...way, childOf(way.at(-1) ?? {}, key)], [root]);

/** Keywords that say only that a value is another one than is wanted. */
const WANTED = new Set(['type', 'enum', 'anyOf', 'const']);

/** Keywords that say that a number is too small or too large. */
const BOUNDS = new Set(['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']);

/** Says a fault of a schema in plain words: where, what must be there, what is, and what may be meant. */
export function wordsOfFault(root: TSchema, tree: unknown, fault: SchemaFault): string[] {
  const keys = keysOf(fault.instancePath);
  const place = keys.join('.') || 'settings';
  const way = schemasTo(root as Described, keys);
  const schema = way.at(-1) ?? {};
  const value = valueAt(tree, keys);
  const params = fault.params as { additionalProperties?: string[]; requiredProperties?: string[] };
  if (fault.keyword === 'boolean') return []; // The same unknown name is told by its section.
  if (params.additionalProperties !== undefined)
    return params.additionalProperties.map((name) => `${place}: ${unknownName(name, schema, root as Described)}`);
  if (params.requiredProperties !== undefined) {
    const extra = Object.keys((value ?? {}) as object).filter((name) => schema.properties?.[name] === undefined);
    const misspelt = extra.map((name) => nearestName(name, Object.keys(schema.properties ?? {})));
    return params.requiredProperties
      .filter((name) => !misspelt.includes(name)) // What is written instead of it is told already.
      .map((name) => {
        const { description } = childOf(schema, name);
        return `${[...keys, name].join('.')}: is missing${description === undefined ? '' : `. ${description}`}`;
      });
  }
  const words = formFault(fault, schema, value);
  const described = way.findLast(({ description }) => description !== undefined)?.description;
  if (words === 'does not have the right form') return [`${place}: ${words}. ${described ?? ''}`.trim()];
  if (words !== undefined) return [`${place}: ${words}`];
  if (BOUNDS.has(fault.keyword)) return [`${place}: must be ${bounds(schema)}, and ${found(value, schema)}`];
  if (!WANTED.has(fault.keyword)) return [`${place}: ${fault.message}`];
  return [`${place}: must be ${wanted(schema)}, and ${found(value, schema)}${meant(value, schema)}`];
}
