import { faultsOf, Problem, readSettingsFile, type Settings } from '#sdk';
import { defaultDataFolder, settingsFile, type LoadedSettings } from './config.ts';
import type { Pushed } from './pushed/index.ts';

/** What may be said on the command line. */
export interface Flags {
  config?: string;
  data?: string;
  logLevel?: string;
  logFile?: string[];
  label?: string[];
  quiet?: boolean;
  json?: boolean;
  force?: boolean;
  strict?: boolean;
  all?: boolean;
  alive?: boolean;
  ca?: string;
  out?: string;
  column?: string;
  plain?: boolean;
  summary?: boolean;
  for?: string;
}

function labelsOf(texts: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(texts.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
}

/** What flags say of settings. */
const overridesOf = (flags: Flags): Settings => ({
  data: flags.data,
  ...(flags.logLevel === undefined ? {} : { log: { level: flags.logLevel } }),
  ...(flags.logFile === undefined ? {} : { logs: [{ include: flags.logFile }] }),
  ...(flags.label === undefined ? {} : { labels: labelsOf(flags.label) }),
});

/** Settings as flags, environment and file say them. */
export interface Sources {
  overridesOf(flags: Flags): Settings;
  /** The settings file in use. */
  file(flags: Flags): string | undefined;
  /** All sources of settings; a candidate takes the place of what the hub pushed before. Rejects with every fault. */
  load(flags: Flags, candidate?: Pushed): Promise<LoadedSettings>;
  /** The same for those who must say something though the file is faulty: settings without it stand in then, with the faults beside them. */
  tolerant(flags: Flags): Promise<{ loaded: LoadedSettings; faults: readonly string[] }>;
  /** The folder of the agent that is asked about: a settings file may name one too, and only `check-config` and `run` mind its other faults. */
  folderOf(flags: Flags): Promise<string>;
}

/** Makes the sources of a process with this environment. */
export function createSources(env: NodeJS.ProcessEnv): Sources {
  const dataOf = (flags: Flags): string => flags.data ?? env['OUTRIDER_DATA'] ?? defaultDataFolder();
  const file = (flags: Flags): string | undefined => settingsFile(flags.config, dataOf(flags));
  const loadFrom = async (path: string | undefined, flags: Settings, candidate?: Pushed): Promise<LoadedSettings> => {
    const { loadAgentSettings } = await import('./load.ts');
    return loadAgentSettings({ file: path, env, flags }, candidate);
  };
  const load = (flags: Flags, candidate?: Pushed): Promise<LoadedSettings> =>
    loadFrom(file(flags), overridesOf(flags), candidate);
  const tolerant: Sources['tolerant'] = async (flags) => {
    try {
      return { loaded: await load(flags), faults: [] };
    } catch (error) {
      const path = file(flags);
      if (!(error instanceof Problem) || path === undefined) throw error;
      const said = readSettingsFile(path, []).tree['data'];
      const data = flags.data ?? env['OUTRIDER_DATA'] ?? (typeof said === 'string' ? said : defaultDataFolder());
      const loaded = await loadFrom(undefined, { ...overridesOf(flags), data }).catch(() => undefined);
      if (loaded === undefined) throw error; // It is not the file, or not it alone.
      return { loaded: { ...loaded, file: path }, faults: faultsOf(error) };
    }
  };
  const folderOf = async (flags: Flags): Promise<string> =>
    flags.data ?? env['OUTRIDER_DATA'] ?? (await tolerant(flags)).loaded.settings.data;
  return { overridesOf, file, load, tolerant, folderOf };
}
