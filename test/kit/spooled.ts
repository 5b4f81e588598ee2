import type { Spool, SpooledBatch, SpoolEntry } from '../../agent/spool/index.ts';

/** A batch of one line of /a for a spool; its text is its metrics. */
export function spoolEntry(text: string, size = 0, sources: SpoolEntry['sources'] = new Map([['/a', [1, 10]]])) {
  return {
    metrics: Buffer.from(text),
    logs: Buffer.alloc(size, 'x'),
    tables: new Map([[7n, Buffer.from('table 7')]]),
    checkpoints: [{ path: '/a', device: 1, inode: 2, fingerprint: 'f', fingerprintLength: 1, offset: text.length }],
    sources,
  } satisfies SpoolEntry;
}

/** The text of a batch that `spoolEntry` made. */
export const textOf = ({ metrics }: SpooledBatch): string => Buffer.from(metrics).toString();

/** Everything that waits in a lane, as a link would send it. */
export function waitingIn(spool: Spool, lane: 'live' | 'backfill'): SpooledBatch[] {
  const reader = spool.reader(lane);
  const batches: SpooledBatch[] = [];
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) batches.push(batch);
  reader.close();
  return batches;
}

/** Everything that waits: of earlier epochs, then live, then back-fill. */
export function waitingOf(spool: Spool): SpooledBatch[] {
  const isOld = ({ epoch }: SpooledBatch): boolean => epoch !== spool.epoch;
  const backfill = waitingIn(spool, 'backfill');
  return [...backfill.filter(isOld), ...waitingIn(spool, 'live'), ...backfill.filter((batch) => !isOld(batch))];
}
