export { isOfFile, sourceOf, type Checkpoint, type FileCheckpoint } from './records.ts';
export { readPlaces } from './recover.ts';
export type { SpooledBatch } from './reader.ts';
export { openSpool, type Spool } from './spool.ts';
export type { SpoolEntry } from './writer.ts';
