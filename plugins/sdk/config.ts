import { readFileSync } from 'node:fs';
import { Type, type Static, type TObject, type TSchema } from 'typebox';
import { Settings as TypeBox } from 'typebox/system';
import { Value } from 'typebox/value';
import { nearestName } from './nearest.ts';
import { defineProblems, Problem, reasonOf } from './problem.ts';
import { byPosition, placeName, placeOf, readSettingsFile, type Settings, type SettingsFile } from './settings-file.ts';
import { wordsOfFault } from './setting-words.ts';

const problems = defineProblems('config', {
  invalid: { status: 400, title: 'The settings are not valid.' },
});

/** Where settings come from, weakest first: schema defaults, file, environment, flags. */
export interface SettingSources {
  /** Path of a YAML file; a missing `file` is no fault, a named one that cannot be read is. */
  file?: string;
  /** Puts what is stronger than the file and weaker than the environment over what the file says. */
  over?(file: Settings): Settings;
  env: NodeJS.ProcessEnv;
  flags: Settings;
}

/** The environment name of a setting: `OUTRIDER_` and the path in capitals, `__` between levels, `_` between words. */
export function environmentName(path: readonly string[]): string {
  return `OUTRIDER_${path.map((key) => key.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()).join('__')}`;
}

interface ObjectLike {
  properties: Record<string, TSchema>;
}

function isObjectSchema(schema: TSchema): schema is TSchema & ObjectLike {
  return (schema as { type?: unknown }).type === 'object' && 'properties' in schema;
}

/** Every leaf of a schema with its path. Schemas of maps (additionalProperties) are leaves. */
export function leavesOf(
  schema: TSchema,
  path: readonly string[] = [],
): { path: readonly string[]; schema: TSchema }[] {
  if (!isObjectSchema(schema)) return [{ path, schema }];
  return Object.entries(schema.properties).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function setAt(tree: Settings, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path;
  if (head === undefined) return;
  if (rest.length === 0) {
    tree[head] = value;
    return;
  }
  const child = tree[head];
  const next: Settings = typeof child === 'object' && child !== null ? { ...(child as Settings) } : {};
  tree[head] = next;
  setAt(next, rest, value);
}

function merge(below: Settings, above: Settings): Settings {
  const out: Settings = { ...below };
  for (const [key, value] of Object.entries(above)) {
    if (value === undefined) continue;
    const old = out[key];
    const both = [old, value].every((v) => typeof v === 'object' && v !== null && !Array.isArray(v));
    out[key] = both ? merge(old as Settings, value as Settings) : value;
  }
  return out;
}

function environmentSettings(schema: TSchema, env: NodeJS.ProcessEnv, faults: string[]): Settings {
  const tree: Settings = {};
  for (const leaf of leavesOf(schema)) {
    const name = environmentName(leaf.path);
    const text = env[name];
    if (text !== undefined) setAt(tree, leaf.path, parseText(leaf.schema, text));
    const twin = env[`${name}_FILE`];
    if (twin === undefined || !isSecret(leaf.schema)) continue;
    try {
      setAt(tree, leaf.path, readFileSync(twin, 'utf8').trimEnd());
    } catch (error) {
      faults.push(`${name}_FILE: ${twin} cannot be read (${reasonOf(error)})`);
    }
  }
  return tree;
}

function parseText(schema: TSchema, text: string): unknown {
  const type = (schema as { type?: unknown }).type;
  if (type === 'array' && !text.trimStart().startsWith('[')) return text.split(',').map((part) => part.trim());
  if (type === 'array' || type === 'object') {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text; // The schema check names the fault with its place.
    }
  }
  return text;
}

/** True for a schema marked `secret: true`: it has a `…File` twin and prints as `***`. */
export function isSecret(schema: TSchema): boolean {
  return (schema as { secret?: unknown }).secret === true;
}

