export { sourceOf, type Checkpoint } from './records.ts';
export type { SpooledBatch, SpoolReader } from './reader.ts';
export { openSpool, type Spool, type SpoolLines } from './spool.ts';
export type { SpoolEntry } from './writer.ts';
