import { UNKNOWN_VARIABLE, unknownVariables, type SettingSources } from '#sdk';
import { planFor, planSettings } from '../assemble.ts';

/** Checks every setting of a target; throws one Problem with all faults. */
export async function checkConfig(target: string, sources: SettingSources): Promise<string> {
  const plan = await planFor(target, sources);
  planSettings(plan, sources);
  const from = sources.file === undefined ? 'defaults, environment and flags' : sources.file;
  const warnings = unknownVariables(plan.schema, sources.env).map(
    ({ variable, meant }) =>
      `warning: ${UNKNOWN_VARIABLE}: ${variable}${meant === undefined ? '' : ` (is ${meant} meant?)`}\n`,
  );
  return `${warnings.join('')}the settings are valid (${from}); target ${target} runs ${plan.services.map(({ name }) => name).join(', ')}\n`;
}
