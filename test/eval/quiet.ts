import { randomUUID } from 'node:crypto';
import { createHostEvents, type HostEvent } from '../../agent/anomalies/events.ts';
import { createHostScore } from '../../agent/anomalies/host.ts';
import { createColumnChoice } from '../../agent/anomalies/models/columns.ts';
import {
  createModelJudge,
  withCauses,
  type ModelJudge,
  type ModelVerdict,
} from '../../agent/anomalies/models/judge.ts';
import { WINDOW_TUNING, createWatch, keyOfSeries, type Window } from '../../agent/anomalies/watch.ts';
import { createDetector } from '../../agent/scoring/index.ts';
import { tableOf, type Series } from '../../agent/table.ts';
import { learnLinearModel } from '../../plugins/models/index.ts';

/** A reproducible source of chance (mulberry32). */
export function chance(seed: number) {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform() || 1e-12)) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** What is done to the host, and the metrics that ought to be blamed for it. */
export const FAULTS = {
  'cpu hog': /^system\.(cpu|linux\.pressure)/,
  'memory leak': /^system\.memory/,
  'disk fill': /^system\.(filesystem|disk)/,
  'i/o storm': /^system\.(disk|cpu|linux\.pressure)/,
  'packet loss': /^system\.network/,
  'crash loop': /^system\.(process|context)/,
  'error burst': /^outrider\.log/,
} as const;
export interface Fault {
  kind: keyof typeof FAULTS;
  /** Seconds since the start. */
  at: number;
  length: number;
}

export const DAY = 86_400;
export const START = Date.UTC(2026, 10, 2) / 1000; // A Monday; the agent is installed at nine.
export const INSTALLED = 9 * 3600;
const REBOOT = 3 * DAY + 10.5 * 3600;
const REBOOT_SECONDS = 75;

/**
 * A server over a week at one sample a second: a day's and a week's rhythm, requests in bursts, cron jobs of each minute, five minutes and hour, a backup each night,
 * a weekly job, log rotation, slow growth of a disk, a cache that fills, and a reboot. Shapes are those of real servers: rates with heavy tails, levels that wander.
 */
