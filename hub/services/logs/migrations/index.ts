import { start } from './0001-start.ts';
import { templates } from './0002-templates.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start, templates];
