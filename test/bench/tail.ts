// Lines per second: reading and splitting alone, the tailer with places that lie on the disk, and all the way into the spool. Figures only.
//   tail.ts [MEGABYTES]                  measures by itself
//   tail.ts alone FILE PORT              follows a file with a spool that holds places only, and sends its bytes to a port of 127.0.0.1
//   tail.ts serve FILE PORT DATA         a small hub that sends the lines there; the built agent follows the file all the way:
//     node dist/outrider-agent run --quiet --data DATA
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '#kit/authority.ts';
import { silentLogger, systemClock } from '#sdk';
import { keepIdentity } from '../../agent/link/identity.ts';
import { createLineCounts, createLines, DEFAULT_LINES } from '../../agent/lines/index.ts';
import { createLineTemplates } from '../../agent/templates/index.ts';
import { createPipeline } from '../../agent/pipeline/pipeline.ts';
import { createRedactor } from '../../agent/redact/index.ts';
import { openSpool, type Checkpoint, type Packing } from '../../agent/spool/index.ts';
import { followFile } from '../../agent/tail/followed-file.ts';
import { createTailer, type TailerGiven } from '../../agent/tail/tailer.ts';
import { PACKINGS, serverLines } from './lines.ts';
import { createForwarder } from '../kit/forward-lines.ts';
import { startSmallHub } from '../kit/small-hub.ts';

const [mode = '200', ...rest] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'outrider-bench-tail-'));
const path = mode === 'alone' || mode === 'serve' ? (rest[0] ?? '') : join(folder, 'app.log');

function generate(): number {
  const file = openSync(path, 'w');
  let lines = 0;
  for (let bytes = 0; bytes < Number(mode) * 1e6; lines += 5000) bytes += writeSync(file, serverLines(lines, 5000));
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

const tailerOf = (pipeline: TailerGiven['pipeline']) =>
  createTailer({
    sets: [{ include: [path], exclude: [], start: 'beginning' }],
    pipeline,
    handles: 512,
    checkpoints: new Map(),
    lastRunMs: undefined,
    forget: () => undefined,
    clock: systemClock,
    log: silentLogger,
  });

const PLACE_MS = 1000;
const MOST_WAITING = 4_000_000;

/** Follows the file and writes each second where it was read to into a spool, durably; `send` gets the bytes. */
async function tailAlone(send: (bytes: Buffer) => Promise<void>, isDone: (lines: number) => boolean): Promise<void> {
  const spool = await openSpool({ folder: join(folder, 'places'), limit: 1e10, log: silentLogger });
  const none = { metrics: new Uint8Array(), logs: new Uint8Array(), tables: new Map<bigint, Uint8Array>() };
  const waiters: (() => void)[] = [];
  let place: Checkpoint | undefined;
  let sending = Promise.resolve();
  let [lines, size, found, waiting] = [0, 0, 0, 0];
  const keep = async (): Promise<void> => {
    if (place === undefined) return;
    const entry = { ...none, checkpoints: [place], sources: new Map([[path, [lines, size]]] as const) };
    place = undefined;
    [lines, size] = [0, 0];
    await spool.append(entry);
  };
  const tailer = tailerOf({
    addLines({ piece, checkpoint }) {
      place = checkpoint;
      if (piece === undefined) return;
      const bytes = Buffer.from(piece.bytes);
      const count = split(bytes);
      lines += count;
      found += count;
      size += bytes.length;
      waiting += bytes.length;
      sending = sending
        .then(() => send(bytes))
        .then(() => {
          waiting -= bytes.length;
          if (waiting < MOST_WAITING) for (const wake of waiters.splice(0)) wake();
        });
    },
    addLost: () => undefined,
    hasRoom: () => waiting < MOST_WAITING,
    room: () => (waiting < MOST_WAITING ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
  });
  const cancel = systemClock.every(PLACE_MS, () => void keep());
  await tailer.start();
  while (!isDone(found)) await systemClock.sleep(20);
  cancel();
  await tailer.stop();
  await keep();
  await spool.close();
}

async function tailAllTheWay(total: number, packing: Packing, withTemplates: boolean): Promise<void> {
  const spool = await openSpool({ folder: join(folder, 'spool'), limit: 1e10, log: silentLogger });
  const pipeline = createPipeline({ spool, clock: systemClock, log: silentLogger, packing: () => packing });
  const tell = (template: Parameters<typeof pipeline.addTemplate>[0]): void => pipeline.addTemplate(template);
  const templates = withTemplates ? createLineTemplates({ saved: undefined, nowMs: Date.now, tell }) : undefined;
  const lines = createLines({
    settingsOf: () => DEFAULT_LINES,
    redactor: createRedactor({ secrets: true, email: false, ip: false, patterns: [] }),
    clock: systemClock,
    counts: createLineCounts(),
    addEvents: (events) => pipeline.addEvents(events),
    templates,
  });
  const tailer = tailerOf({ ...pipeline, addLines: (read) => lines.addLines(read) });
  pipeline.start();
  await tailer.start();
  while (pipeline.ledger().linesSpooled < total) await systemClock.sleep(20);
  await tailer.stop();
  lines.stop();
  await pipeline.stop();
  await spool.close();
}

async function measureAll(): Promise<void> {
  const total = generate();
  console.log(`${total} lines, ${Math.round(statSync(path).size / 1e6)} MB`);
  await measure('read and split', total, () => {
    let found = 0;
    readAll((bytes) => (found += split(bytes)));
    if (found !== total) throw new Error(`${found} lines found`);
  });
  const away = (): Promise<void> => Promise.resolve();
  await measure('tailer, and places on the disk', total, () => tailAlone(away, (found) => found === total));
  for (const packing of PACKINGS)
    for (const withTemplates of [false, true])
      await measure(`all the way${withTemplates ? ' with templates' : ''}, ${packing}, spool`, total, () =>
        tailAllTheWay(total, packing, withTemplates),
      );
}

/** A hub for the built agent, whose budget of CPU would slow this down on purpose. */
async function serve(port: number, data: string): Promise<void> {
  const authority = await createTestAuthority();
  const forward = createForwarder(port);
  const hub = await startSmallHub(authority, ({ chunks }) =>
    forward(chunks.flatMap(({ lines }) => lines.map(({ text }) => `${text}\n`)).join('')),
  );
  const { key, certificate } = await authority.agent('agent');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  keepIdentity(data, { agentId: 'agent', link: hub.address, key, certificate, ca: authority.ca });
  const settings = { ownLog: false, budgets: { cpu: 64 }, logs: [{ include: [path], start: 'beginning' }] };
  writeFileSync(join(data, 'outrider-agent.yaml'), JSON.stringify(settings));
  console.log(`ready; run: node dist/outrider-agent run --quiet --data ${data}`);
}

if (mode === 'serve') await serve(Number(rest[1]), rest[2] ?? '');
else {
  if (mode === 'alone') await tailAlone(createForwarder(Number(rest[1])), () => false);
  else await measureAll();
  rmSync(folder, { recursive: true });
}
