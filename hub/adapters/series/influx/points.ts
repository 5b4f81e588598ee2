import { identityPatterns } from '../points/identity.ts';
import { fieldsFrom, linesFrom, rowsFrom, STATISTICS } from '../points/statistics.ts';
import type { Owner, PointServer, RowsQuery } from '../points/tiered-store.ts';
import { RESOLUTIONS, type Resolution } from '../points/tiers.ts';
import type { Server } from './server.ts';

const DAY_S = 86_400;
const LATEST_MS = 9.2e12; // The server's times end in 2262.

/** Percent-encoded, a text means nothing to line protocol, Flux or a delete. */
const safe = encodeURIComponent;
const tagsOf = ({ org, resource }: Owner): string => `${safe(org)},r=${safe(resource)}`;
const ownedBy = ({ org, resource }: Owner): string => `r._measurement == "${safe(org)}" and r.r == "${safe(resource)}"`;

/** The start of a Flux query, times in milliseconds. */
function rangeOf(bucket: string, from: number, to = LATEST_MS): string {
  const [start, stop] = [from, to].map((ms) => new Date(Math.min(Math.max(0, ms), LATEST_MS)).toISOString());
  return `from(bucket: ${JSON.stringify(bucket)}) |> range(start: ${start}, stop: ${stop})`;
}

/** The query for rows: samples, or statistics of a coarser tier added up to steps. Only plain windows are worked out where the data lie. */
function rowsFlux(bucket: string, isRaw: boolean, owner: Owner, { from, to, step, only }: RowsQuery): string {
  const patterns = only === undefined ? [] : identityPatterns(only.names, only.where);
  const fields = patterns.map((pattern) => ` and r._field =~ /${pattern}/`).join('');
  const source = `${rangeOf(bucket, from, to)} |> filter(fn: (r) => ${ownedBy(owner)}${fields}`;
  const keep = '|> keep(columns: ["_field", "_time", "_value"])';
  if (isRaw) return `${source}) ${keep}`;
  const yields = Object.entries(STATISTICS).map(([name, fn]) => {
    const sum = `aggregateWindow(every: ${step}ms, fn: ${fn}, createEmpty: false, timeSrc: "_start")`;
    return `${source} and r.s == "${name}") |> ${sum} ${keep} |> yield(name: "${name}")`;
  });
  return yields.join('\n');
}

/** Points in buckets, one a tier and one of notes. A block is a line: org as measurement, resource as tag, series as fields. So a host is one series of the server. */
export function createPoints(server: Server, prefix: string, now: () => number): PointServer {
  const [raw, , , hours] = RESOLUTIONS;
  const made = new Map<string, { id: string; seconds: number }>();
  const bucketOf = ({ bucketMs }: Resolution): string => `${prefix}_${bucketMs === 0 ? 'raw' : `${bucketMs / 1000}s`}`;
  const notes = `${prefix}_notes`;
  const beginsMs: PointServer['beginsMs'] = (tier) => {
    const seconds = made.get(bucketOf(tier))?.seconds ?? 0;
    return seconds === 0 ? 0 : now() - seconds * 1000;
  };
  const keep = async (retention?: Parameters<PointServer['keep']>[0]): Promise<void> => {
    const org = await server.check();
    const all = [...RESOLUTIONS.map((tier) => [tier, bucketOf(tier)] as const), [hours, notes] as const];
    for (const [tier, bucket] of all)
      made.set(bucket, await server.bucket(org, bucket, retention && tier.days(retention) * DAY_S));
  };
  return {
    beginsMs,
    keep,
    open: () => keep(),
    check: async () => void (await server.check()),
    bytes: () => server.bytes([...made.values()].map(({ id }) => id)),
    readRows: async (tier, owner, query) => {
      const flux = rowsFlux(bucketOf(tier), tier === raw, owner, query);
      return rowsFrom(await server.rows(flux, ['result', '_field', '_time', '_value']), query.step);
    },
    async writeRows(tier, owner, rows) {
      const lines = linesFrom(rows);
      const texts = lines.map(({ statistic, timeMs, fields }) => `${tagsOf(owner)},s=${statistic} ${fields} ${timeMs}`);
      await server.write(bucketOf(tier), texts);
    },
    writeSamples: (writes) =>
      server.write(
        bucketOf(raw),
        writes.flatMap(({ blocks, columns, ...owner }) =>
          blocks.flatMap(({ table, timeMs, values }) => {
            const fields = fieldsFrom(columns.get(table), values);
            const fits = fields !== '' && timeMs >= 0 && timeMs < LATEST_MS;
            return fits ? [`${tagsOf(owner)} ${fields} ${Math.trunc(timeMs)}`] : [];
          }),
        ),
      ),
    async writeNotes(given) {
      const lines = given.map(
        ({ kind, org, about, part, timeMs, value }) =>
          `${kind},o=${tagsOf({ org, resource: about })},p=${part} value=${value} ${timeMs}`,
      );
      await server.write(notes, lines);
    },
    async readNotes({ kind, since, of, largest }) {
      const own = of === undefined ? '' : ` and r.o == "${safe(of.org)}" and r.r == "${safe(of.about)}"`;
      const filter = `filter(fn: (r) => r._measurement == "${kind}"${own})`;
      const flux = `${rangeOf(notes, since)} |> ${filter}${largest === true ? ' |> max()' : ''}`;
      const rows = await server.rows(flux, ['o', 'r', 'p', '_time', '_value']);
      return rows.map((cells) => {
        const [org = '', about = '', part = '', time = '', value] = cells.map(decodeURIComponent);
        return { kind, org, about, part, timeMs: Date.parse(time), value: Number(value) };
      });
    },
    async lastSeen(tier, owner) {
      const filter = `filter(fn: (r) => ${ownedBy(owner)}${tier === raw ? '' : ' and r.s == "n"'})`;
      const flux = `${rangeOf(bucketOf(tier), beginsMs(tier))} |> ${filter} |> last()`;
      return (await server.rows(flux, ['_field', '_time'])).map(([text = '', time = '']) => [text, Date.parse(time)]);
    },
    async remove({ org, resource }) {
      const own = `="${safe(org)}" AND r="${safe(resource)}"`;
      for (const tier of RESOLUTIONS) await server.remove(bucketOf(tier), `_measurement${own}`);
      await server.remove(notes, `_measurement="mark" AND o${own}`);
    },
    async count(tier, from, to) {
      const source = `${rangeOf(bucketOf(tier), from, to)}${tier === raw ? '' : ' |> filter(fn: (r) => r.s == "n")'}`;
      const sum = `${source} |> ${tier === raw ? 'count()' : 'sum()'} |> group() |> sum() |> yield(name: "n")`;
      const first = `${source} |> first() |> group() |> sort(columns: ["_time"]) |> limit(n: 1) |> yield(name: "first")`;
      const rows = await server.rows(`${sum}\n${first}`, ['result', '_value', '_time']);
      const time = rows.find(([result]) => result === 'first')?.[2];
      const samples = Number(rows.find(([result]) => result === 'n')?.[1] ?? 0);
      return { samples, oldestMs: time === undefined ? undefined : Date.parse(time) };
    },
  };
}
