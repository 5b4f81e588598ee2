import { start } from './0001-start.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start];
