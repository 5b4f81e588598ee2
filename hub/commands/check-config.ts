import type { SettingSources } from '#sdk';
import { planFor, planSettings } from '../assemble.ts';

/** Checks every setting of a target; throws one Problem with all faults. */
export async function checkConfig(target: string, sources: SettingSources): Promise<string> {
  const plan = await planFor(target, sources);
  planSettings(plan, sources);
  const from = sources.file === undefined ? 'defaults, environment and flags' : sources.file;
  return `the settings are valid (${from}); target ${target} runs ${plan.services.map(({ name }) => name).join(', ')}\n`;
}
