import { HttpError, InfluxDB } from '@influxdata/influxdb-client';
import { BucketsAPI, DeleteAPI, OrgsAPI, type Bucket } from '@influxdata/influxdb-client-apis';
import { problems } from '../points/errors.ts';
import { failureOf } from '../points/failures.ts';

const TOKEN = 'set series.token to one that may read organisations, and read, write and make buckets';
const HELP = { 401: TOKEN, 403: TOKEN, 404: 'set series.org to an organisation that the token may see' };
const [HOUR_S, DAY_S] = [3600, 86_400];
const statusOf = (error: unknown): number | undefined => (error instanceof HttpError ? error.statusCode : undefined);

/** Less than an hour is answered with 500; shards as the server itself would choose them for a new bucket. 0: kept for ever. */
function ruleOf(seconds?: number) {
  const everySeconds = seconds === undefined ? 0 : Math.max(HOUR_S, Math.ceil(seconds));
  const [long, short] = [everySeconds === 0 || everySeconds >= 180 * DAY_S, everySeconds < 2 * DAY_S];
  return { everySeconds, shardGroupDurationSeconds: long ? 7 * DAY_S : short ? HOUR_S : DAY_S };
}

/** What is asked of an InfluxDB 2. Failures name its address. */
export type Server = ReturnType<typeof connect>;

/** Gives a server by its address; nothing is sent before the first call. */
export function connect(place: { url: string; org: string; token: string; timeoutSeconds: number }) {
  const { org } = place;
  const influx = new InfluxDB({ ...place, timeout: place.timeoutSeconds * 1000 });
  const [buckets, name] = [new BucketsAPI(influx), `InfluxDB at ${new URL(place.url).host}`];
  const ask = <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw failureOf(name, error, statusOf(error), HELP);
    });
  const find = (orgID: string, bucket: string): Promise<Bucket | undefined> =>
    buckets.getBuckets({ orgID, name: bucket }).then(
      (found) => found.buckets?.[0],
      (error) => (statusOf(error) === 404 ? undefined : Promise.reject(error)),
    );
  return {
    /** The organisation's id, when this is an InfluxDB 2 that takes the token. */
    check: () =>
      ask(async (): Promise<string> => {
        let version = 'none';
        await influx.transport.request('/ping', '', { method: 'GET' }, (headers) => {
          version = String(headers['x-influxdb-version'] ?? version);
        });
        if (!/^v?2\./.test(version))
          throw problems.otherVersion(`${name} tells the version ${version}: series.url must name an InfluxDB 2.`);
        const [found] = (await new OrgsAPI(influx).getOrgs({ org })).orgs ?? [];
        if (found?.id === undefined) throw problems.refused(`${name} shows no organisation ${org}: ${HELP[404]}.`);
        return found.id;
      }),
    /** Sends line protocol in milliseconds. Gives how many points are past the retention: the server keeps the others. */
    write: (bucket: string, lines: readonly string[]) =>
      ask(async (): Promise<number> => {
        const path = `/api/v2/write?org=${encodeURIComponent(org)}&bucket=${encodeURIComponent(bucket)}&precision=ms`;
        const options = { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' } };
        try {
          if (lines.length > 0) await influx.transport.request(path, lines.join('\n'), options);
          return 0;
        } catch (error) {
          const dropped = statusOf(error) === 422 ? /dropped=(\d+)/.exec((error as Error).message) : null;
          if (dropped === null) throw error;
          return Number(dropped[1]);
        }
      }),
    /** Columns of each row, as text and in the order asked for. */
    rows: (flux: string, columns: readonly string[]) =>
      ask(() =>
        influx.getQueryApi(org).collectRows(flux, (values, { columns: there }) => {
          // A query that fails half-way says so among its rows.
          if (there.some(({ label }) => label === 'error')) throw new HttpError(500, values.join(' '));
          const cell = (name: string) => there.find(({ label }) => label === name);
          return columns.map((name) => values[cell(name)?.index ?? -1] || (cell(name)?.defaultValue ?? ''));
        }),
      ),
    remove: (bucket: string, predicate: string) =>
      ask(() => {
        const body = { start: '1970-01-01T00:00:00Z', stop: '2262-01-01T00:00:00Z', predicate };
        return new DeleteAPI(influx).postDelete({ org, bucket, body });
      }),
    /** Makes a bucket that keeps everything where there is none, and changes what it keeps when seconds are given. */
    bucket: (orgID: string, bucket: string, seconds?: number) =>
      ask(async () => {
        const rule = ruleOf(seconds);
        const body = { orgID, name: bucket, retentionRules: [rule] };
        let there = await find(orgID, bucket);
        // Another hub may make it in this moment.
        there ??= await buckets.postBuckets({ body }).catch(() => find(orgID, bucket));
        there ??= await buckets.postBuckets({ body });
        if (seconds !== undefined && there.retentionRules[0]?.everySeconds !== rule.everySeconds)
          there = await buckets.patchBucketsID({ bucketID: there.id ?? '', body });
        return { id: there.id ?? '', seconds: there.retentionRules[0]?.everySeconds ?? 0 };
      }),
    /** Bytes on disk of buckets, by their ids; of what is in the write-ahead log alone, those that it takes in memory. */
    bytes: (ids: readonly string[]) =>
      ask(async () => {
        const sizes = String(await influx.transport.request('/metrics', '', { method: 'GET' })).matchAll(
          /^storage_(?:shard_disk_size|cache_inuse_bytes)\{bucket="(\w+)".*\} (\S+)$/gm,
        );
        return [...sizes].reduce((sum, [, id = '', size]) => sum + (ids.includes(id) ? Number(size) : 0), 0);
      }),
  };
}
