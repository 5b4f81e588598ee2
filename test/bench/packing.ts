// What packing costs and saves: batches of a megabyte of lines as an agent makes them, packed by it and unpacked by a hub, each way in turn. Figures only.
//   packing.ts [FILE]    lines of a file, else generated ones; zstd needs Node 22.15 or newer
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { create } from '@bufbuild/protobuf';
import { BatchSchema, Encoding, Lane } from '#proto/agent/v1/index.ts';
import { openBatch } from '../../hub/services/ingest/frames.ts';
import { createEventEncoder } from '../../agent/lines/encode.ts';
import { createGathering, type Gathering } from '../../agent/pipeline/gathering.ts';
import { PACKINGS, serverLines } from './lines.ts';

const ROUNDS = 3;
const LEAST_LINES = 500_000;
const BATCH_BYTES = 1_000_000;
const [file] = process.argv.slice(2);
const lines = (file === undefined ? serverLines(0, LEAST_LINES) : readFileSync(file, 'utf8')).split('\n').slice(0, -1);
const checkpoint = { path: '/a', device: 1, inode: 2, fingerprint: '', fingerprintLength: 0, offset: 1 };

/** Gathers all lines, often enough to be measured, into batches that are not packed yet. */
function gatherAll(): { batches: Gathering[]; count: number; bytes: number } {
  const encoder = createEventEncoder();
  const batches = [createGathering()];
  let [count, bytes] = [0, 0];
  while (count < LEAST_LINES)
    for (const line of lines) {
      const text = Buffer.from(line);
      encoder.put(text, 0, text.length, { level: 0, timeMs: Date.now(), cut: false });
      batches
        .at(-1)
        ?.addEvents({ path: '/a', events: encoder.take(), lines: 1, size: text.length + 1, checkpoint }, '/a');
      count += 1;
      if ((batches.at(-1)?.bytes() ?? 0) < BATCH_BYTES) continue;
      bytes += batches.at(-1)?.bytes() ?? 0;
      batches.push(createGathering());
    }
  return { batches, count, bytes: bytes + (batches.at(-1)?.bytes() ?? 0) };
}

const cpuOf = async (work: () => Promise<void>): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

console.log(`Node ${process.version}, ${lines.length} different lines, load ${loadavg()[0]?.toFixed(0)}`);
for (let round = 0; round < ROUNDS; round++)
  for (const packing of PACKINGS) {
    const { batches, count, bytes } = gatherAll();
    const packed: Uint8Array[] = [];
    const packs = await cpuOf(async () => {
      for (const batch of batches) packed.push((await batch.pack(packing)).logs);
    });
    const encoding = packing === 'zstd' ? Encoding.ZSTD : Encoding.GZIP;
    const unpacks = await cpuOf(async () => {
      for (const logs of packed)
        await openBatch(create(BatchSchema, { epoch: 1n, seq: 1n, lane: Lane.LIVE, encoding, logs }));
    });
    const size = packed.reduce((sum, { length }) => sum + length, 0);
    const of = (seconds: number): string => ((seconds / count) * 1e6).toFixed(2);
    console.log(
      `${packing}  packing ${of(packs)}, unpacking ${of(unpacks)} CPU-s/M lines  ${(bytes / size).toFixed(1)} : 1  ${(size / count).toFixed(1)} bytes a line`,
    );
  }