/** Reads `keyFile` twins of secrets in a tree, `passwordFile: /run/secrets/x` sets `password`, unless a stronger source has said it. */
function readSecretFiles(
  schema: TSchema,
  [tree, stronger]: readonly [Settings, Settings],
  faults: string[],
  path: readonly string[] = [],
): void {
  if (!isObjectSchema(schema)) return;
  for (const [key, child] of Object.entries(schema.properties)) {
    const below = tree[key];
    if (isObjectSchema(child) && typeof below === 'object' && below !== null) {
      readSecretFiles(child, [below as Settings, (stronger[key] ?? {}) as Settings], faults, [...path, key]);
    }
    const { items } = child as { items?: TSchema };
    // A list is never merged: a stronger one stands in the place of this one.
    if (items !== undefined && Array.isArray(below) && stronger[key] === undefined)
      for (const [n, item] of below.entries())
        if (typeof item === 'object' && item !== null)
          readSecretFiles(items, [item as Settings, {}], faults, [...path, key, String(n)]);
    const file = tree[`${key}File`];
    if (!isSecret(child) || typeof file !== 'string') continue;
    delete tree[`${key}File`];
    if (stronger[key] !== undefined) continue;
    try {
      tree[key] = readFileSync(file, 'utf8').trimEnd();
    } catch (error) {
      faults.push(`${[...path, `${key}File`].join('.')}: ${file} cannot be read (${reasonOf(error)})`);
    }
  }
}

/** Makes what texts say into what the schema wants; what a file gave as a number is never rounded to fit. */
function convertTexts(schema: TSchema, value: unknown): unknown {
  const { type, items, patternProperties } = schema as {
    type?: unknown;
    items?: TSchema;
    patternProperties?: Record<string, TSchema>;
  };
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => convertTexts(items, item));
  if (typeof value === 'object' && value !== null) {
    const named = isObjectSchema(schema) ? schema.properties : {};
    const [any] = Object.values(patternProperties ?? {});
    return Object.fromEntries(
      Object.entries(value).map(([key, child]: [string, unknown]) => {
        const own = Object.hasOwn(named, key) ? named[key] : any;
        return [key, own === undefined ? child : convertTexts(own, child)];
      }),
    );
  }
  if (type === 'integer' && typeof value === 'string') return Value.Convert(Type.Number(), value);
  const mayConvert = typeof value === 'string' || (type === 'string' && value !== null);
  return mayConvert ? Value.Convert(schema, value) : value;
}

/** Every fault of a person's own file: the bound of eight is for what strangers send. */
function allErrors(schema: TSchema, value: unknown): ReturnType<typeof Value.Errors> {
  const { maxErrors } = TypeBox.Get();
  TypeBox.Set({ maxErrors: 1000 });
  try {
    return Value.Errors(schema, value);
  } finally {
    TypeBox.Set({ maxErrors });
  }
}

/** Checks a tree against a schema, filling defaults and converting texts. Faults name the setting and say in plain words what is wrong with it. */
export function checkSettings<S extends TSchema>(schema: S, tree: unknown, faults: string[]): Static<S> {
  const value: unknown = convertTexts(schema, Value.Default(schema, Value.Clone(tree)));
  // A choice of several forms is refused once for each of them.
  faults.push(...new Set(allErrors(schema, value).flatMap((error) => wordsOfFault(schema, value, error))));
  return value as Static<S>;
}

/** True where a tree says something of a setting, or of one above it that is no section. */
function says(tree: unknown, [key, ...below]: readonly string[]): boolean {
  if (tree === undefined) return false; // A flag that nobody gave.
  if (key === undefined || typeof tree !== 'object' || tree === null) return true;
  return Object.hasOwn(tree, key) && says((tree as Settings)[key], below);
}

