import { start } from './0001-start.ts';
import { nats } from './0002-nats.ts';
import { settings } from './0003-settings.ts';
import { proven } from './0004-proven.ts';
import { connected } from './0005-connected.ts';

/** Every step of the schema, oldest first. */
export const migrations = [start, nats, settings, proven, connected];
