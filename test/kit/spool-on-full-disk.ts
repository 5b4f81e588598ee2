/**
 * A process of its own that puts numbered batches into a spool on the small file system that it is given until the disk refuses
 * three of them, has the older half acknowledged, and goes on. It writes what happened as one line of JSON.
 */
import { join } from 'node:path';
import { silentLogger } from '#sdk';
import { openSpool, type BatchKey, type Spool } from '../../agent/spool/index.ts';
import { spoolEntry, textOf, waitingOf } from './spooled.ts';

const REFUSALS = 3;
/** Batches that are put once there is room again. */
const AFTER = 20;

const folder = join(process.argv[2] ?? '', 'spool');
const open = (): Promise<Spool> => openSpool({ folder, limit: 1e9, log: silentLogger, segmentBytes: 100_000 });
const numbersIn = (spool: Spool): number[] => waitingOf(spool).map((batch) => Number(textOf(batch)));

const spool = await open();
const put: { number: number; key: BatchKey }[] = [];
const refusals: string[] = [];
let number = 1;
const append = async (): Promise<void> => {
  put.push({ number, key: await spool.append(spoolEntry(String(number), 10_000)) });
  number++;
};
while (refusals.length < REFUSALS)
  await append().catch((error: unknown) => void refusals.push((error as NodeJS.ErrnoException).code ?? String(error)));
const half = put.slice(0, put.length >> 1);
for (const { key } of half) spool.acknowledge(key);
for (let n = 0; n < AFTER; n++) await append();
const waiting = numbersIn(spool).sort((a, b) => a - b);
await spool.close();
const reopened = await open();
const again = numbersIn(reopened).sort((a, b) => a - b);
const { lostBatches } = reopened;
await reopened.close();
const acked = half.at(-1)?.number ?? 0;
process.stdout.write(
  JSON.stringify({ put: put.map((one) => one.number), refusals, acked, waiting, again, lostBatches }),
);
