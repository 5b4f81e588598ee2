import { problems } from '../points/errors.ts';
import { failureOf } from '../points/failures.ts';
import { createCalls, StatusError, type Calls } from './calls.ts';
import type { PrometheusConfig } from './config.ts';
import { factsFrom, type ServerFacts } from './facts.ts';
import { writeBody, type WriteLine } from './remote-write.ts';

/** One series of an answer; times in seconds. */
export interface Found {
  metric: Readonly<Record<string, string>>;
  value?: [time: number, value: string];
  values?: [time: number, value: string][];
}

const CREDENTIALS = 'set series.bearerToken, or series.username and series.password';
const READ_HELP = { 401: CREDENTIALS, 403: CREDENTIALS, 404: 'set series.url to where its query API begins' };
const WRITE_HELP = {
  401: CREDENTIALS,
  403: CREDENTIALS,
  404: 'start Prometheus with --web.enable-remote-write-receiver, or set series.writeUrl',
  405: 'set series.writeUrl to where it takes remote writes',
};
const DELETE_HELP = 'start Prometheus with --web.enable-admin-api; other stores forget by their own retention alone';
/** Samples of a request: some four megabytes before compression. */
const REQUEST_SAMPLES = 20_000;
const BAD_SAMPLE = /out of order|out of bounds|too old|duplicate sample|too far in|label (?:name|value)/i;
const WRITE_HEADERS = {
  'content-type': 'application/x-protobuf',
  'content-encoding': 'snappy',
  'x-prometheus-remote-write-version': '0.1.0',
};

const nameOf = (url: string): string => `The series store at ${new URL(url).host}`;
const statusOf = (error: unknown): number | undefined => (error instanceof StatusError ? error.status : undefined);

function failure(name: string, error: unknown, help: Readonly<Record<number, string>>): unknown {
  const status = statusOf(error);
  // A store whose disk is full may say so as if the samples were to blame.
  const isFull = status === 400 && /read-?only/i.test((error as Error).message);
  return failureOf(name, error, isFull ? 503 : status, help);
}

function createQueries(call: Calls['call'], url: string) {
  const name = nameOf(url);
  return async (path: string, form: Readonly<Record<string, string>>): Promise<Found[]> => {
    // VictoriaMetrics hides the last seconds of what it might keep in its cache.
    const body = new URLSearchParams({ ...form, nocache: '1' }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const text = await call(`${url}/api/v1/${path}`, { body, headers }).catch((error: unknown) => {
      throw failure(name, error, READ_HELP);
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
}

function createWriting(call: Calls['call'], url: string) {
  const send = async (lines: readonly WriteLine[]): Promise<void> => {
    await call(url, { body: await writeBody(lines), headers: WRITE_HEADERS });
  };
  const failed = (error: unknown): never => {
    throw failure(nameOf(url), error, WRITE_HELP);
  };
  /** One sample that the server does not take makes it refuse the whole request: it is found by halving. Gives how many were left out. */
  const sendFitting = async (lines: readonly WriteLine[]): Promise<number> => {
    try {
      await send(lines);
      return 0;
    } catch (error) {
      // Prometheus 2.42 answers 400, but 500 to one that is too old.
      if (statusOf(error) === undefined || !BAD_SAMPLE.test((error as Error).message)) failed(error);
    }
    const [first] = lines;
    if (first === undefined || (lines.length === 1 && first.times.length === 1)) return lines.length;
    const part = (from: number, to?: number): WriteLine[] => [
      { labels: first.labels, times: first.times.slice(from, to), values: first.values.slice(from, to) },
    ];
    const half = (lines.length > 1 ? lines.length : first.times.length) >> 1;
    const halves = lines.length > 1 ? [lines.slice(0, half), lines.slice(half)] : [part(0, half), part(half)];
    return (await sendFitting(halves[0] ?? [])) + (await sendFitting(halves[1] ?? []));
  };
  return {
    check: () => send([]).catch(failed),
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
  };
}

/** What is asked of a server that speaks like Prometheus. Failures name its address. */
export type Server = ReturnType<typeof connect>;

/** Gives a server by its address; nothing is sent before the first call. */
export function connect(place: PrometheusConfig) {
  const url = place.url.replace(/\/+$/, '');
  const { origin } = new URL(url);
  const { call, close } = createCalls(place);
  const ask = createQueries(call, url);
  const writing = createWriting(call, place.writeUrl === '' ? `${url}/api/v1/write` : place.writeUrl);
  const name = nameOf(url);
  const inSeconds = (ms: number): string => (ms / 1000).toFixed(3);
  return {
    name,
    close,
    /** What it tells of itself; little when its own metrics are not shown. */
    async facts(): Promise<ServerFacts> {
      const texts = await Promise.allSettled(
        [...new Set([`${url}/metrics`, `${origin}/metrics`])].map((one) => call(one)),
      );
      return factsFrom(
        texts.map((one) => (one.status === 'fulfilled' ? one.value : '')).find((text) => text !== '') ?? '',
      );
    },
    /** Values at one time, milliseconds. */
    instant: (query: string, timeMs: number) => ask('query', { query, time: inSeconds(timeMs) }),
    /** Values from a first to a last time, both inclusive, milliseconds; at most 11 000 of a series. */
    range: (query: string, from: number, to: number, step: number) =>
      ask('query_range', { query, start: inSeconds(from), end: inSeconds(to), step: inSeconds(step) }),
    /** Sends samples; gives how many the server does not take because they are too old or another value is there. */
    write: (lines: readonly WriteLine[]) => writing.write(lines),
    /** Rejects when it takes no remote writes. */
    checkWrite: () => writing.check(),
    /** Deletes series, or what of them lies before a time. */
    async remove(selector: string, before?: number): Promise<void> {
      const query = new URLSearchParams({ 'match[]': selector });
      if (before !== undefined) for (const [key, ms] of [['start', 0], ['end', before]] as const) query.set(key, inSeconds(ms)); // prettier-ignore
      await call(`${url}/api/v1/admin/tsdb/delete_series?${query}`, { body: '' }).catch((error: unknown) => {
        const isOff = [404, 405].includes(statusOf(error) ?? 0) || /admin APIs? .*disabled/i.test(String(error));
        if (isOff) throw problems.refused(`${name} deletes nothing: ${DELETE_HELP}.`, { cause: error });
        throw failure(name, error, READ_HELP);
      });
    },
    /** Makes VictoriaMetrics show what it took; false when it cannot. */
    flush: () =>
      call(`${origin}/internal/force_flush`).then(
        () => true,
        () => false,
      ),
    /** How many milliseconds late a sample may be; undefined when it does not tell. */
    async lateMs(): Promise<number | undefined> {
      const text = await call(`${url}/api/v1/status/config`).catch(() => '');
      return text.includes('yaml') ? Number(/outofordertimewindow: (\d+)/.exec(text)?.[1] ?? 0) : undefined;
    },
  };
}
