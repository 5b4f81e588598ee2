export { sourceOf, type Checkpoint } from './records.ts';
export { openSpool, type Spool, type SpooledBatch, type SpoolEntry, type SpoolReader } from './spool.ts';
