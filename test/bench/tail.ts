// Lines per second: reading and splitting alone, and all the way into the spool. Figures only.
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '#sdk';
import { createLineCounts, createLines, DEFAULT_LINES } from '../../agent/lines/index.ts';
import { createPipeline } from '../../agent/pipeline/pipeline.ts';
import { createRedactor } from '../../agent/redact/index.ts';
import { openSpool } from '../../agent/spool/index.ts';
import { followFile } from '../../agent/tail/followed-file.ts';
import { createTailer } from '../../agent/tail/tailer.ts';

const MEGABYTES = Number(process.argv[2] ?? 200);
const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-tail-'));
const path = join(folder, 'app.log');

/** Lines of the kinds that servers write, about 120 bytes each. */
function generate(): number {
  const file = openSync(path, 'w');
  const levels = ['INFO', 'INFO', 'INFO', 'WARN', 'ERROR'];
  let lines = 0;
  for (let bytes = 0; bytes < MEGABYTES * 1e6;) {
    let text = '';
    for (let n = 0; n < 5000; n++, lines++) {
      const time = new Date(Date.now() + lines).toISOString();
      text +=
        lines % 3 === 0
          ? `{"time":"${time}","level":"${levels[lines % 5]?.toLowerCase()}","msg":"request served","path":"/api/v1/items/${lines}","ms":${lines % 97}}\n`
          : `${time} ${levels[lines % 5]} [worker-${lines % 8}] request ${lines} of customer ${lines % 977} took ${lines % 97} ms, status 200\n`;
    }
    bytes += writeSync(file, text);
  }
  closeSync(file);
  return lines;
}

async function measure(what: string, lines: number, work: () => Promise<void> | void): Promise<void> {
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await work();
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const million = lines / 1e6;
  console.log(
    `${what.padEnd(46)} ${(million / seconds).toFixed(2)} M lines/s  ${((user + system) / 1e6 / million).toFixed(2)} CPU-s/M lines  RSS ${Math.round(process.memoryUsage.rss() / 1e6)} MB`,
  );
}

function readAll(take: (bytes: Buffer, cut: boolean) => void): void {
  const file = followFile(openSync(path, 'r'), { path, start: 'beginning' });
  for (let piece = file.read(); piece !== undefined; piece = file.read()) {
    take(piece.bytes, piece.cut);
    file.checkpoint();
  }
  file.close();
}

function split(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

const total = generate();
console.log(`${total} lines, ${Math.round(statSync(path).size / 1e6)} MB`);
await measure('read and split', total, () => {
  let found = 0;
  readAll((bytes) => (found += split(bytes)));
  if (found !== total) throw new Error(`${found} lines found`);
});
await measure('all the way: tailer, lines, pipeline, gzip, spool', total, async () => {
  const spool = await openSpool({ folder: join(folder, 'spool'), limit: 1e10, log: silentLogger });
  const pipeline = createPipeline({ spool, clock: systemClock, log: silentLogger });
  const lines = createLines({
    settingsOf: () => DEFAULT_LINES,
    redactor: createRedactor({ secrets: true, email: false, ip: false, patterns: [] }),
    clock: systemClock,
    counts: createLineCounts(),
    addEvents: (events) => pipeline.addEvents(events),
  });
  const tailer = createTailer({
    sets: [{ include: [path], exclude: [], start: 'beginning' }],
    pipeline: { ...pipeline, addLines: (read) => lines.addLines(read) },
    handles: 512,
    checkpoints: new Map(),
    lastRunMs: undefined,
    forget: () => undefined,
    clock: systemClock,
    log: silentLogger,
  });
  pipeline.start();
  await tailer.start();
  while (pipeline.ledger().linesSpooled < total) await systemClock.sleep(20);
  await tailer.stop();
  lines.stop();
  await pipeline.stop();
  await spool.close();
});
rmSync(folder, { recursive: true });
