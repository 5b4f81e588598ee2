import { accessSync, constants } from 'node:fs';
import { UNKNOWN_VARIABLE } from '#sdk';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { expandGlobs } from '../tail/globs.ts';
import { isWithoutTargets, type CollectorSettings } from '../collectors.ts';
import type { LoadedSettings } from '../config.ts';
import { warningsOf } from '../warnings/index.ts';

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // Not for this user.
  }
}

/** What valid settings would do. */
interface Checked {
  isValid: true;
  /** The settings file; null where there is none. */
  file: string | null;
  data: string;
  collectors: string[];
  /** Log files that would be read now, and those of them that this user may not read. */
  files: string[];
  unreadable: string[];
  warnings: string[];
}

async function check(loaded: LoadedSettings, env: NodeJS.ProcessEnv): Promise<Checked> {
  const { settings, file, unknown } = loaded;
  const definitions = await collectorsFor(process.platform);
  const collectors = Object.entries(settings.collectors as Record<string, CollectorSettings>).filter(
    ([, own]) => own.enabled && !isWithoutTargets(own),
  );
  const files = [...new Set(settings.logs.flatMap(expandGlobs))];
  const variables = unknown.map(
    ({ variable, meant }) => `${UNKNOWN_VARIABLE}: ${variable}${meant === undefined ? '' : ` (is ${meant} meant?)`}`,
  );
  return {
    isValid: true,
    file: file ?? null,
    data: settings.data,
    collectors: collectors.map(([name]) => name),
    files,
    unreadable: files.filter((path) => !isReadable(path)),
    warnings: [...variables, ...warningsOf(loaded, { env, definitions })],
  };
}

function inWords({ file, data, collectors, files, unreadable, warnings }: Checked): string {
  const also =
    warnings.length === 0 ? '' : `, with ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`;
  return [
    ...warnings.map((warning) => `warning: ${warning}`),
    `the settings are valid (${file ?? 'defaults, environment and flags'})${also}`,
    `data folder: ${data}`,
    `collectors: ${collectors.join(', ')}`,
    files.length === 0 ? 'no log file fits the globs now' : `log files now: ${files.join(', ')}`,
    ...(unreadable.length === 0
      ? []
      : [`not readable for this user: ${unreadable.join(', ')}; put the agent into their group, often adm`]),
    '',
  ].join('\n');
}

/** Says what valid settings would do: which collectors run, which files are read now, and what is said in vain. */
export async function describeSettings(
  loaded: LoadedSettings,
  { env, json }: { env: NodeJS.ProcessEnv; json: boolean },
): Promise<{ text: string; warnings: number }> {
  const checked = await check(loaded, env);
  const text = json ? `${JSON.stringify(checked, null, 2)}\n` : inWords(checked);
  return { text, warnings: checked.warnings.length };
}

/** The faults of settings as JSON. */
export function faultsAsJson(faults: readonly string[]): string {
  return `${JSON.stringify({ isValid: false, faults }, null, 2)}\n`;
}
