import { environmentName, isSecret, leavesOf, readSettingsFile, type Settings, type SettingSources } from '#sdk';
import { planFor, planSettings } from '../assemble.ts';

/** One setting as the hub would use it. */
interface Row {
  setting: string;
  value: unknown;
  /** `default`, the name of a variable, the path of a file, or `flag`. */
  from: string;
}

const at = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (node, key) => (typeof node === 'object' && node !== null ? (node as Settings)[key] : undefined),
    tree,
  );

/** Where a setting's value came from, the strongest source first. */
function originOf(
  path: readonly string[],
  isHidden: boolean,
  { env, flags, file }: SettingSources,
  tree: Settings,
): string {
  const name = environmentName(path);
  const twin = [...path.slice(0, -1), `${path.at(-1) ?? ''}File`];
  if (at(flags, path) !== undefined) return 'flag';
  if (isHidden && env[`${name}_FILE`] !== undefined) return `${name}_FILE`;
  if (env[name] !== undefined) return name;
  if (at(tree, path) !== undefined || (isHidden && at(tree, twin) !== undefined)) return file ?? 'file';
  return 'default';
}

/** Every setting of a target with where its value came from, secrets hidden: a line each, or JSON. Throws what check-config throws. */
export async function printConfig(target: string, sources: SettingSources, asJson: boolean): Promise<string> {
  const plan = await planFor(target, sources);
  const settings = planSettings(plan, sources);
  const tree = sources.file === undefined ? {} : readSettingsFile(sources.file, []).tree;
  const known = leavesOf(plan.schema).filter(({ path }) => path.length > 1 || at(settings, path) !== undefined);
  const rows = known.flatMap(({ path, schema }): Row[] => {
    const value = at(settings, path);
    if (value === undefined) return [];
    const hidden = isSecret(schema);
    const shown = hidden && value !== '' ? '***' : value;
    return [{ setting: path.join('.'), value: shown, from: originOf(path, hidden, sources, tree) }];
  });
  if (asJson) return `${JSON.stringify(rows, null, 2)}\n`;
  const lines = rows.map(({ setting, value, from }) => [`${setting}: ${JSON.stringify(value)}`, from] as const);
  const width = Math.min(60, Math.max(...lines.map(([text]) => text.length)));
  return lines.map(([text, from]) => `${text.padEnd(width)}  # ${from}\n`).join('');
}