export function createQuietHost(seed: number, faults: readonly Fault[] = []) {
  const { uniform, normal } = chance(seed);
  let [wander, cache, disk, requests, burst, boot] = [0, 2e9, 40e9, 0, 0, -30 * DAY];
  const sums = {
    user: 0,
    system: 0,
    iowait: 0,
    read: 0,
    write: 0,
    receive: 0,
    transmit: 0,
    switches: 0,
    faults: 0,
    forks: 0,
    retransmits: 0,
    errors: 0,
    lines: 0,
  };
  const series: Series[] = [];
  const add = (name: string, kind: Series['kind'] = 'gauge', attributes: Record<string, string> = {}): void => void series.push({ name, kind, attributes }); // prettier-ignore
  for (const mode of ['user', 'system', 'iowait', 'idle']) add('system.cpu.utilization', 'gauge', { 'cpu.mode': mode });
  for (const core of ['0', '1', '2', '3']) add('system.cpu.busy', 'gauge', { 'cpu.logical_number': core });
  for (const minutes of ['1m', '5m', '15m']) add(`system.cpu.load_average.${minutes}`);
  for (const state of ['used', 'free', 'cached', 'buffers']) add('system.memory.usage', 'gauge', { 'system.memory.state': state }); // prettier-ignore
  for (const way of ['read', 'write']) add('system.disk.io', 'counter', { 'disk.io.direction': way });
  for (const way of ['read', 'write']) add('system.disk.operations', 'counter', { 'disk.io.direction': way });
  add('system.disk.utilization');
  add('system.filesystem.utilization');
  for (const way of ['receive', 'transmit']) add('system.network.io', 'counter', { 'network.io.direction': way });
  for (const way of ['receive', 'transmit']) add('system.network.packet.count', 'counter', { 'network.io.direction': way }); // prettier-ignore
  for (const state of ['established', 'time_wait']) add('system.network.connection.count', 'gauge', { 'network.connection.state': state }); // prettier-ignore
  add('system.process.count');
  add('system.process.created', 'counter');
  add('system.context.switches', 'counter');
  for (const type of ['major', 'minor']) add('system.paging.faults', 'counter', { 'system.paging.type': type });
  for (const resource of ['cpu', 'io', 'memory']) add('system.linux.pressure.utilization', 'gauge', { 'system.linux.pressure.resource': resource }); // prettier-ignore
  add('system.network.tcp.retransmits', 'counter');
  for (const kind of ['error', 'request'])
    add('outrider.log.template.lines', 'counter', { 'outrider.log.template': kind });
  const table = tableOf(series);
  let loads = [0.5, 0.5, 0.5];

  /** Seconds into a job that begins at `at` and lasts `length`, or -1. */
  const into = (second: number, at: number, length: number): number => (second >= at && second < at + length ? second - at : -1); // prettier-ignore

  return {
    table,
    /** The values at a second of the week; undefined while the machine is down. */
    at(t: number): Float64Array | undefined {
      if (t >= REBOOT && t < REBOOT + REBOOT_SECONDS) return undefined;
      if (t === REBOOT + REBOOT_SECONDS) {
        boot = t;
        cache = 3e8;
        for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] = 0;
        loads = [0.1, 0.02, 0.01];
      }
      const second = t % DAY;
      const hour = second / 3600;
      const weekday = Math.floor(t / DAY) % 7;
      const rhythm = (weekday < 5 ? 1 : 0.55) * (0.35 + 0.65 * Math.max(0, Math.sin(((hour - 7) / 14) * Math.PI)));
      wander = 0.9995 * wander + 0.006 * normal();
      requests = 0.9 * requests + 0.1 * (60 * rhythm * Math.exp(wander) * (1 + 0.15 * normal()));
      if (uniform() < 1 / 400) burst = 1 + 3 * -Math.log(uniform() || 1e-9);
      burst *= 0.85;
      const starting = t - boot < 120 ? Math.exp(-(t - boot) / 40) : 0;
      const perMinute = second % 60 < 2 ? 0.6 + 0.2 * uniform() : 0;
      const perFive = second % 300 < 6 ? 1 + 0.3 * uniform() : 0;
      const hourly = into(second % 3600, 420, 35) >= 0 ? 1 : 0;
      const late = 60 * Math.floor((seed + Math.floor(t / DAY)) % 4); // Jobs begin a few minutes sooner or later.
      const backup = into(second, 2 * 3600 + late, 2400 + 120 * ((seed + weekday) % 3)) >= 0 ? 1 : 0;
      const rotation = into(second, 60, 25) >= 0 ? 1 : 0;
      const weekly = weekday === 6 && into(second, 3.5 * 3600, 1500) >= 0 ? 1 : 0;
      const work = requests / 60 + 0.5 * burst + perMinute * 0.4 + perFive * 0.8 + hourly * 0.9 + backup * 1.1 + rotation + weekly * 1.6 + starting * 3; // prettier-ignore
      const since = (kind: Fault['kind']): number => {
        const fault = faults.find((one) => one.kind === kind && t >= one.at && t < one.at + one.length);
        return fault === undefined ? 0 : t - fault.at + 1;
      };
      const noise = (): number => Math.max(0.05, 1 + 0.12 * normal());
      const user = Math.min(0.93, 0.02 + 0.13 * work * noise() + (since('cpu hog') > 0 ? 0.7 : 0));
      const system = Math.min(0.4, 0.008 + 0.035 * work * noise());
      const io = 0.1 * requests / 60 + backup * 1.2 + rotation * 0.8 + weekly + perFive * 0.2 + starting * 2 + (uniform() < 0.02 ? uniform() : 0) + (since('i/o storm') > 0 ? 8 : 0) + (since('disk fill') > 0 ? 2 : 0); // prettier-ignore
      const iowait = Math.min(0.5, 0.002 + 0.03 * io * noise());
      const busy = Math.min(0.99, user + system);
      const core = (): number => Math.min(1, Math.max(0, busy * (1 + 0.25 * normal())));
      loads = loads.map((load, n) => load + (4 * busy - load) / [60, 300, 900][n]!);
      cache = Math.min(6e9, cache + 2e4 * (1 + io * 40) * uniform()) * (uniform() < 1 / 20_000 ? 0.96 : 1);
      disk += 900 * rhythm * uniform() - (second === 90 ? 4e7 : 0) + (backup === 1 && weekday === 6 ? 2000 : 0);
      const used =
        2.4e9 +
        5e7 * Math.sin(t / 9000) +
        (8e6 * requests) / 60 +
        3e8 * backup +
        4e6 * normal() +
        2e7 * since('memory leak');
      if (since('disk fill') > 0) disk += 8e7;
      if (since('packet loss') > 0) sums.retransmits += Math.floor(requests * 0.05 + 3 * uniform());
      sums.retransmits += uniform() < 0.02 ? 1 + Math.floor(3 * uniform()) : 0;
      sums.errors += (uniform() < 0.01 ? 1 : 0) + (since('error burst') > 0 ? Math.floor(20 * uniform()) : 0);
      sums.lines += Math.floor(requests * noise());
      const loss = since('packet loss') > 0 ? 0.5 : 1;
      const buffers = 3e8 + 2e6 * normal();
      sums.read += 4096 * Math.floor(20 * io * noise() * (backup === 1 ? 220 : 9));
      sums.write += 4096 * Math.floor((6 + 30 * io + requests / 5) * noise());
      sums.receive += loss * 700 * (requests * noise() + 20 * burst) + 4000 * uniform();
      sums.transmit += loss * 5200 * requests * noise() + (backup === 1 ? 4.5e7 * noise() : 0) + 6000 * uniform();
      sums.switches += 3000 + 9000 * work * noise();
      sums.faults += 200 + 4000 * work * noise();
      sums.forks +=
        Math.floor(1 + 3 * perMinute + 20 * perFive + 30 * rotation + 5 * uniform()) +
        (since('crash loop') > 0 ? Math.floor(6 * uniform()) + 6 : 0);
      return Float64Array.of(
        user, system, iowait, Math.max(0, 1 - user - system - iowait),
        core(), core(), core(), core(),
        loads[0]!, loads[1]!, loads[2]!,
        used, Math.max(1e8, 16e9 - used - cache - buffers), cache, buffers,
        sums.read, sums.write, Math.floor(sums.read / 32_768), Math.floor(sums.write / 16_384),
        Math.min(1, 0.02 + 0.25 * io * noise()), disk / 200e9,
        sums.receive, sums.transmit, Math.floor(sums.receive / 600), Math.floor(sums.transmit / 1200),
        Math.round(30 + requests * 1.5 + 4 * normal()), Math.round(20 + requests * 2 + 6 * normal()),
        Math.round(180 + 3 * perMinute + 4 * backup + 2 * normal() + 10 * rhythm), Math.floor(sums.forks),
        Math.floor(sums.switches), Math.floor(0.01 * sums.faults * starting), Math.floor(sums.faults),
        Math.max(0, busy - 0.6) * 0.5 + 0.001 * uniform(), iowait * 0.7, uniform() < 0.001 ? 0.01 : 0,
        sums.retransmits, sums.errors, sums.lines,
      ); // prettier-ignore
    },
  };
}

