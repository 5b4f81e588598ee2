import { byPosition, placeName, placeOf, readSettingsFile, type CollectorDefinition, type Settings } from '#sdk';
import type { LoadedSettings } from '../config.ts';
import { warningsOfCollectors } from './collectors.ts';
import { warningsOfLogs } from './logs.ts';
import { warningsOfMachine } from './machine.ts';
import { warningsOfPattern, warningsOfRules } from './rules.ts';

/** What valid settings say in vain: one sentence each, with line and column where the file has it, in the order of the file. */
export function warningsOf(
  { settings, file }: LoadedSettings,
  { env, definitions }: { env: NodeJS.ProcessEnv; definitions: readonly CollectorDefinition[] },
): string[] {
  const read = file === undefined ? undefined : readSettingsFile(file, []);
  const tree = read?.tree ?? {};
  const { logs, drop, redact } = settings;
  // The defaults name places of many systems: that some are empty here is no news.
  const isOwn = Array.isArray(tree['logs']) || env['OUTRIDER_LOGS'] !== undefined;
  const warnings = [
    ...(isOwn ? warningsOfLogs(logs) : []),
    ...logs.flatMap((set, index) => warningsOfRules(set.drop, `logs.${index}.drop`)),
    ...warningsOfRules(drop, 'drop'),
    ...redact.patterns.flatMap(({ pattern }, index) =>
      warningsOfPattern(pattern, `redact.patterns.${index}.pattern`, 'all of each is replaced'),
    ),
    ...warningsOfMachine(settings, tree),
    ...warningsOfCollectors(definitions, settings.collectors as Settings, (tree['collectors'] ?? {}) as Settings),
  ];
  const placed = warnings.map((words) => ({ words, at: read?.positionOf(placeOf(words)) }));
  placed.sort((a, b) => byPosition(a.at, b.at));
  return placed.map(({ words, at }) => (at === undefined ? words : `${placeName(file ?? '', at)}: ${words}`));
}
