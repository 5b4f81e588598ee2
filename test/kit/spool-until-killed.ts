/**
 * A process of its own that puts numbered batches into the spool in the folder that it is given until somebody kills it, going on
 * where the spool says that it was. It writes `put N` for each batch that is durable, and `acked N` before it has the spool forget those up to N.
 */
import { silentLogger } from '#sdk';
import { openSpool, type BatchKey } from '../../agent/spool/index.ts';
import { spoolEntry } from './spooled.ts';

/** So many batches wait before the oldest are acknowledged. */
const WAITING = 60;

const spool = await openSpool({ folder: process.argv[2] ?? '', limit: 1e9, log: silentLogger, segmentBytes: 30_000 });
const [place] = spool.checkpoints().values();
const put: { number: number; key: BatchKey }[] = [];
const first = place !== undefined && 'offset' in place ? place.offset + 1 : 1;
for (let number = first; ; number++) {
  const entry = spoolEntry(String(number), 200 + ((number * 7919) % 4000));
  for (const checkpoint of entry.checkpoints) checkpoint.offset = number;
  put.push({ number, key: await spool.append(entry) });
  process.stdout.write(`put ${number}\n`);
  const oldest = put.length > WAITING ? put.shift() : undefined;
  if (oldest === undefined) continue;
  process.stdout.write(`acked ${oldest.number}\n`);
  spool.acknowledge(oldest.key);
}
