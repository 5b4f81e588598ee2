import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Static } from 'typebox';
import type { PrometheusConfig } from './config.ts';
import { problems } from '../points/errors.ts';
import { failureOf } from '../points/failures.ts';
import { writeBody, type WriteLine } from './remote-write.ts';

/** One series of an answer; times in seconds. */
export interface Found {
  metric: Readonly<Record<string, string>>;
  value?: [time: number, value: string];
  values?: [time: number, value: string][];
}

/** What a server tells about itself. What it does not tell is undefined. */
export interface ServerFacts {
  kind: 'victoria' | 'prometheus' | 'other';
  /** When its process began, seconds since 1970. */
  startedS: number | undefined;
  bytes: number;
  /** VictoriaMetrics: the shortest distance of samples that it keeps apart. */
  apart: string | undefined;
}

class StatusError extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

const statusOf = (error: unknown): number | undefined => (error instanceof StatusError ? error.status : undefined);
const CREDENTIALS = 'set series.bearerToken, or series.username and series.password';
/** Samples of a request: some four megabytes before compression. */
const REQUEST_SAMPLES = 20_000;
const BAD_SAMPLE = /out of order|out of bounds|too old|duplicate sample|too far in/i;

/** What is asked of a server that speaks like Prometheus. Failures name its address. */
export type Server = ReturnType<typeof connect>;

function headersOf({ bearerToken, username, password, headers }: Static<typeof PrometheusConfig>) {
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const authorization = bearerToken === '' ? (username === '' ? undefined : basic) : `Bearer ${bearerToken}`;
  return { ...headers, ...(authorization === undefined ? {} : { authorization }) };
}

/** Calls over HTTP; an answer that is no success becomes a StatusError. */
function createCalls(place: Static<typeof PrometheusConfig>) {
  const timeout = place.timeoutSeconds * 1000;
  const tls = place.ca === '' ? {} : { ca: readFileSync(place.ca) };
  const dispatcher = new Agent({ headersTimeout: timeout, bodyTimeout: timeout, connect: { timeout, ...tls } });
  const own = headersOf(place);
  return {
    async call(url: string, { body, headers = {} }: { body?: Buffer | string; headers?: Record<string, string> } = {}) {
      const method = body === undefined ? 'GET' : 'POST';
      const answer = await request(url, { method, body, headers: { ...headers, ...own }, dispatcher });
      const text = await answer.body.text();
      if (answer.statusCode >= 300) throw new StatusError(answer.statusCode, text.trim() || 'no reason given');
      return text;
    },
    close: () => dispatcher.destroy(),
  };
}

const figure = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);

function factsFrom(metrics: string): ServerFacts {
  const started = /^process_start_time_seconds (\S+)$/m.exec(metrics)?.[1];
  const victoria = /^vm_app_version\{/m.test(metrics);
  const chunks = figure(metrics, /^prometheus_tsdb_head_chunks (\S+)$/gm) * 160; // Some 120 samples each.
  return {
    kind: victoria ? 'victoria' : /^prometheus_tsdb_head_chunks /m.test(metrics) ? 'prometheus' : 'other',
    startedS: started === undefined ? undefined : Number(started),
    bytes: figure(metrics, /^(?:vm_data_size_bytes\{.*\}|prometheus_tsdb_storage_blocks_bytes) (\S+)$/gm) + chunks,
    apart: /^flag\{name="dedup\.minScrapeInterval", value="([^"]*)"/m.exec(metrics)?.[1],
  };
}

