import { start } from './0001-start.ts';
import { closer } from './0002-closer.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start, closer];
