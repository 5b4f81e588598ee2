import { accessSync, constants } from 'node:fs';
import { UNKNOWN_VARIABLE } from '#sdk';
import { expandGlobs } from '../tail/globs.ts';
import { isWithoutTargets, type CollectorSettings } from '../collectors.ts';
import type { LoadedSettings } from '../config.ts';

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false; // Not for this user.
  }
}

/** Says what valid settings would do: which collectors run and which files are read now. */
export function describeSettings({ settings, file, unknown }: LoadedSettings): string {
  const collectors = Object.entries(settings.collectors as Record<string, CollectorSettings>).filter(
    ([, own]) => own.enabled && !isWithoutTargets(own),
  );
  const files = [...new Set(settings.logs.flatMap(expandGlobs))];
  const forbidden = files.filter((path) => !isReadable(path));
  return [
    ...unknown.map(
      ({ variable, meant }) =>
        `warning: ${UNKNOWN_VARIABLE}: ${variable}${meant === undefined ? '' : ` (is ${meant} meant?)`}`,
    ),
    `the settings are valid (${file ?? 'defaults, environment and flags'})`,
    `data folder: ${settings.data}`,
    `collectors: ${collectors.map(([name]) => name).join(', ')}`,
    files.length === 0 ? 'no log file fits the globs now' : `log files now: ${files.join(', ')}`,
    ...(forbidden.length === 0
      ? []
      : [`not readable for this user: ${forbidden.join(', ')}; put it into their group, often adm`]),
    '',
  ].join('\n');
}