/** Gives a server by its address; nothing is sent before the first call. */
export function connect(place: Static<typeof PrometheusConfig>) {
  const url = place.url.replace(/\/+$/, '');
  const writeUrl = place.writeUrl === '' ? `${url}/api/v1/write` : place.writeUrl;
  const [name, writeName] = [url, writeUrl].map((one) => `The series store at ${new URL(one).host}`) as [
    string,
    string,
  ];
  const { call, close } = createCalls(place);
  const readHelp = { 401: CREDENTIALS, 403: CREDENTIALS, 404: 'set series.url to where its query API begins' };
  const writeHelp = {
    401: CREDENTIALS,
    403: CREDENTIALS,
    404: 'start Prometheus with --web.enable-remote-write-receiver, or set series.writeUrl',
    405: 'set series.writeUrl to where it takes remote writes',
  };
  const failure = (error: unknown, help = readHelp as Record<number, string>, of = name): unknown => {
    // A store whose disk is full says so as if the samples were to blame.
    if (statusOf(error) === 400 && /read-?only/i.test((error as Error).message))
      return failureOf(of, new StatusError(503, (error as Error).message), 503, help);
    return failureOf(of, error, statusOf(error), help);
  };
  const ask = async (path: string, form: Record<string, string | number>): Promise<Found[]> => {
    const body = new URLSearchParams({ ...form, nocache: 1 } as never).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const text = await call(`${url}/api/v1/${path}`, { body, headers }).catch((error: unknown) => {
      throw failure(error);
    });
    try {
      const { status, data } = JSON.parse(text) as { status: string; data: { result: Found[] } };
      if (status === 'success' && Array.isArray(data.result)) return data.result;
    } catch {
      // It is told below.
    }
    throw problems.otherVersion(
      `${name} does not answer like Prometheus: set series.url to where its query API begins.`,
    );
  };
  const send = (lines: readonly WriteLine[]): Promise<unknown> =>
    writeBody(lines).then((body) =>
      call(writeUrl, {
        body,
        headers: {
          'content-type': 'application/x-protobuf',
          'content-encoding': 'snappy',
          'x-prometheus-remote-write-version': '0.1.0',
        },
      }),
    );
  /** A sample that the server does not take makes it refuse all of a request: it is found by halving. Gives how many were left out. */
  const sendFitting = async (lines: readonly WriteLine[]): Promise<number> => {
    try {
      await send(lines);
      return 0;
    } catch (error) {
      if (statusOf(error) !== 400 || !BAD_SAMPLE.test((error as Error).message))
        throw failure(error, writeHelp, writeName);
    }
    const [first] = lines;
    if (first === undefined || (lines.length === 1 && first.times.length === 1)) return lines.length;
    const half = lines.length >> 1;
    const cut = first.times.length >> 1;
    const part = (from: number, to?: number): WriteLine[] => [
      { labels: first.labels, times: first.times.slice(from, to), values: first.values.slice(from, to) },
    ];
    const [a, b] = lines.length > 1 ? [lines.slice(0, half), lines.slice(half)] : [part(0, cut), part(cut)];
    return (await sendFitting(a)) + (await sendFitting(b));
  };
  const facts = async (): Promise<ServerFacts> => {
    const texts = await Promise.allSettled(
      [`${url}/metrics`, `${new URL(url).origin}/metrics`].map((one) => call(one)),
    );
    return factsFrom(
      texts
        .map((one) => (one.status === 'fulfilled' ? one.value : ''))
        .join('\n')
        .slice(0, 4_000_000),
    );
  };
  return {
    name,
    close,
    facts,
    /** Values at one time, milliseconds. */
    instant: (query: string, timeMs: number) => ask('query', { query, time: timeMs / 1000 }),
    /** Values from a first to a last time, both inclusive, milliseconds. */
    range: (query: string, from: number, to: number, step: number) =>
      ask('query_range', { query, start: from / 1000, end: to / 1000, step: step / 1000 }),
    /** Sends samples; gives how many the server does not take, because they are too old or another value is there. */
    async write(lines: readonly WriteLine[]): Promise<number> {
      let left = 0;
      let group: WriteLine[] = [];
      let size = 0;
      for (const line of lines) {
        group.push(line);
        size += line.times.length;
        if (size < REQUEST_SAMPLES) continue;
        left += await sendFitting(group);
        [group, size] = [[], 0];
      }
      return group.length === 0 ? left : left + (await sendFitting(group));
    },
    /** Whether it takes remote writes. */
    checkWrite: () =>
      send([]).catch((error: unknown) => {
        throw failure(error, writeHelp, writeName);
      }),
    /** Deletes series, or what of them lies before a time. */
    async remove(selector: string, before?: number): Promise<void> {
      const end = before === undefined ? {} : { start: 0, end: before / 1000 };
      const query = new URLSearchParams({ 'match[]': selector, ...end } as never);
      const how = 'start Prometheus with --web.enable-admin-api; other stores forget by their own retention alone';
      await call(`${url}/api/v1/admin/tsdb/delete_series?${query}`, { body: '' }).catch((error: unknown) => {
        const off = /admin APIs? (is )?disabled/i.test((error as Error).message);
        if (off || statusOf(error) === 404)
          throw problems.refused(`${name} deletes nothing: ${how}.`, { cause: error });
        throw failure(error);
      });
    },
    /** Makes what was written visible to queries; false when the server knows no such wish. */
    flush: () =>
      call(`${new URL(url).origin}/internal/force_flush`).then(
        () => true,
        () => false,
      ),
    /** Milliseconds that late samples may be late; undefined when it does not tell. */
    async lateMs(): Promise<number | undefined> {
      const text = await call(`${url}/api/v1/status/config`).catch(() => '');
      if (!text.includes('yaml')) return undefined;
      return Number(/outofordertimewindow: (\d+)/.exec(text)?.[1] ?? 0);
    },
  };
}
