import { loadSettings, reasonOf, unknownVariables, type Settings } from '#sdk';
import { collectorsFor } from '../plugins/collectors/catalogue.ts';
import { agentSchema, type AgentSettings, type LoadedSettings } from './config.ts';
import { inForce, overFile, readKept, type Pushed } from './pushed/index.ts';
import { looksOf } from './reload/watch-file.ts';
import { settingFaults } from './setting-faults.ts';

/** Where the agent's settings come from, but for what the hub pushed. */
export interface AgentSources {
  file: string | undefined;
  env: NodeJS.ProcessEnv;
  flags: Settings;
}

/**
 * Puts all sources together: defaults, file, what the hub pushed, environment, flags. Pushed settings are those in the data folder unless a candidate
 * is given; what does not go with them any more (they are of another version) is no fault of the others: they are left out then.
 */
export async function loadAgentSettings(sources: AgentSources, candidate?: Pushed): Promise<LoadedSettings> {
  const { file, env, flags } = sources;
  const looks = looksOf(file);
  const schema = agentSchema(await collectorsFor(process.platform));
  const load = (pushed?: Pushed): AgentSettings => {
    const over = pushed && ((tree: Settings) => overFile(tree, pushed.document));
    const given = { ...(file === undefined ? {} : { file }), ...(over === undefined ? {} : { over }), env, flags };
    return loadSettings(schema, given, settingFaults) as AgentSettings;
  };
  const local = load();
  const unknown = unknownVariables(schema, env);
  const kept = local.pushed.accept ? inForce(readKept(local.data)) : undefined;
  const pushed = candidate ?? kept;
  if (pushed === undefined) return { settings: local, file, looks, unknown };
  try {
    return { settings: load(pushed), file, looks, unknown, pushed };
  } catch (error) {
    if (candidate !== undefined) throw error;
    return { settings: local, file, looks, unknown, pushedFault: reasonOf(error) };
  }
}
