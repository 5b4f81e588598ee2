import { environmentName, isSecret, leavesOf, readSettingsFile, type Settings, type SettingsFile } from '#sdk';
import type { TSchema } from 'typebox';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { agentSchema, type LoadedSettings } from '../config.ts';
import { overFile } from '../pushed/index.ts';

/** What stands at a place of a tree; undefined where it says nothing. */
function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (at as Settings)[key] : undefined),
    tree,
  );
}

/** Secrets inside a list are as secret as others. */
function shown(schema: TSchema, value: unknown): unknown {
  const { items, properties } = schema as { items?: TSchema; properties?: Record<string, TSchema> };
  if (isSecret(schema)) return value === undefined || value === '' ? value : '***';
  if (Array.isArray(value) && items !== undefined) return value.map((item) => shown(items, item));
  if (typeof value !== 'object' || value === null || properties === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, own]) => [key, properties[key] === undefined ? own : shown(properties[key], own)]),
  );
}

/** Where settings come from, strongest first, as a person would look for them. */
interface Origins {
  env: NodeJS.ProcessEnv;
  flags: Settings;
  file: SettingsFile | undefined;
  loaded: LoadedSettings;
}

function originOf(path: readonly string[], schema: TSchema, { env, flags, file, loaded }: Origins): string {
  const name = environmentName(path);
  if (valueAt(flags, path) !== undefined) return 'a flag';
  if (env[name] !== undefined) return name;
  if (isSecret(schema) && env[`${name}_FILE`] !== undefined) return `${name}_FILE`;
  const inFile = valueAt(file?.tree, path) ?? (isSecret(schema) ? valueAt(file?.tree, secretFile(path)) : undefined);
  const line =
    inFile === undefined ? undefined : `${loaded.file}:${file?.lineOf(path) ?? file?.lineOf(secretFile(path)) ?? 1}`;
  const { pushed } = loaded;
  if (pushed !== undefined && valueAt(overFile({}, pushed.document), path) !== undefined) {
    const hub = `revision ${pushed.revision} of the hub`;
    // Rules are added to those of the file; everything else replaces it.
    return Array.isArray(inFile) ? `${line} and ${hub}` : hub;
  }
  return line ?? 'default';
}

const secretFile = (path: readonly string[]): string[] => [...path.slice(0, -1), `${path.at(-1)}File`];

/** Prints every setting, its value and where that comes from; secrets are not shown. */
export async function printSettings(
  loaded: LoadedSettings,
  { env, flags, json }: { env: NodeJS.ProcessEnv; flags: Settings; json: boolean },
): Promise<string> {
  const file = loaded.file === undefined ? undefined : readSettingsFile(loaded.file, []);
  const origins: Origins = { env, flags, file, loaded };
  const rows = leavesOf(agentSchema(await collectorsFor(process.platform))).map(({ path, schema }) => ({
    setting: path.join('.'),
    value: shown(schema, valueAt(loaded.settings, path)),
    from: originOf(path, schema, origins),
  }));
  if (json) return `${JSON.stringify(rows, null, 2)}\n`;
  const left = loaded.pushedFault === undefined ? '' : `what the hub pushed is left out: ${loaded.pushedFault}\n`;
  const texts = rows.map(({ setting, value, from }) => [setting, JSON.stringify(value) ?? 'none', from] as const);
  const width = (column: 0 | 1): number => Math.min(60, Math.max(...texts.map((row) => row[column].length)));
  const lines = texts.map(
    ([setting, value, from]) => `${setting.padEnd(width(0))}  ${value.padEnd(Math.min(40, width(1)))}  ${from}\n`,
  );
  return left + lines.join('');
}
