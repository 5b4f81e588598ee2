/** How collectors run programs of the system: found in fixed places, bounded in time and output, and never left behind. */
export * from './find.ts';
export * from './run.ts';
