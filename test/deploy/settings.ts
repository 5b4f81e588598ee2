import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Problem, unknownVariables } from '#sdk';
import { afterAll } from 'vitest';
import { parse } from 'yaml';
import { everySetting, planFor, planSettings } from '../../hub/assemble.ts';

/** The checkout. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** A file of deploy/. */
export const read = (path: string): string => readFileSync(join(ROOT, 'deploy', path), 'utf8');

/** A folder of this test file, removed after its tests. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-deploy-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

const SECRETS = /\/run\/secrets\/[\w./-]+/g;

/** What stands in a secret file of that name, in the form that the hub wants. */
const secretOf = (path: string): string =>
  path.endsWith('relational-url') || path.endsWith('postgres-url')
    ? 'postgres://outrider:secret@postgres:5432/outrider'
    : path.endsWith('redis-url')
      ? 'redis://:secret@redis:6379'
      : 'a secret of more than thirty-two characters';

type Tree = Readonly<Record<string, unknown>>;

/** Keys of a settings file that no setting has, also in the sections that a target leaves alone. */
async function unknownKeys(text: string): Promise<string[]> {
  const names = new Set(
    (await everySetting()).flatMap(({ path, schema }) => [
      path.join('.'),
      ...('secret' in schema ? [`${path.join('.')}File`] : []),
    ]),
  );
  const walk = (tree: Tree, before: string): string[] =>
    Object.entries(tree).flatMap(([key, value]) => {
      const path = `${before}${key}`;
      if (names.has(path)) return [];
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? walk(value as Tree, `${path}.`)
        : [`${path} is no setting`];
    });
  return walk((parse(text) ?? {}) as Tree, '');
}

/** Everything that the hub finds wrong with a settings file and an environment for a target; secret files are made up. */
export async function faultsOf(
  folder: string,
  { text, env = {}, target = 'all' }: { text: string; env?: Record<string, string>; target?: string },
): Promise<string[]> {
  const moved = (value: string): string => value.replaceAll(SECRETS, (path) => join(folder, path));
  for (const [path] of `${text}\n${Object.values(env).join('\n')}`.matchAll(SECRETS)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), secretOf(path));
  }
  const file = join(folder, 'outrider-hub.yaml');
  writeFileSync(file, moved(text));
  const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, moved(value)]));
  const sources = { file, env: own, flags: {} };
  try {
    const plan = await planFor(target, sources);
    planSettings(plan, sources);
    const unknown = await unknownKeys(text);
    return unknown.concat(unknownVariables(plan.schema, own).map(({ variable }) => `${variable} is no setting`));
  } catch (error) {
    if (error instanceof Problem) return [error.message];
    throw error;
  }
}

/** An image is named by a registry, and by a version that has digits in it. */
export const isPinned = (image: string): boolean =>
  /^[a-z0-9.-]+\.[a-z]{2,}\/[a-z0-9._/-]+:[\w.-]*\d[\w.-]*$/.test(image) ||
  /^outrider-(hub|agent):\d+\.\d+\.\d+$/.test(image);
