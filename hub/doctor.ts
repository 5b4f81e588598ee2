import { readFileSync } from 'node:fs';
import { statfs, readdir, readFile } from 'node:fs/promises';
import { X509Certificate } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import { Problem, reasonOf, type Cancel, type Clock, type Component } from '#sdk';
import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';
import { commandHint } from './command-hint.ts';
import type { Ports } from './service.ts';

/** How a thing is. */
export type Level = 'ok' | 'slow' | 'near' | 'failing';

/** One thing that was looked at. */
export interface Finding {
  level: Level;
  /** What it is about: a port, a service, the disk. */
  subject: string;
  /** What was seen, with figures and units. */
  text: string;
  /** What to do; empty when all is well. */
  todo: string;
}

interface CheckedPart {
  name: string;
  component: Component;
}

/** What is looked at. */
export interface DoctorGiven {
  /** Parts that say whether they work: ports, and services that depend on something of their own. */
  checked(): readonly CheckedPart[];
  /** What is known from the start: parts that do not go well together. */
  known?: readonly Finding[];
  metrics: Registry;
  dataFolder: string;
  /** PEM file of the listener's certificate; empty when it has none of its own. */
  certificate: string;
  clock: Clock;
}

type Values = Map<string, MetricValue<string>[]>;

/** Figures are compared with those of up to this long ago, milliseconds. */
const WINDOW_MS = 60_000;
const CHECK_MS = 5_000;
const DAY_MS = 86_400_000;

/** Seconds that a call of a port may take in nineteen of twenty cases. */
const USUAL: Readonly<Record<string, number>> = { cache: 0.025, relational: 0.25, bus: 0.5 };
const USUAL_ELSE = 1;
/** Calls below which no ratio says anything. */
const FEW = 20;

async function valuesOf(metrics: Registry): Promise<Values> {
  const all = (await metrics.getMetricsAsJSON()) as unknown as MetricObjectWithValues<MetricValue<string>>[];
  return new Map(all.map(({ name, values }) => [name, values]));
}

const keyOf = ({ labels, metricName }: MetricValue<string> & { metricName?: string }): string =>
  JSON.stringify([metricName, ...Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))]);

/** How much each value of a metric has grown. */
function growth(name: string, now: Values, before: Values | undefined) {
  const old = new Map((before?.get(name) ?? []).map((one) => [keyOf(one), one.value]));
  return (now.get(name) ?? []).map((one) => ({
    ...one,
    value: one.value - (old.get(keyOf(one)) ?? 0),
  })) as (MetricValue<string> & { metricName?: string })[];
}

/** The upper edge of the bucket in which nineteen of twenty calls lie, seconds, and how many calls there were. */
function p95(rows: readonly (MetricValue<string> & { metricName?: string })[]): { seconds: number; calls: number } {
  const byEdge = new Map<number, number>();
  for (const { labels, value, metricName } of rows) {
    if (metricName?.endsWith('_bucket') !== true) continue;
    const edge = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    byEdge.set(edge, (byEdge.get(edge) ?? 0) + value);
  }
  const edges = [...byEdge].sort(([a], [b]) => a - b);
  const calls = edges.at(-1)?.[1] ?? 0;
  const found = edges.find(([, count]) => count >= calls * 0.95);
  return { seconds: calls === 0 ? 0 : (found?.[0] ?? Infinity), calls };
}

const count = (rows: readonly (MetricValue<string> & { metricName?: string })[]): number =>
  rows.filter(({ metricName }) => metricName?.endsWith('_count') === true).reduce((sum, { value }) => sum + value, 0);

const inWords = (seconds: number): string => (seconds >= 1 ? `${seconds} s` : `${Math.round(seconds * 1000)} ms`);
const percent = (part: number, whole: number): string => `${Math.round((part / whole) * 1000) / 10} %`;

async function readinessOf({ name, component }: CheckedPart, clock: Clock): Promise<Finding> {
  const started = clock.monotonic();
  const patience = new AbortController();
  const late = clock.sleep(CHECK_MS, patience.signal).then(() => {
    if (!patience.signal.aborted) throw new Error(`no answer within ${CHECK_MS / 1000} s`);
  });
  try {
    await Promise.race([component.check?.(), late]);
    return { level: 'ok', subject: name, text: `answers (${Math.round(clock.monotonic() - started)} ms)`, todo: '' };
  } catch (error) {
    const known = error instanceof Problem ? error.facts['todo'] : undefined;
    const todo =
      typeof known === 'string'
        ? known
        : error instanceof Problem && error.retryable
          ? 'It is tried again by itself. Look at that server if this goes on.'
          : 'Look at the hub’s log for the first such line.';
    return { level: 'failing', subject: name, text: reasonOf(error), todo };
  } finally {
    patience.abort();
  }
}

