/** The floor that every component of Outrider stands on. Nothing here knows of a hub or an agent. */
export * from './channel.ts';
export * from './clock.ts';
export * from './collector.ts';
export * from './completion.ts';
export * from './component.ts';
export * from './config.ts';
export * from './data-folder.ts';
export * from './log.ts';
export { nearestName } from './nearest.ts';
export * from './problem.ts';
export * from './run.ts';
export { byPosition, placeName, placeOf, readSettingsFile, type Settings, type SettingsFile } from './settings-file.ts';
export * from './text-file.ts';
export * from './version.ts';
