// A day without a hub, simulated: 1,000 series and some twenty lines each second go through the pipeline into a spool that reaches its limit,
// where files wait and samples are folded and then dropped by reason; then a hub comes back and everything is sent while the seconds go on.
// Every line must be accounted for, and memory be flat. Then a start with a large backlog, and appends beside plain writes. Figures only.
//   node --max-old-space-size=200 --import tsx test/bench/outage.ts [SECONDS] [LIMIT]
// 86,400 s into 150 MB took 290 s (load 17 on two cores): live heap 79 MB at first and 80 MB at each three hours, 1,772,844 lines written and received;
// files waited from 10 h on, samples were folded from 12 h on. With 3,000 s into 4 MB, 60 runs were dropped and counted, and the lines balance as well.
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { LogsSchema, MetricsSchema } from '#proto/agent/v1/index.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { silentLogger } from '#sdk';
import { createPressure, processUsage } from '../../agent/budgets/index.ts';
import { createEventEncoder } from '../../agent/lines/encode.ts';
import { createPipeline, type Pipeline } from '../../agent/pipeline/pipeline.ts';
import { diskFiles, type SpoolFiles } from '../../agent/spool/files.ts';
import { openSpool, type Spool } from '../../agent/spool/index.ts';
import { createTableBuilder } from '../../agent/table.ts';

const SECONDS = Number(process.argv[2] ?? 86_400);
const LIMIT = Number(process.argv[3] ?? 150_000_000);
const LINES = 40;
const SERIES = 1000;
const PATHS = ['/var/log/app.log', '/var/log/nginx/access.log', '/var/log/syslog'];
/** Batches that a hub takes in a second once it is back. */
const SENT_A_SECOND = 200;

const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-outage-'));
const clock = createManualClock(Date.UTC(2026, 0, 1));

/** A day's syncs would measure this disk only. */
const unsynced: SpoolFiles = {
  ...diskFiles,
  async create(path) {
    return { ...(await diskFiles.create(path)), sync: () => Promise.resolve() };
  },
  syncFolder: () => undefined,
};

const openIn = (name: string): Promise<Spool> =>
  openSpool({ folder: join(folder, name), limit: LIMIT, log: silentLogger, clock, files: unsynced });

/** Log files that programs write on and on, whether anybody reads them or not. */
function createFiles(pipeline: () => Pipeline) {
  const encoder = createEventEncoder();
  const files = PATHS.map((path, inode) => ({ path, inode, written: 0, read: 0 }));
  const text = Buffer.alloc(200);
  return {
    write(lines: number): void {
      for (const file of files) file.written += Math.ceil(lines / files.length);
    },
    /** Reads on while there is room. */
    read(): void {
      for (const file of files) {
        while (file.read < file.written && pipeline().hasRoom()) {
          const lines = Math.min(500, file.written - file.read);
          for (let n = 0; n < lines; n++) {
            const length = text.write(`${file.path} request ${file.read + n} of customer ${(n * 7919) % 977} took ${n % 97} ms`); // prettier-ignore
            encoder.put(text, 0, length, { level: 2, timeMs: clock.now(), cut: false });
          }
          file.read += lines;
          const checkpoint = { path: file.path, device: 1, inode: file.inode, fingerprint: 'f', fingerprintLength: 1, offset: file.read }; // prettier-ignore
          pipeline().addEvents({ path: file.path, events: encoder.take(), lines, size: lines * 50, checkpoint });
        }
      }
    },
    written: () => files.reduce((sum, { written }) => sum + written, 0),
    waiting: () => files.reduce((sum, { written, read }) => sum + written - read, 0),
  };
}

const unpacked = (bytes: Uint8Array): Uint8Array => (bytes.length === 0 ? bytes : gunzipSync(bytes));

/** A hub in this process: takes live batches first, reads every line, and acknowledges. */
function createHub() {
  let [lines, blocks] = [0, 0];
  return {
    take(spool: Spool): void {
      let left = SENT_A_SECOND;
      for (const lane of ['live', 'backfill'] as const) {
        const reader = spool.reader(lane);
        for (let batch = reader.next(); batch !== undefined && left > 0; left--) {
          lines += fromBinary(LogsSchema, unpacked(batch.logs)).chunks.reduce(
            (sum, chunk) => sum + chunk.lines.length,
            0,
          );
          blocks += fromBinary(MetricsSchema, unpacked(batch.metrics)).blocks.length;
          spool.acknowledge(batch);
          batch = reader.next();
        }
        reader.close();
      }
    },
    lines: () => lines,
    blocks: () => blocks,
  };
}

const table = createTableBuilder();
function blockAt(second: number) {
  for (let n = 0; n < SERIES; n++)
    table.emit('system.disk.io', n % 4 === 0 ? second * n : n + (second % 7), attributes[n]);
  const row = table.finish();
  if (row === undefined) throw new Error('a block has values');
  return { collector: 'bench', timeMs: clock.now(), ...row };
}
const attributes = Array.from({ length: SERIES }, (_, n) => ({ 'system.device': `d${n}` }));

let spool = await openIn('spool');
const { collectGarbage } = processUsage(() => 0);
const usage = { cpuSeconds: () => 0, rss: () => 0, spoolBytes: () => spool.bytes(), collectGarbage };
const pressure = createPressure({ cpu: 1, memory: 1e12, spool: LIMIT }, { usage, clock, log: silentLogger });
let pipeline = createPipeline({ spool, clock, log: silentLogger, pressure });
const files = createFiles(() => pipeline);
const hub = createHub();
let [ran, peak] = [0, 0];