/** Where faults come from: their variable, or their line and column of the file; in the order of the file, after those of elsewhere. */
function withOrigins(schema: TSchema, faults: readonly string[], sources: SettingSources, file?: SettingsFile) {
  const variables = leavesOf(schema).flatMap(({ path }) => {
    const name = environmentName(path);
    return sources.env[name] === undefined ? [] : [{ name, place: path.join('.') }];
  });
  const told = faults.map((fault) => {
    const place = placeOf(fault).join('.');
    if (place === '') return { fault };
    const variable = variables.find((one) => place === one.place || place.startsWith(`${one.place}.`));
    const bare = fault.replace(/^settings: /, '');
    if (says(sources.flags, placeOf(fault))) return { fault: `a flag: ${bare}` };
    if (variable !== undefined) return { fault: `${variable.name}: ${fault}` };
    const at = file?.positionOf(placeOf(fault));
    return at === undefined ? { fault: bare } : { fault: `${placeName(sources.file ?? '', at)}: ${bare}`, at };
  });
  return told.sort((a, b) => byPosition(a.at, b.at)).map(({ fault }) => fault);
}

/** Puts all sources together and checks them, with what `check` finds besides. Throws one Problem that lists every fault, with line and column where the file has it; `check` is asked even where the schema refuses something, so it must bear values of any type. */
export function loadSettings<S extends TObject>(
  schema: S,
  sources: SettingSources,
  check: (settings: Settings) => readonly string[] = () => [],
): Static<S> {
  const ofFile: string[] = [];
  const file = sources.file === undefined ? undefined : readSettingsFile(sources.file, ofFile);
  const faults: string[] = [];
  const below = sources.over?.(file?.tree ?? {}) ?? file?.tree ?? {};
  const above = merge(environmentSettings(schema, sources.env, faults), sources.flags);
  readSecretFiles(schema, [above, {}], faults);
  readSecretFiles(schema, [below, above], faults);
  const tree = merge(below, above);
  const settings = checkSettings(schema, tree, faults);
  faults.push(...check(settings as Settings));
  const all = [...ofFile, ...withOrigins(schema, faults, sources, file)];
  if (all.length === 0) return settings;
  throw invalidSettings(all);
}

/** Variables that are no settings, and mean something to one of the programs or to its tests. */
const OTHER_VARIABLES = /^OUTRIDER_(DATA|JOIN_TOKEN|DEV_HUB|TEST_.*)$/;

/** True of a section that may hold any key with any value. */
function holdsAnything(schema: TSchema): boolean {
  const { patternProperties = {} } = schema as { patternProperties?: Record<string, object> };
  return Object.values(patternProperties).some((value) => Object.keys(value).length === 0);
}

/** The variables of the environment that look like settings and are none, with the setting that may be meant; the other program may know them. */
export function unknownVariables(schema: TSchema, env: NodeJS.ProcessEnv): { variable: string; meant?: string }[] {
  const leaves = leavesOf(schema);
  const known = leaves.flatMap((leaf) => {
    const name = environmentName(leaf.path);
    return isSecret(leaf.schema) ? [name, `${name}_FILE`] : [name];
  });
  // Sections of which this program knows no more than the name: what they hold is another one's.
  const foreign = leaves.filter((leaf) => holdsAnything(leaf.schema)).map(({ path }) => `${environmentName(path)}__`);
  const unknown = Object.keys(env).filter(
    (name) =>
      name.startsWith('OUTRIDER_') &&
      !known.includes(name) &&
      !OTHER_VARIABLES.test(name) &&
      !foreign.some((section) => name.startsWith(section)),
  );
  return unknown.map((variable) => {
    const meant = nearestName(variable, known);
    return meant === undefined ? { variable } : { variable, meant };
  });
}

/** What is said of an unknown variable; its name stands beside it. */
export const UNKNOWN_VARIABLE = 'a variable of the environment is no setting of this program and was left out';

/** The faults that an error lists, one sentence each; its reason where it lists none. */
export function faultsOf(error: unknown): readonly string[] {
  const faults = error instanceof Problem ? error.facts['faults'] : undefined;
  return Array.isArray(faults) ? faults.map(String) : [reasonOf(error)];
}

/** One Problem for a list of faults. */
export function invalidSettings(faults: readonly string[]): Error {
  return problems.invalid(faults.join('\n'), { facts: { faults } });
}