function portFindings(now: Values, before: Values | undefined): Finding[] {
  const rows = growth('outrider_port_call_duration_seconds', now, before);
  const ports = [...new Set(rows.map(({ labels }) => String(labels['port'])))];
  return ports.flatMap((port): Finding[] => {
    const own = rows.filter(({ labels }) => labels['port'] === port);
    const { seconds, calls } = p95(own);
    const failed = count(own.filter(({ labels }) => labels['outcome'] === 'failed'));
    const usual = USUAL[port] ?? USUAL_ELSE;
    const text = `${calls} ${calls === 1 ? 'call' : 'calls'}, 95 % within ${inWords(seconds)}; ${failed} failed`;
    if (calls >= FEW && failed / calls > 0.05)
      return [
        {
          level: 'failing',
          subject: `port ${port}`,
          text: `${percent(failed, calls)} of ${calls} calls failed`,
          todo: `Look at that store and at the log lines with port=${port}.`,
        },
      ];
    if (calls >= FEW && seconds > usual)
      return [
        {
          level: 'slow',
          subject: `port ${port}`,
          text,
          todo: `${inWords(usual)} is usual. Look at the store’s own load, disk and network.`,
        },
      ];
    return [{ level: 'ok', subject: `port ${port}`, text, todo: '' }];
  });
}

function routeFindings(now: Values, before: Values | undefined): Finding[] {
  const rows = growth('outrider_service_request_duration_seconds', now, before);
  const routes = [...new Set(rows.map(({ labels }) => `${labels['method']} ${labels['route']}`))];
  return routes.flatMap((route): Finding[] => {
    const own = rows.filter(({ labels }) => `${labels['method']} ${labels['route']}` === route);
    const calls = count(own);
    const failed = count(own.filter(({ labels }) => String(labels['status']).startsWith('5')));
    const { seconds } = p95(own);
    if (failed > 0 && failed / calls > 0.01)
      return [
        {
          level: 'failing',
          subject: route,
          text: `${failed} of ${calls} calls answered 5xx`,
          todo: 'The log names each with its request id.',
        },
      ];
    if (calls >= FEW && seconds > 1)
      return [
        {
          level: 'slow',
          subject: route,
          text: `95 % of ${calls} calls within ${inWords(seconds)}`,
          todo: 'See which port is slow above; narrow the time range that is asked for.',
        },
      ];
    return [];
  });
}

function sisterFindings(now: Values): Finding[] {
  return (now.get('outrider_peer_breaker_state') ?? []).flatMap(({ labels, value }): Finding[] =>
    value === 0
      ? []
      : [
          {
            level: 'failing',
            subject: `service ${labels['service']}`,
            text: `${labels['address']} does not answer and is ${value === 2 ? 'left alone' : 'being tried'}`,
            todo: 'Start that process, or mend peers.addresses.',
          },
        ],
  );
}

function busFindings(now: Values, dataFolder: string): Finding[] {
  const rows = (name: string) => now.get(name) ?? [];
  const waiting = rows('outrider_bus_pending_messages').filter(({ value }) => value > 1_000);
  const dead = rows('outrider_bus_dead_letters').reduce((sum, { value }) => sum + value, 0);
  return [
    ...waiting.map(({ labels, value }): Finding => ({
      level: 'slow',
      subject: `bus ${labels['subscriber']}`,
      text: `${value} messages wait`,
      todo: `Its service is away or its store is slow: ${commandHint('bus status', dataFolder)}`,
    })),
    ...(dead > 0
      ? [
          {
            level: 'failing',
            subject: 'bus',
            text: `${dead} messages could not be handled and were put aside`,
            todo: `${commandHint('bus status', dataFolder)} says why; ${commandHint('bus replay', dataFolder)} hands them out again.`,
          } as const,
        ]
      : []),
  ];
}

