import { create, toBinary } from '@bufbuild/protobuf';
import { Lane, LogsSchema } from '../../proto/agent/v1/index.ts';
import { visitLines } from '../../proto/agent/v1/lines.ts';
import { createCounting, type CountedPart } from '../../hub/services/predictions/sequences/counting.ts';
import { judgeWindow, unknownHost } from '../../hub/services/predictions/sequences/host.ts';
import { windowOf } from '../../hub/services/predictions/sequences/part.ts';
import { packState, readState } from '../../hub/services/predictions/sequences/state.ts';

/**
 * What counting hosts' log lines by kind costs, beside the schema's own decoder, what a host's windows weigh, and what judging one takes.
 * usage: sequences.ts [HOSTS]
 */
const [hosts = '1000'] = process.argv.slice(2);
const WINDOW_MS = 300_000;
const T0 = 1_800_000_000_000;
const SOURCES = [
  '/var/log/syslog',
  '/var/log/auth.log',
  '/var/log/nginx/access.log',
  '/var/log/app/app.log',
  'journal:cron',
];
const TEXT = `192.0.2.7 - - "GET /shop/4711?colour=blue HTTP/1.1" 200 5316 "-" "${'x'.repeat(60)}"`;

/** A batch of so many lines a source, each with a few values. */
function logsOf(lines: number, receivedMs: number, seed = 0): Uint8Array {
  const chunks = SOURCES.map((source, place) => ({
    source,
    lines: Array.from({ length: lines }, (_, n) => ({
      ...{ timeMs: BigInt(receivedMs), level: 2, text: TEXT, parameters: [0, 9, 12, 4, 30, 4, 7, 3] },
      template: BigInt.asUintN(64, BigInt(1 + place * 100 + ((n * n + seed) % 20)) * 0x9e3779b97f4a7c15n),
    })),
  }));
  return toBinary(LogsSchema, create(LogsSchema, { chunks }));
}

const batchOf = (resource: string, seq: number, receivedMs: number, logs: Uint8Array) => ({
  ...{ agent: resource, resource, epoch: 1n, lane: Lane.LIVE, seq: BigInt(seq), receivedMs, skewMs: 0 },
  ...{ tables: [], metrics: new Uint8Array(), logs },
});

/** Lines a second of CPU time. */
function rate(lines: number, work: () => void): string {
  work();
  const before = process.cpuUsage();
  let done = 0;
  do {
    work();
    done += lines;
  } while (process.cpuUsage(before).user < 1e6);
  const { user, system } = process.cpuUsage(before);
  return `${(((done / (user + system)) * 1e6) / 1e6).toFixed(1)} M lines/s`;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

for (const perSource of [1, 10, 100]) {
  const logs = logsOf(perSource, T0);
  const counting = createCounting(WINDOW_MS, () => undefined);
  let seq = 0;
  const { fromBinary } = await import('@bufbuild/protobuf');
  const nobody = { source: () => undefined, line: () => undefined, merged: () => undefined };
  say(
    `${SOURCES.length * perSource} lines of ${TEXT.length} bytes a batch: ` +
      `decoded and counted ${rate(SOURCES.length * perSource, () => void counting.add('o', batchOf('r', (seq += 1), T0, logs)))}, ` +
      `decoded alone ${rate(SOURCES.length * perSource, () => visitLines(logs, nobody))}, ` +
      `the schema's decoder alone ${rate(SOURCES.length * perSource, () => void fromBinary(LogsSchema, logs))}`,
  );
}

const heap = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};
const parts: CountedPart[] = [];
const counting = createCounting(WINDOW_MS, (part) => void parts.push(part));
const logs = logsOf(20, T0);
const before = heap();
for (let host = 0; host < Number(hosts); host += 1) counting.add('o', batchOf(`host ${host}`, 1, T0, logs));
say(
  `a host's window, ${SOURCES.length} sources of up to 20 kinds: ${Math.round((heap() - before) / Number(hosts) / 100) / 10} kB of heap`,
);
counting.end(Infinity);
say(`its part: ${JSON.stringify(parts[0]?.part).length} bytes of JSON`);

/** A week of windows, each of other counts. */
const state = unknownHost();
const judging = { windowMs: WINDOW_MS, warmUpMs: 86_400_000, offsetOf: () => 0, newId: () => 'event' };
const one = createCounting(WINDOW_MS, (part) => void parts.push(part));
let longest = 0;
let spent = 0;
const windows = 2016;
for (let window = 0; window < windows; window += 1) {
  const startMs = T0 + window * WINDOW_MS;
  for (let slot = 0; slot < 5; slot += 1) {
    const atMs = startMs + slot * 60_000;
    one.add(
      'o',
      batchOf(
        'r',
        window * 5 + slot + 1,
        atMs,
        slot === 0 ? logsOf(1 + ((window * 7919) % 97), atMs, window) : new Uint8Array(),
      ),
    );
  }
  parts.length = 0;
  one.end(Infinity);
  const from = process.cpuUsage();
  judgeWindow(
    state,
    windowOf(
      startMs,
      parts.map(({ part }) => part),
    ),
    judging,
  );
  readState(packState(state, WINDOW_MS), WINDOW_MS);
  const { user, system } = process.cpuUsage(from);
  spent += user + system;
  longest = Math.max(longest, user + system);
}
say(
  `a window of ${SOURCES.length} sources read, judged, learned and packed: ${(spent / windows / 1000).toFixed(1)} ms of CPU, ` +
    `${(longest / 1000).toFixed(0)} ms the longest; after a week the state has ${Math.round(packState(state, WINDOW_MS).length / 1024)} kB packed`,
);
