import { faultsOf, type Clock, type Component, type Logger } from '#sdk';
import type { AgentSettings, LoadedSettings } from '../config.ts';
import { changesBetween, type RenewedPart, type SettingsChanges } from './changes.ts';
import { looksOf, watchFile } from './watch-file.ts';

/** Where the settings in force come from, and what keeps newer ones from taking their place. */
export interface SettingsState {
  file: string | undefined;
  /** Wall clock when they took effect. */
  sinceMs: number;
  /** Why what the file says now is not in force, one sentence a fault; none when it is. */
  faults: readonly string[];
  /** Sections of it that take effect with the next start only. */
  awaitRestart: readonly string[];
}

/** What reloading stands on. */
export interface ReloadGiven {
  first: LoadedSettings;
  /** Reads all sources anew; rejects with every fault. */
  load(): Promise<LoadedSettings>;
  /** The path of the file that would be read now. */
  file(): string | undefined;
  /** Ends, begins or changes one collector. */
  renewCollector(name: string, settings: AgentSettings): void;
  /** Makes a part of the agent anew from the settings in force. */
  renewPart(part: RenewedPart): Promise<void>;
  /** Hears that settings were put in force. */
  renewed?(): void;
  clock: Clock;
  log: Logger;
}

/** Takes changed settings into use while the agent runs. */
export interface Reload extends Component {
  /** Those in force. */
  settings(): AgentSettings;
  state(): Readonly<SettingsState>;
  /** Reads the sources again; when they are faulty or cannot be used, the old ones stay in force. */
  reload(): Promise<void>;
}

/** Makes it: what changed is renewed, everything else runs on; a change that fails is taken back. */
export function createReload(given: ReloadGiven): Reload {
  const { clock, log } = given;
  let { settings } = given.first;
  const state: SettingsState = { file: given.first.file, sinceMs: clock.now(), faults: [], awaitRestart: [] };
  let working: Promise<void> | undefined;
  let again = false;

  const renew = async ({ collectors, parts }: SettingsChanges): Promise<void> => {
    for (const name of collectors) given.renewCollector(name, settings);
    for (const part of parts) await given.renewPart(part);
  };
  /** Puts settings in force; when a part cannot be made of them, the old ones are put back. */
  const apply = async (next: AgentSettings): Promise<void> => {
    const before = settings;
    const changes = changesBetween(before, next);
    // What waits for a restart is not in force, and must not be taken for a change when it is taken back.
    const kept = Object.fromEntries(changes.restart.map((key) => [key, before[key as keyof AgentSettings]]));
    settings = { ...next, ...kept };
    try {
      await renew(changes);
    } catch (error) {
      settings = before;
      await renew(changes);
      throw error;
    }
    const { collectors, parts, live, restart } = changes;
    Object.assign(state, { sinceMs: clock.now(), awaitRestart: restart });
    if (restart.length > 0)
      log.warn('some settings take effect with the next start only', { settings: restart.join(', ') });
    const renewed = [...collectors, ...parts, ...live].join(', ');
    given.renewed?.();
    log.info('the settings were read again', { renewed: renewed === '' ? 'nothing' : renewed });
  };
  const once = async (): Promise<void> => {
    try {
      const { settings: next, file } = await given.load();
      if (state.file !== undefined && file === undefined) throw new Error(`${state.file} is gone`);
      await apply(next);
      Object.assign(state, { file, faults: [] });
    } catch (error) {
      state.faults = faultsOf(error);
      const reason = state.faults.join('\n');
      log.error('the new settings cannot be used; the agent runs on with the old ones', { reason });
    }
  };
  const reload = (): Promise<void> => {
    again = true;
    working ??= (async () => {
      while (again) {
        again = false;
        await once();
      }
    })().finally(() => (working = undefined));
    return working;
  };
  let unwatch = (): void => undefined;
  return {
    settings: () => settings,
    state: () => state,
    reload,
    start() {
      const { first, file } = given;
      const known = Object.hasOwn(first, 'looks') ? first.looks : looksOf(file());
      unwatch = watchFile({ path: file, known }, clock, () => void reload());
      return Promise.resolve();
    },
    async stop() {
      unwatch();
      again = false;
      await working;
    },
  };
}