function processFindings(now: Values): Finding[] {
  const lag = now.get('nodejs_eventloop_lag_p99_seconds')?.[0]?.value ?? 0;
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const findings: Finding[] = [];
  if (lag > 0.2)
    findings.push({
      level: 'slow',
      subject: 'process',
      text: `its thread is held up for ${inWords(lag)} (p99)`,
      todo: 'It has too little of a processor, or reads too much at once. Give it another core or split it (--target).',
    });
  if (used > limit * 0.85)
    findings.push({
      level: 'near',
      subject: 'process',
      text: `the heap is ${percent(used, limit)} full (${Math.round(limit / 1e6)} MB)`,
      todo: 'Start it with NODE_OPTIONS=--max-old-space-size=<MB>, or split it (--target).',
    });
  return findings.length > 0
    ? findings
    : [
        {
          level: 'ok',
          subject: 'process',
          text: `thread held up for ${inWords(lag)} (p99), heap ${percent(used, limit)} full`,
          todo: '',
        },
      ];
}

async function diskFinding(folder: string): Promise<Finding> {
  const { bavail, blocks, bsize, ffree, files } = await statfs(folder);
  const free = bavail * bsize;
  const text = `${Math.round(free / 1e8) / 10} GB free of ${Math.round((blocks * bsize) / 1e8) / 10} GB at ${folder}`;
  const near = free < 1e9 || bavail / blocks < 0.05 || (files > 0 && ffree / files < 0.02);
  return near
    ? {
        level: 'near',
        subject: 'disk',
        text,
        todo: 'Make room, lower monitoring.diskGb and logs.diskGb, or move the data folder.',
      }
    : { level: 'ok', subject: 'disk', text, todo: '' };
}

/** Open files against the limit; only Linux tells. */
async function fileFindings(): Promise<Finding[]> {
  try {
    const open = (await readdir('/proc/self/fd')).length;
    const limit = Number(/Max open files\s+(\d+)/.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? Infinity);
    if (open < limit * 0.8) return [];
    return [
      {
        level: 'near',
        subject: 'files',
        text: `${open} of ${limit} files are open`,
        todo: 'Raise LimitNOFILE of the service (ulimit -n).',
      },
    ];
  } catch {
    return [];
  }
}

function certificateFindings(path: string, nowMs: number): Finding[] {
  if (path === '') return [];
  const { validTo } = new X509Certificate(readFileSync(path));
  const days = Math.floor((Date.parse(validTo) - nowMs) / DAY_MS);
  if (days < 0)
    return [
      {
        level: 'failing',
        subject: 'certificate',
        text: `${path} ended on ${validTo}`,
        todo: 'Replace it and restart the hub.',
      },
    ];
  if (days < 14)
    return [
      {
        level: 'near',
        subject: 'certificate',
        text: `${path} ends in ${days} days`,
        todo: 'Renew it and restart the hub.',
      },
    ];
  return [{ level: 'ok', subject: 'certificate', text: `good for ${days} days`, todo: '' }];
}

/** Ports that do not go well together. What a series store loses when its server is killed can be written again only by a bus that keeps messages. */
export function findMismatches({ series, bus }: Partial<Ports>): Finding[] {
  if (series?.doubts === undefined || bus === undefined || bus.upkeep !== undefined) return [];
  const text = 'when its server is killed it may lose its last seconds, and the local bus keeps none of them';
  return [{ level: 'near', subject: 'series on a local bus', text, todo: 'Set bus.adapter: nats.' }];
}

/** Looks at the process: what is slow, failing or near a limit, in words. */
export function createDoctor(given: DoctorGiven): Component & { examine(): Promise<Finding[]> } {
  const { clock, metrics } = given;
  let before: Values | undefined;
  let last: Values | undefined;
  let end: Cancel | undefined;
  return {
    start() {
      end = clock.every(WINDOW_MS, () => {
        void valuesOf(metrics).then((values) => ([before, last] = [last, values]));
      });
      return Promise.resolve();
    },
    stop: () => Promise.resolve(end?.()),
    async examine() {
      const now = await valuesOf(metrics);
      const parts = await Promise.all(given.checked().map((part) => readinessOf(part, clock)));
      return [
        ...parts,
        ...(given.known ?? []),
        ...portFindings(now, before),
        ...routeFindings(now, before),
        ...sisterFindings(now),
        ...busFindings(now, given.dataFolder),
        ...processFindings(now),
        await diskFinding(given.dataFolder),
        ...(await fileFindings()),
        ...certificateFindings(given.certificate, clock.now()),
      ];
    },
  };
}
