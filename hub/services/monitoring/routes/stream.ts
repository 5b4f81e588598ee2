import { metricInfo } from '#proto/metrics.ts';
import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Alerts } from '../alerts/index.ts';
import { eventsReply, openEventStream, type EventStream } from '../../../event-stream.ts';
import type { Live, LiveChange, LiveResource, LiveSeries } from '../live.ts';
import { headlineOf, type Headline } from '../verdict.ts';

const EACH_MS = 1000;

/** What the live stream stands on. */
export interface StreamRoutesGiven {
  live: Live;
  alerts: Alerts;
  clock: Clock;
}

interface Wish {
  org: string;
  resources: ReadonlySet<string>;
  names: ReadonlySet<string>;
  hosts: boolean;
}

/** Four digits are more than any chart shows and half of what JSON would write. */
const rounded = (value: number): number => Number(value.toPrecision(5));

function seriesEvent({ resource, series }: LiveResource, names: ReadonlySet<string>) {
  const wanted = series.filter(({ name }) => names.size === 0 || names.has(name));
  return {
    resource,
    series: wanted.map(({ index, name, kind, attributes }) => ({
      index,
      name,
      kind,
      attributes,
      unit: metricInfo(name)?.unit ?? '',
    })),
  };
}

function sampleEvent(of: LiveResource, timeMs: number, changed: readonly LiveSeries[], names: ReadonlySet<string>) {
  const wanted = changed.filter(({ name, value }) => (names.size === 0 || names.has(name)) && Number.isFinite(value));
  return { resource: of.resource, timeMs, values: wanted.map(({ index, value }) => [index, rounded(value)]) };
}

/** What is newest of a resource, each series under its own time: a disk that left an hour ago is an hour old. */
function newestEvents(of: LiveResource, names: ReadonlySet<string>) {
  const byTime = new Map<number, LiveSeries[]>();
  for (const series of of.series) byTime.set(series.timeMs, [...(byTime.get(series.timeMs) ?? []), series]);
  return [...byTime].sort(([a], [b]) => a - b).map(([timeMs, series]) => sampleEvent(of, timeMs, series, names));
}

function readWish(
  org: string,
  query: { resource?: string | string[]; name?: string | string[]; hosts?: boolean },
): Wish {
  const set = (value: string | string[] | undefined): Set<string> =>
    new Set(
      (typeof value === 'string' ? [value] : (value ?? []))
        .flatMap((part) => part.split(','))
        .filter((part) => part !== ''),
    );
  return { org, resources: set(query.resource), names: set(query.name), hosts: query.hosts ?? false };
}

/** Gathers headline numbers of hosts that changed and sends them once a second. */
function hostsSender(stream: EventStream, clock: Clock): { note(change: LiveChange): void; stop(): void } {
  const waiting = new Map<string, { of: LiveResource; timeMs: number }>();
  const stop = clock.every(EACH_MS, () => {
    if (waiting.size === 0) return;
    const hosts: ({ resource: string; timeMs: number } & Headline)[] = [...waiting.values()].map(({ of, timeMs }) => ({
      resource: of.resource,
      timeMs,
      ...headlineOf(of),
    }));
    if (stream.send('hosts', { nowMs: clock.now(), hosts })) waiting.clear();
  });
  return { note: ({ of, timeMs }) => void waiting.set(of.resource, { of, timeMs }), stop };
}

/** Live values as server-sent events: `series` names them, `sample` brings them, `hosts` and `alert` are for overviews. */
export function streamRoutes(app: ServiceApp, { live, alerts, clock }: StreamRoutesGiven): void {
  const Repeated = Type.Optional(
    Type.Union([Type.Array(Type.String({ maxLength: 200 }), { maxItems: 100 }), Type.String({ maxLength: 8000 })]),
  );
  app.get(
    '/api/v1/monitoring/stream',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['metrics'],
        summary: 'Live values as server-sent events: series, sample, hosts, alert, clock.',
        description:
          'Events: `series` {resource, series: [{index, name, kind, attributes, unit}]} names what a resource has, and comes again when it grows. ' +
          '`sample` {resource, timeMs, values: [[index, value]]} brings what is new; counters are rates per second. `hosts` {nowMs, hosts: [{resource, ' +
          'timeMs, cpu, memory, disk, fullest, load, receive, transmit}]} comes once a second with `hosts=true`. `alert` {firing, state, severity, ' +
          'resource, title, atMs} tells of each change. `clock` {nowMs} begins the stream. Comments (`: beat`) come every 15 s.',
        querystring: Type.Object({
          resource: Repeated,
          name: Repeated,
          hosts: Type.Optional(Type.Boolean({ description: 'Also headline numbers of all hosts, each second.' })),
        }),
        response: { 200: eventsReply('The stream; it has no end of its own.') },
      },
    },
    async (request, reply) => {
      const wish = readWish(principalOf(request).org, request.query);
      const ends: (() => void)[] = [];
      const stream = openEventStream(clock, () => ends.splice(0).forEach((end) => end()));
      const hosts = hostsSender(stream, clock);
      ends.push(hosts.stop);
      // A reader that was too slow for a series event must get it before it can read samples again.
      const behind = new Set<string>();
      for (const resource of wish.resources) {
        const of = live.get(wish.org, resource);
        if (of === undefined) continue;
        stream.send('series', seriesEvent(of, wish.names));
        for (const event of newestEvents(of, wish.names)) stream.send('sample', event);
      }
      stream.send('clock', { nowMs: clock.now() });
      ends.push(
        live.listen((change) => {
          if (change.of.org !== wish.org) return;
          if (wish.hosts) hosts.note(change);
          const { resource } = change.of;
          if (!wish.resources.has(resource)) return;
          if (change.grown || behind.has(resource)) {
            if (stream.send('series', seriesEvent(change.of, wish.names))) behind.delete(resource);
            else behind.add(resource);
          }
          if (!behind.has(resource))
            stream.send('sample', sampleEvent(change.of, change.timeMs, change.changed, wish.names));
        }),
        alerts.onChange((news) => {
          if (news.org === wish.org) stream.send('alert', news);
        }),
      );
      return reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store').send(stream.body);
    },
  );
}
