import { randomUUID } from 'node:crypto';
import { createManualClock } from '#kit/manual-clock.ts';
import { startRelational, type StartedRelational } from '#kit/relational.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  alertNews,
  alertOver,
  mailTo,
  startNotifications,
  until,
  type StartedNotifications,
} from '../../../test/kit/notifications.ts';
import { startMailServer, startWebReceiver, type MailServerOptions } from '../../../test/kit/receivers.ts';
import type { Delivery } from './delivery-store.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

let database: StartedRelational;
let hub: StartedNotifications;
let org: string;
const ends: (() => Promise<void>)[] = [];

const startHub = (clock = createManualClock(), config: Record<string, unknown> = {}): Promise<StartedNotifications> =>
  startNotifications({ relational: database.relational, org, clock, config });

beforeAll(async () => {
  database = await startRelational();
});
afterAll(() => database.stop());
beforeEach(async () => {
  org = randomUUID();
  hub = await startHub();
});
afterEach(async () => {
  // Receivers first: a hub that stops waits for those that hang.
  for (const end of ends.splice(0)) await end();
  await hub.stop();
});

async function mailServer(options: MailServerOptions = {}) {
  const server = await startMailServer(options);
  ends.push(server.stop);
  return server;
}

describe('who is told', () => {
  test('a channel that a rule names although it does not exist is told loudly', async () => {
    const { mails, port } = await mailServer();
    const { name } = await hub.addMail(port);
    const alert = alertNews({ channels: [name, 'Pager'] });
    await hub.tell(alert);
    await hub.settle(['sent', 'failed']);
    expect((await hub.history('&status=failed'))[0]).toMatchObject({ channel: null, channelName: 'Pager' });
    await hub.tell(alertOver(alert));
    await hub.pass(MINUTE);
    await until(() => expect(mails).toHaveLength(2));
    await hub.settle(['sent', 'failed', 'sent']);
  });

  test('a renamed channel is reached by the name that rules know', async () => {
    const { mails, port } = await mailServer();
    const { id } = await hub.addMail(port, { name: 'ops' });
    await hub.call('PUT', `/channels/${id}`, { name: 'operations', settings: mailTo(port) });
    await hub.tell(alertNews({ channels: ['Ops'] }));
    await hub.settle(['sent']);
    expect((await hub.history())[0]?.channelName).toBe('operations');
    expect(mails).toHaveLength(1);
  });

  test('the end goes to nobody who did not hear of the beginning', async () => {
    let refusal: { code: number; words: string } | undefined = { code: 550, words: 'no' };
    const { mails, port, tries } = await mailServer({ refuse: () => refusal });
    await hub.addMail(port);
    const [first, second] = [alertNews(), alertNews({ resource: 'web-2-id' })];
    await hub.tell(first);
    await hub.settle(['failed']);
    await hub.tell(alertOver(first));
    await hub.settle(['failed', 'skipped']);
    refusal = { code: 451, words: 'later' };
    await hub.tell(second);
    await until(() => expect(tries()).toBe(2));
    await hub.settle(['failed', 'skipped', 'queued']);
    await hub.tell(alertOver(second));
    refusal = undefined;
    await hub.pass(MINUTE);
    await until(() => expect(mails).toHaveLength(1));
    // It began and ended while the server took nothing: one mail says so.
    expect(mails[0]?.subject).toContain('[resolved]');
    await hub.pass(5 * MINUTE);
    expect(mails).toHaveLength(1);
  });

  test('the end is not sent when the beginning, tried meanwhile, was refused for good', async () => {
    let status = 503;
    const { url, posts, stop } = await startWebReceiver(() => ({ status }));
    ends.push(stop);
    await hub.add('webhook', { url });
    const alert = alertNews();
    await hub.tell(alert);
    await until(() => expect(posts).toHaveLength(1));
    await hub.settle(['queued']);
    await hub.tell(alertOver(alert));
    status = 410;
    await hub.pass(MINUTE);
    await hub.settle(['failed', 'skipped']);
    expect((await hub.history())[0]?.reason).toBe('The channel was never told that it fires.');
    expect(posts).toHaveLength(2);
  });

  test('what waits for a channel that is switched off or removed is not sent', async () => {
    const dead = await mailServer({ refuse: () => ({ code: 451, words: 'later' }) });
    const [off, gone] = [await hub.addMail(dead.port), await hub.addMail(dead.port)];
    await hub.tell(alertNews());
    await until(() => expect(dead.tries()).toBe(2));
    await hub.settle(['queued', 'queued']);
    await hub.call('PUT', `/channels/${off.id}`, { name: off.name, settings: mailTo(dead.port), enabled: false });
    await hub.call('DELETE', `/channels/${gone.id}`);
    await hub.settle(['skipped', 'skipped']);
    expect((await hub.history()).map(({ reason }) => reason).sort()).toEqual([
      'The channel is switched off.',
      'The channel was removed.',
    ]);
    expect(dead.tries()).toBe(2);
  });
});

describe('the history', () => {
  test('is paged, newest first, and is asked by channel, status and alert', async () => {
    const { port } = await mailServer();
    const { id } = await hub.addMail(port);
    const alerts = [0, 1, 2].map((n) => alertNews({ title: `Alert ${n}`, resource: `host ${n}` }));
    for (const alert of alerts) await hub.tell(alert);
    await hub.settle(['sent', 'sent', 'sent']);
    const page = await hub.call<{ items: Delivery[] }>('GET', '/deliveries?limit=2&offset=1');
    expect(page).toMatchObject({ total: 3, limit: 2, offset: 1 });
    expect(page.items.map(({ title }) => title)).toEqual(['Alert 1', 'Alert 0']);
    expect(await hub.history(`&firing=${alerts[1]?.firing}`)).toMatchObject([{ title: 'Alert 1', channel: id }]);
    expect(await hub.history(`&resource=${encodeURIComponent('host 2')}`)).toMatchObject([{ title: 'Alert 2' }]);
    expect(await hub.history('&status=failed')).toEqual([]);
    expect(await hub.history(`&channel=${randomUUID()}`)).toEqual([]);
  });

  test('is forgotten after its days, but not what was told of an alert that still fires', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    const [short, long] = [alertNews(), alertNews({ resource: 'web-2-id' })];
    await hub.tell(short);
    await hub.tell(long);
    await hub.settle(['sent', 'sent']);
    await hub.pass(MINUTE);
    await hub.tell(alertOver(short));
    await hub.settle(['sent', 'sent', 'sent']);
    const later = createManualClock(hub.clock.now() + 91 * DAY);
    await hub.stop();
    hub = await startHub(later);
    await hub.runScheduled('forget-old');
    expect((await hub.history()).map(({ firing }) => firing)).toEqual([long.firing]);
    await hub.tell(alertOver(long));
    await until(() => expect(mails).toHaveLength(4));
  });

  test('of a host that was removed goes with it, after its last alerts were told to be over', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    const [alert, kept] = [alertNews(), alertNews({ resource: 'web-2-id' })];
    await hub.tell(alert);
    await hub.tell(kept);
    await hub.settle(['sent', 'sent']);
    await hub.bus.publish(SUBJECTS.resourceDeleted, org, { resource: alert.resource });
    await hub.tell(alertOver(alert));
    await hub.pass(MINUTE);
    await until(() => expect(mails).toHaveLength(3));
    await hub.settle(['sent', 'sent', 'sent']);
    await hub.clock.advance(2 * HOUR);
    await hub.runScheduled('forget-old');
    expect((await hub.history()).map(({ firing }) => firing)).toEqual([kept.firing]);
  });
});
