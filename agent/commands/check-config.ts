import { expandGlobs } from '../tail/globs.ts';
import type { AgentSettings } from '../config.ts';

/** Says what valid settings would do: which collectors run and which files are read now. */
export function describeSettings(settings: AgentSettings, file: string | undefined): string {
  const collectors = Object.entries(settings.collectors).filter(([, own]) => (own as { enabled: boolean }).enabled);
  const files = settings.logs.flatMap(expandGlobs);
  return [
    `the settings are valid (${file ?? 'defaults, environment and flags'})`,
    `collectors: ${collectors.map(([name]) => name).join(', ')}`,
    files.length === 0 ? 'no log file fits the globs now' : `log files now: ${files.join(', ')}`,
    '',
  ].join('\n');
}