/** What lives at a moment, without the garbage of this hub. */
function sample(what: string): void {
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  const { carried, put, waiting, acknowledged, lost } = spool.lines();
  const numbers = [files.written(), files.waiting(), carried, put, waiting, acknowledged, lost];
  const memory = `${String(Math.round(rss / 1e6)).padStart(5)} ${(heapUsed / 1e6).toFixed(0).padStart(5)}`;
  const shown = numbers.map((count) => String(count).padStart(9)).join('');
  console.log(`${what.padEnd(14)}${String(Math.round(spool.bytes() / 1e6)).padStart(6)} ${memory}${shown}`);
}

/** One second of the machine. */
async function liveOn(): Promise<void> {
  pressure.look();
  files.write(ran % LINES);
  files.read();
  pipeline.addBlock(blockAt(ran++));
  await clock.advance(1000);
  await pipeline.flush();
  if (ran % 100 === 0) peak = Math.max(peak, process.memoryUsage.rss());
}

async function restart(): Promise<void> {
  await pipeline.stop();
  await spool.close();
  const before = process.memoryUsage.rss();
  const begun = performance.now();
  spool = await openIn('spool');
  const took = performance.now() - begun;
  console.log(`opened with ${Math.round(spool.bytes() / 1e6)} MB in ${took.toFixed(0)} ms, RSS ${((process.memoryUsage.rss() - before) / 1e6).toFixed(1)} MB more`); // prettier-ignore
  pipeline = createPipeline({ spool, clock, log: silentLogger, pressure });
  pipeline.start();
}

const begun = performance.now();
console.log('                  MB   RSS  heap  written   in file  carried      put  waiting    acked     lost');
pipeline.start();
for (let second = 0; second < SECONDS; second++) {
  await liveOn();
  if (second % Math.floor(SECONDS / 8) === 0) sample(`${((second / SECONDS) * 24).toFixed(0)} h`);
}
const { dropped } = pipeline.ledger();
sample('24 h');
await restart();
for (let second = 0; spool.lines().waiting > 0 || files.waiting() > 0 || second < 60; second++) {
  await liveOn();
  hub.take(spool);
  if (second % 200 === 0) sample(`back for ${second} s`);
}
await pipeline.stop();
hub.take(spool);
sample('all is sent');
const { acknowledged, waiting, lost } = spool.lines();
const balances = [...spool.ledger().values()].every(
  (one) => one.carried.lines + one.put.lines === one.acknowledged.lines + one.lost.lines && one.waiting.lines === 0,
);
const isWhole = balances && hub.lines() === files.written() && waiting === 0 && lost === 0 && acknowledged > 0;
console.log(
  `${ran} s, ${files.written()} lines written, ${hub.lines()} received: ${isWhole ? 'the ledger balances to the line' : 'THE LEDGER DOES NOT BALANCE'}; ` +
    `${ran} runs, ${hub.blocks()} blocks received, ${dropped['spool-full'].runs} runs dropped while it was full; peak RSS ${Math.round(peak / 1e6)} MB; ${((performance.now() - begun) / 1000).toFixed(0)} s`,
);
await spool.close();

const EMPTY = { tables: new Map<bigint, Uint8Array>(), checkpoints: [], sources: new Map([['/a', [100, 5000]]] as const) }; // prettier-ignore

/** A start with a backlog of so many bytes. */
async function startWith(bytes: number): Promise<void> {
  const body = Buffer.alloc(200_000, 'x');
  const entry = { ...EMPTY, metrics: body, logs: body };
  const given = { folder: join(folder, 'backlog'), limit: 1e12, log: silentLogger, clock, files: unsynced };
  const written = await openSpool(given);
  while (written.bytes() < bytes) await written.append(entry);
  await written.close();
  const before = process.memoryUsage.rss();
  const from = performance.now();
  const opened = await openSpool(given);
  const first = opened.reader('backfill').next();
  const took = performance.now() - from;
  console.log(`a start with ${Math.round(opened.bytes() / 1e6)} MB takes ${took.toFixed(0)} ms up to the first batch (${first?.lines} lines), RSS ${((process.memoryUsage.rss() - before) / 1e6).toFixed(1)} MB more`); // prettier-ignore
  await opened.close();
  rmSync(given.folder, { recursive: true });
}
for (const bytes of [1e7, 1e8, 1e9]) await startWith(bytes);

/** Appends of one size, and the same bytes by write and fdatasync alone, in turn: a shared disk has its moods. */
async function throughput(size: number, count: number): Promise<void> {
  const one = await openSpool({ folder: join(folder, `append-${size}`), limit: 1e12, log: silentLogger });
  const body = Buffer.alloc(size / 2, 'x');
  const entry = { ...EMPTY, metrics: body, logs: body };
  const file = await open(join(folder, 'plain'), 'w');
  const bytes = Buffer.alloc(size);
  let [ours, plain] = [0, 0];
  for (let n = 0; n < count; n++) {
    const from = performance.now();
    await one.append(entry);
    const half = performance.now();
    await file.write(bytes);
    await file.datasync();
    ours += half - from;
    plain += performance.now() - half;
  }
  await one.close();
  await file.close();
  const rate = (ms: number): string =>
    `${Math.round((count / ms) * 1000)}/s, ${((size * count) / ms / 1000).toFixed(1)} MB/s`;
  console.log(`appends of ${size} bytes: ${rate(ours)}; write and fdatasync alone: ${rate(plain)}`);
}
await throughput(4000, 500);
await throughput(1_000_000, 60);
rmSync(folder, { recursive: true });