/** Learns a model from the first windows of a host, those in which its series move. */
function createFirstModel(windows: number) {
  const choice = createColumnChoice();
  const seen: { timeMs: number; values: ReadonlyMap<string, number> }[] = [];
  let judge: ModelJudge | undefined;
  const learn = async (): Promise<ModelJudge> => {
    const series = choice.chosen();
    const keys = series.map(({ metric: name, attributes }) => keyOfSeries({ name, attributes }));
    const rows = async function* () {
      for (const { timeMs, values } of seen)
        yield { timeMs, values: Float64Array.from(keys, (key) => values.get(key) ?? NaN) };
      await Promise.resolve();
    };
    return createModelJudge(await learnLinearModel({ series, rows, version: 'first', createdMs: 0 }));
  };
  return {
    /** What it makes of a window; nothing before there is one. */
    async look(window: Window): Promise<ModelVerdict | undefined> {
      if (judge !== undefined) return judge.judge(window);
      if (seen.length < 360) choice.look(window);
      seen.push({
        timeMs: window.endMs,
        values: new Map([...window.values()].map(([series, value]) => [keyOfSeries(series), value])),
      });
      if (seen.length >= windows) judge = await learn();
      return undefined;
    },
  };
}

/** Plays a week of a quiet host through the agent's own detectors, and, when days to learn one from are named, a model beside them. */
export async function playQuietWeek(seed: number, days = 7, faults: readonly Fault[] = [], learnDays = Infinity) {
  const host = createQuietHost(seed, faults);
  const watch = createWatch({ detector: createDetector(WINDOW_TUNING), known: new Map() });
  const score = createHostScore();
  const model = createFirstModel(learnDays * (DAY / 10));
  const events = createHostEvents(randomUUID);
  const told = new Map<string, HostEvent>();
  for (let t = INSTALLED; t < days * DAY + INSTALLED; t++) {
    const values = host.at(t);
    if (values === undefined) continue;
    const window = watch.look({ collector: 'quiet', timeMs: (START + t) * 1000, table: host.table, values });
    if (window === undefined) continue;
    const isBoot = t > REBOOT && t < REBOOT + 900;
    const contexts = isBoot ? [{ kind: 'reboot', name: 'the machine started', fromMs: 0, toMs: undefined }] : [];
    const word = learnDays === Infinity ? undefined : await model.look(window);
    const seen = { endMs: window.endMs, speakers: withCauses(window.speakers, word) };
    const event = events.take(seen, score.judge(window, word), { contexts, templates: [], model: '' });
    if (event?.revision === 1) score.opened();
    if (event !== undefined) told.set(event.id, event);
  }
  const all = [...told.values()];
  const perDay = Array.from({ length: days - 2 }, (_, n) => all.filter(({ startMs }) => Math.floor((startMs / 1000 - START - INSTALLED) / DAY) === n + 2).length); // prettier-ignore
  return { events: all, perDay };
}

