import { start } from './0001-start.ts';
import { models } from './0002-models.ts';
import { sequences } from './0003-sequences.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start, models, sequences];
