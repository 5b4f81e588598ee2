import { randomUUID } from 'node:crypto';
import { SUBJECTS, type AlertChanged } from '#proto/subjects.ts';
import { vi } from 'vitest';
import { createEgress } from '../../hub/egress.ts';
import type { Principal } from '../../hub/principal.ts';
import type { Relational } from '../../hub/ports/relational.ts';
import type { PeerRequest } from '../../hub/ports/peers.ts';
import type { ServiceDefinition } from '../../hub/service.ts';
import type { Delivery } from '../../hub/services/notifications/delivery-store.ts';
import { notifications } from '../../hub/services/notifications/index.ts';
import { createManualClock, type ManualClock } from './manual-clock.ts';
import { startWeb, type StartedWeb } from './web.ts';

const API = '/api/v1/notifications';
/** Shorter than a channel's time, so that nothing is given up only because a test moves the clock. */
const STEP_MS = 26_000;
/** How often the service looks. */
const LOOK_MS = 2000;

/** Notifications alone, as an administrator of one org sees them, on a clock that a test moves. */
export interface StartedNotifications extends StartedWeb {
  org: string;
  call<T>(method: PeerRequest['method'], path: string, body?: unknown, of?: string): Promise<T>;
  /** Makes a channel with a name of its own. */
  add(
    kind: string,
    settings: unknown,
    more?: Record<string, unknown>,
    of?: string,
  ): Promise<{ id: string; name: string }>;
  addMail(port: number, more?: Record<string, unknown>, of?: string): Promise<{ id: string; name: string }>;
  /** Publishes news as monitoring does. */
  tell(news: AlertChanged, of?: string): Promise<void>;
  /** Newest first. */
  history(query?: string, of?: string): Promise<Delivery[]>;
  /** Oldest first. */
  statuses(): Promise<string[]>;
  /** Waits until statuses, oldest first, are these. */
  settle(statuses: readonly string[]): Promise<void>;
  /** Moves the clock that far and two seconds more, in which the service looks again; what falls due is finished before time goes on. */
  pass(ms: number): Promise<void>;
}

/** Waits for a condition as long as a real server may need. */
export const until = (holds: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(holds, { timeout: 10_000, interval: 10 });

/** Settings of a mail channel to a server of a test. */
export const mailTo = (port: number): Record<string, unknown> => ({
  host: '127.0.0.1',
  port,
  tls: 'none',
  from: 'Outrider <outrider@example.org>',
  to: ['ops@example.org'],
});

/** News of an alert that fires. */
export const alertNews = (more: Partial<AlertChanged> = {}): AlertChanged => ({
  firing: randomUUID(),
  rule: randomUUID(),
  ruleName: 'Disk nearly full',
  state: 'firing',
  severity: 'warning',
  resource: 'web-1-id',
  resourceName: 'web-1',
  metric: 'system.filesystem.utilization',
  attributes: { 'system.filesystem.mountpoint': '/data' },
  value: 0.96,
  threshold: 0.95,
  operator: 'gte',
  unit: '1',
  startedMs: 1_750_000_000_000,
  atMs: 1_750_000_060_000,
  title: 'Disk /data on web-1 is 96 % full',
  text: 'Value 96 %, threshold 95 %.',
  channels: [],
  ...more,
});

/** The end of an alert. */
export const alertOver = (of: AlertChanged): AlertChanged => ({
  ...of,
  state: 'resolved',
  title: 'Disk /data on web-1 is back',
});

/** Starts notifications; webhooks may go to loopback. */
export async function startNotifications(given: {
  relational: Relational;
  org: string;
  clock?: ManualClock;
  config?: Record<string, unknown>;
}): Promise<StartedNotifications> {
  const { relational, org, config } = given;
  const web = await startWeb({
    services: [{ definition: notifications as unknown as ServiceDefinition, prefixes: [API], config }],
    ports: { relational },
    egress: createEgress({ allow: ['127.0.0.1/32'] }),
    clock: given.clock ?? createManualClock(),
  });
  const as = (of: string): Principal => ({ org: of, user: randomUUID(), name: 'ada', role: 'admin', via: 'session' });
  const call: StartedNotifications['call'] = (method, path, body, of = org) => {
    const [url = '', query] = path.split('?');
    const text = body === undefined ? undefined : JSON.stringify(body);
    return web.peers.json('notifications', { method, path: `${API}${url}`, query, body: text, principal: as(of) });
  };
  const add: StartedNotifications['add'] = (kind, settings, more = {}, of = org) =>
    call('POST', '/channels', { kind, name: `${kind} ${randomUUID()}`, settings, ...more }, of);
  const history: StartedNotifications['history'] = async (query = '', of = org) =>
    (await call<{ items: Delivery[] }>('GET', `/deliveries?limit=1000${query}`, undefined, of)).items;
  const statuses = async () => (await history()).map(({ status }) => status).reverse();
  const quiet = async (): Promise<void> => {
    const due = (await history()).filter(
      ({ status, nextMs }) => status === 'sending' || (nextMs ?? Infinity) <= web.clock.now() - LOOK_MS,
    );
    if (due.length > 0) throw new Error(`${due.length} are due`);
  };
  return {
    ...web,
    org,
    call,
    add,
    addMail: (port, more, of) => add('mail', mailTo(port), more, of),
    tell: (news, of = org) => web.bus.publish(SUBJECTS.alertChanged, of, news),
    history,
    statuses,
    settle: (wanted) =>
      until(async () => {
        const found = await statuses();
        if (found.join() !== wanted.join()) throw new Error(`statuses are ${found.join()}, not ${wanted.join()}`);
      }),
    async pass(ms) {
      for (let left = ms + LOOK_MS; left > 0; left -= STEP_MS) {
        await until(quiet);
        await web.clock.advance(Math.min(left, STEP_MS));
      }
      await until(quiet);
    },
  };
}
