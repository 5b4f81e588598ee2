import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { SeriesKind } from '#proto/metrics.ts';
import type { Attributes } from '#sdk';
import { parseLineProtocol } from './line-protocol.ts';

/** The forms that a program may print. */
export type Format = 'influx' | 'json';

/** One value that a program told. */
export interface Reading {
  name: string;
  kind: SeriesKind;
  value: number;
  attributes: Attributes;
}

/** What a program told, and what of it could not be read. */
export interface ParsedReadings {
  readings: Reading[];
  /** The first mistake. */
  fault: string | undefined;
}

const Listed = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  value: Type.Union([Type.Number(), Type.Boolean()]),
  kind: Type.Optional(Type.Enum(['gauge', 'counter'])),
  attributes: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
});

const NOTHING: Attributes = {};

function parseInflux(text: string): ParsedReadings {
  const { points, faults } = parseLineProtocol(text);
  const readings = points.flatMap(({ measurement, tags, fields }) =>
    Object.entries(fields).map(([field, value]): Reading => ({
      name: `${measurement}_${field}`,
      kind: 'gauge',
      value,
      attributes: tags,
    })),
  );
  const [first] = faults;
  return { readings, fault: first === undefined ? undefined : `line ${first.line}: ${first.why}` };
}

function readListed(one: unknown, at: number): Reading | string {
  if (!Value.Check(Listed, one)) return `entry ${at + 1} is not { name, value, kind?, attributes? }`;
  const attributes = Object.entries(one.attributes ?? {}).map(([key, value]) => [key, String(value)] as const);
  return {
    name: one.name,
    kind: one.kind ?? 'gauge',
    value: Number(one.value),
    attributes: attributes.length === 0 ? NOTHING : Object.fromEntries(attributes),
  };
}

function readNamed([name, value]: [string, unknown]): Reading | string {
  if (typeof value !== 'number' && typeof value !== 'boolean') return `"${name.slice(0, 40)}" is no number`;
  return { name, kind: 'gauge', value: Number(value), attributes: NOTHING };
}

function parseJson(text: string): ParsedReadings {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return { readings: [], fault: 'it is no JSON' }; // The parser's own words quote what was printed.
  }
  if (typeof found !== 'object' || found === null) return { readings: [], fault: 'it is neither an object nor a list' };
  const all = Array.isArray(found) ? found.map(readListed) : Object.entries(found).map(readNamed);
  return {
    readings: all.filter((one) => typeof one !== 'string'),
    fault: all.find((one) => typeof one === 'string'),
  };
}

/** Reads what a program printed. What cannot be read costs only itself. */
export function parseReadings(text: string, format: Format): ParsedReadings {
  return format === 'influx' ? parseInflux(text) : parseJson(text);
}
