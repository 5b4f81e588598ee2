/**
 * False events of hosts whose logs are as ever, and faults that are found: `npx tsx test/eval/steady-logs.ts [FOLDER of Loghub-2k] [WEEKS]`. Each host's windows go
 * through `judgeWindow` as the hub's do. Logs are drawn: of a made host (a web server, an application, sshd, cron with hourly, nightly and weekly work), and of
 * blocks of lines of real systems, as many in each window as chance says. How windows are judged was chosen with the made host's figures in view.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createMiner } from '../../agent/templates/index.ts';
import { judgeWindow, unknownHost } from '../../hub/services/predictions/sequences/host.ts';
import type { HostWindow } from '../../hub/services/predictions/sequences/part.ts';
import { packState } from '../../hub/services/predictions/sequences/state.ts';

const WINDOW_MS = 300_000;
const DAY = 288;
const HOUR = 12;
const WEEK = 7 * DAY;
const WARM_UP_MS = 86_400_000;

/** Counts of a window by source and template. */
type Drawn = Map<string, Map<string, number>>;
type Draw = (window: number, random: () => number) => Drawn;

/** Numbers from 0 to 1: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often something happens that happens `mean` times; by the normal distribution where that is often. */
function poisson(mean: number, random: () => number): number {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + normal * Math.sqrt(mean)));
  }
  let [count, product] = [-1, 1];
  const least = Math.exp(-mean);
  do {
    count += 1;
    product *= random();
  } while (product > least);
  return count;
}

function put(drawn: Drawn, source: string, template: string, count: number): void {
  if (count === 0) return;
  const counts = drawn.get(source) ?? new Map<string, number>();
  drawn.set(source, counts.set(template, (counts.get(template) ?? 0) + count));
}

/** A host's logs: rates with a day's rhythm, requests that come in bursts, guesses at passwords, and work by the clock. */
const madeHost: Draw = (window, random) => {
  const drawn: Drawn = new Map();
  const of = (source: string, template: string, mean: number): void =>
    put(drawn, source, template, poisson(mean, random));
  const hour = (window % DAY) / HOUR;
  const isWeekend = Math.floor(window / DAY) % 7 >= 5;
  const load = (isWeekend ? 0.5 : 1) * (1 + 0.7 * Math.sin((2 * Math.PI * (hour - 9)) / 24)) * (0.7 + 0.6 * random());
  for (const [status, rate] of [['200', 900], ['304', 80], ['404', 9], ['301', 30], ['499', 0.5], ['502', 0.02]] as const)
    of('access.log', status, rate * load); // prettier-ignore
  of('error.log', 'upstream timed out', 0.05 * load);
  of('error.log', 'client closed', 0.4 * load);
  for (let kind = 0; kind < 25; kind += 1) of('app.log', `app ${kind}`, (120 * load) / (1 + kind) ** 2);
  const guesses = random() < 0.15 ? poisson(20 * random(), random) : 0;
  put(drawn, 'auth.log', 'invalid user', guesses);
  put(drawn, 'auth.log', 'failed password', guesses);
  put(drawn, 'auth.log', 'connection closed', guesses + poisson(0.3, random));
  const sessions = poisson(0.1 * load, random);
  for (const line of ['accepted key', 'session opened', 'session closed']) put(drawn, 'auth.log', line, sessions);
  put(drawn, 'syslog', 'cron: five minutes', 1);
  of('syslog', 'dhcp renewed', 0.08);
  of('syslog', 'systemd: scope started', 0.5 * load);
  if (window % HOUR === 3) put(drawn, 'syslog', 'cron: hourly', 1);
  if (window % DAY === 77)
    for (let job = 0; job < 8; job += 1) put(drawn, 'syslog', `nightly ${job}`, 1 + poisson(job, random));
  if (window % DAY === 78 + Math.floor(4 * random())) put(drawn, 'syslog', 'apt: daily upgrade', 2);
  if (window % WEEK === 80) for (let job = 0; job < 4; job += 1) put(drawn, 'syslog', `weekly ${job}`, 1 + job);
  return drawn;
};

/** Templates of a file's lines, in their order. */
function templatesOf(path: string): string[] {
  const bytes = readFileSync(path);
  const miner = createMiner();
  const lines = bytes.toString('latin1').split('\n').filter((line) => line !== '').map((line) => Buffer.from(line, 'latin1')); // prettier-ignore
  for (const line of lines) miner.take(line, 0, line.length);
  miner.settle();
  return lines.map((line) => String(miner.take(line, 0, line.length).number));
}

/** A real system's lines as a stream that never ends: blocks of 20 lines from anywhere in its file, `mean` of them in a window. */
function replayed(system: string, templates: readonly string[], mean: number): Draw {
  const block = 20;
  return (_, random) => {
    const drawn: Drawn = new Map();
    for (let left = poisson(mean, random); left > 0; left -= 1) {
      const from = Math.floor(random() * (templates.length - block));
      for (const template of templates.slice(from, from + block)) put(drawn, system, template, 1);
    }
    return drawn;
  };
}

