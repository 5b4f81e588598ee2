/** What control groups of either version tell of the processes in them. */
export * from './group-reader.ts';
export * from './usage.ts';
