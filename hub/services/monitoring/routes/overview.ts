import type { Clock } from '#sdk';
import { Type } from 'typebox';
import { principalOf, type ServiceApp } from '../../../http.ts';
import type { Live } from '../live.ts';
import type { MonitoringStore } from '../store.ts';
import { headlineOf, strainOf, verdictOf } from '../verdict.ts';
import { HeadlineReply, Labels } from './schemas.ts';

/** Hosts that an overview lists at most; more are found by searching. */
const HOSTS = 1000;

const HostRow = Type.Object({
  id: Type.String(),
  name: Type.String(),
  type: Type.String(),
  labels: Labels,
  connected: Type.Boolean(),
  lastSeenMs: Type.Union([Type.Integer(), Type.Null()]),
  state: Type.Enum(['healthy', 'strained', 'alerting', 'silent', 'new']),
  verdict: Type.String({ description: 'One sentence.' }),
  headline: HeadlineReply,
});

/** What the overview stands on. `firingTitles` gives what fires now by resource, worst first. */
export interface OverviewGiven {
  store: MonitoringStore;
  live: Live;
  clock: Clock;
  firingTitles(org: string): Promise<ReadonlyMap<string, readonly string[]>>;
}

/** All hosts with a one-line verdict. */
export function overviewRoutes(app: ServiceApp, { store, live, clock, firingTitles }: OverviewGiven): void {
  const startedMs = clock.monotonic();
  app.get(
    '/api/v1/monitoring/overview',
    {
      config: { role: 'viewer' },
      schema: {
        tags: ['resources'],
        summary: 'Every host with a one-line verdict.',
        response: { 200: Type.Object({ nowMs: Type.Integer(), total: Type.Integer(), hosts: Type.Array(HostRow) }) },
      },
    },
    async (request) => {
      const { org } = principalOf(request);
      const [{ items, total }, firing] = await Promise.all([
        store.list(org, { limit: HOSTS, offset: 0 }),
        firingTitles(org),
      ]);
      const nowMs = clock.now();
      const hosts = items.map(({ id, name, type, labels, connected, lastSeenMs }) => {
        const current = live.get(org, id);
        const seenMs = current === undefined ? lastSeenMs : Math.max(current.arrivedMs, lastSeenMs ?? 0);
        const headline = headlineOf(current);
        const { state, sentence } = verdictOf(
          {
            strain: strainOf(current),
            lastSeenMs: seenMs,
            alerts: firing.get(id) ?? [],
            unheardMs: current === undefined ? clock.monotonic() - startedMs : undefined,
          },
          nowMs,
        );
        return { id, name, type, labels, connected, lastSeenMs: seenMs, state, verdict: sentence, headline };
      });
      return { nowMs, total, hosts };
    },
  );
}
