import { defaultDataFolder } from './config.ts';

/** A command of the agent as a person can copy it: with the data folder, where that is not the one that is taken without. */
export const commandHint = (words: string, dataFolder: string): string =>
  `outrider-agent ${words}${dataFolder === defaultDataFolder() ? '' : ` --data ${dataFolder}`}`;