/** Faults, each put into some windows that follow each other. */
const FAULTS: Readonly<Record<string, (drawn: Drawn, source: string) => void>> = {
  'a new error, 30 lines': (drawn, source) => put(drawn, source, 'never seen', 30),
  'three new lines, once each': (drawn, source) => [1, 2, 3].forEach((n) => put(drawn, source, `never seen ${n}`, 1)),
  'its most frequent kind ten times as often': (drawn, source) => {
    const [most] = [...(drawn.get(source) ?? [])].sort(([, a], [, b]) => b - a);
    if (most !== undefined) put(drawn, source, most[0], 9 * most[1]);
  },
  'its most frequent kind missing': (drawn, source) => {
    const [most] = [...(drawn.get(source) ?? [])].sort(([, a], [, b]) => b - a);
    if (most !== undefined) drawn.get(source)?.delete(most[0]);
  },
};

const windowOf = (startMs: number, drawn: Drawn): HostWindow => ({
  startMs,
  sources: new Map(
    [...drawn].map(([name, counts]) => {
      const lines = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return [name, { lines, strays: 0, counts }];
    }),
  ),
  merged: new Map(),
  place: undefined,
  isWholeAfter: () => true,
});

interface Run {
  /** Windows in which events began. */
  events: number[];
  /** Of each fault: how often it was told of at once, and how often it was there. */
  found: Map<string, [found: number, of: number]>;
  /** What is known in the end, packed. */
  bytes: number;
}

/** Windows between faults, coprime to a day. */
const FAULT_EVERY = 101;

function run(draw: Draw, source: string, windows: number, seed: number): Run {
  const random = randomOf(seed);
  const state = unknownHost();
  const events: Run['events'] = [];
  const found: Run['found'] = new Map();
  const judging = { windowMs: WINDOW_MS, warmUpMs: WARM_UP_MS, offsetOf: () => 0, newId: () => 'event' };
  for (let window = 0; window < windows; window += 1) {
    const drawn = draw(window, random);
    if (window >= DAY && window % FAULT_EVERY === 0 && drawn.has(source))
      for (const [name, spoil] of Object.entries(FAULTS)) {
        const spoiled = structuredClone(drawn);
        spoil(spoiled, source);
        const [before, of] = found.get(name) ?? [0, 0];
        const judged = judgeWindow(structuredClone(state), windowOf(window * WINDOW_MS, spoiled), judging);
        found.set(name, [before + (judged.event?.endMs === null ? 1 : 0), of + 1]);
      }
    const { event } = judgeWindow(state, windowOf(window * WINDOW_MS, drawn), judging);
    if (event?.revision === 1) events.push(window);
  }
  return { events, found, bytes: packState(state, WINDOW_MS).length };
}

/** Prints one line a host, and what was found of the faults. */
export function steadyLines(folder: string | undefined, weeks: number, seeds: number): string[] {
  const systems = ['Apache', 'BGL', 'HDFS', 'Hadoop', 'Linux', 'OpenSSH', 'Proxifier', 'Zookeeper'];
  const real = systems
    .map((system) => [system, join(folder ?? '', system, `${system}_2k.log`)] as const)
    .filter(([, path]) => folder !== undefined && existsSync(path))
    .flatMap(([system, path]) => {
      const templates = templatesOf(path);
      return [1, 10].map(
        (mean) => [`${system}, ${20 * mean} lines a window`, system, replayed(system, templates, mean)] as const,
      );
    });
  return [['a made host', 'app.log', madeHost] as const, ...real].map(([name, source, draw]) => {
    const runs = Array.from({ length: seeds }, (_, seed) => run(draw, source, weeks * WEEK, seed + 1));
    const shares = Object.keys(FAULTS).map((fault) => {
      const sum = (part: 0 | 1): number => runs.reduce((all, { found }) => all + (found.get(fault)?.[part] ?? 0), 0);
      return `${fault}: ${((100 * sum(0)) / sum(1)).toFixed(0)} %`;
    });
    const all = runs.flatMap(({ events }) => events);
    const first = all.filter((window) => window < WEEK).length;
    const perWeek = (all.length - first) / (seeds * (weeks - 1));
    return (
      `${name}: ${(first / seeds).toFixed(2)} false events in the first week, ${perWeek.toFixed(2)} in each later one; state ${Math.round((runs[0]?.bytes ?? 0) / 1024)} kB; ` +
      `found: ${shares.join('; ')}`
    );
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [folder, weeks = '4', seeds = '3'] = process.argv.slice(2);
  process.stdout.write(`${steadyLines(folder, Number(weeks), Number(seeds)).join('\n')}\n`);
}
