import { defaultDataFolder } from './config.ts';

/** A command of the hub as a person can copy it: with the data folder, where that is not the one that is taken without. */
export const commandHint = (words: string, dataFolder: string): string =>
  `outrider-hub ${words}${dataFolder === '' || dataFolder === defaultDataFolder() ? '' : ` --data ${dataFolder}`}`;
