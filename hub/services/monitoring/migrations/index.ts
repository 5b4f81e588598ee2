import { start } from './0001-start.ts';
import { leaving } from './0002-leaving.ts';
import { seriesTables } from './0003-series-tables.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start, leaving, seriesTables];