const say = (...words: readonly (string | number)[]): void => void process.stdout.write(`${words.join(' ')}\n`);

if (process.argv[1] === import.meta.filename) {
  // quiet.ts SEED DAYS [faults|none [DAYS A MODEL IS LEARNT FROM]]
  const [seed = '1', days = '7', withFaults = 'none', learnDays = 'Infinity'] = process.argv.slice(2);
  const begun = performance.now();
  const faults = withFaults === 'none' ? [] : (Object.keys(FAULTS) as Fault['kind'][]).map((kind, n) => ({ kind, at: (Number(days) - 1) * DAY + 3600 * (5.3 + n * 2.6), length: 300 })); // prettier-ignore
  const { events, perDay } = await playQuietWeek(Number(seed), Number(days), faults, Number(learnDays));
  for (const { kind, at } of faults) {
    const found = events.find(({ startMs }) => startMs / 1000 - START >= at - 30 && startMs / 1000 - START < at + 300);
    const place = found?.causes.findIndex(({ series: { name } }) => FAULTS[kind].test(name)) ?? -1;
    say(kind.padEnd(12), found === undefined ? 'missed' : `began ${found.startMs / 1000 - START - at} s, opened ${(found.openedMs ?? 0) / 1000 - START - at} s after it, ${found.evidence.toFixed(1)} nats, right cause at ${place + 1}`); // prettier-ignore
  }
  for (const { startMs, endMs, evidence, score, causes, contexts } of events)
    say(new Date(startMs).toISOString(), endMs === undefined ? 'open' : `${(endMs - startMs) / 1000} s`, evidence.toFixed(1), score.toFixed(2), causes.slice(0, 4).map(({ series, channel, nats: own }) => `${series.name}${Object.values(series.attributes).join()}:${channel} ${own.toFixed(1)}`).join('; '), contexts.map(({ kind }) => kind).join()); // prettier-ignore
  say(
    'host events a day after the first two:',
    perDay.join(' '),
    `(${((performance.now() - begun) / 1000).toFixed(0)} s)`,
  );
}
