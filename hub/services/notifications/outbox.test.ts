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
import { verify } from '../../../plugins/channels/webhook/signature.ts';
import { createStore } from './store.ts';
import type { NotificationTables } from './tables.ts';

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];

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

describe('an alert reaches a person', () => {
  test('by mail and by a signed post, when it fires and when it is over', async () => {
    const { mails, port } = await mailServer();
    const { posts, url, stop } = await startWebReceiver();
    ends.push(stop);
    await hub.addMail(port);
    await hub.add('webhook', { url, secret: 'between us' });
    const alert = alertNews();
    await hub.tell(alert);
    await hub.settle(['sent', 'sent']);
    await hub.tell(alertOver(alert));
    await until(() => expect(posts).toHaveLength(2));
    await hub.pass(MINUTE);
    await hub.settle(['sent', 'sent', 'sent', 'sent']);
    expect(mails.map(({ subject }) => subject)).toEqual([
      '[warning] Disk /data on web-1 is 96 % full',
      '[resolved] Disk /data on web-1 is back',
    ]);
    expect(mails[0]?.text).toContain('Value 96 %, threshold 95 %.');
    expect(mails[1]?.references).toEqual(mails[0]?.references);
    for (const { headers, body } of posts) {
      const given = { secret: 'between us', body, nowMs: hub.clock.now(), toleranceMs: 2 * MINUTE };
      expect(verify(String(headers['x-outrider-signature']), given)).toBe(true);
    }
    expect(posts.map(({ body }) => JSON.parse(body) as unknown)).toMatchObject([
      { state: 'firing', threads: [alert.firing], url: `http://127.0.0.1:8080/alerts?open=${alert.firing}` },
      { state: 'resolved', threads: [alert.firing] },
    ]);
  });

  test('one mail a host and minute: the first at once, what comes meanwhile together', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    await hub.tell(alertNews());
    await hub.settle(['sent']);
    for (let n = 0; n < 4; n++)
      await hub.tell(alertNews({ title: `Alert ${n}`, severity: n === 2 ? 'critical' : 'info' }));
    await hub.tell(alertNews({ resource: 'web-2-id', resourceName: 'web-2', title: 'Another host' }));
    await until(() => expect(mails).toHaveLength(2));
    expect(mails[1]?.subject).toContain('Another host');
    await hub.pass(MINUTE - 5 * SECOND);
    expect(mails).toHaveLength(2);
    await hub.pass(5 * SECOND);
    await until(() => expect(mails).toHaveLength(3));
    expect(mails[2]?.subject).toBe('[critical] 4 alerts on web-1: 4 firing');
    for (let n = 0; n < 4; n++) expect(mails[2]?.text).toContain(`Alert ${n}`);
    await hub.settle(['sent', 'sent', 'sent', 'sent', 'sent', 'sent']);
    const together = (await hub.history()).filter(({ title }) => title.startsWith('Alert'));
    expect(new Set(together.map(({ message }) => message)).size).toBe(1);
  });

  test('what comes while the first mail is on its way waits for its minute too', async () => {
    let open: () => void = () => undefined;
    const { mails, port, tries } = await mailServer({ gate: new Promise((resolve) => (open = resolve)) });
    await hub.addMail(port);
    await hub.tell(alertNews());
    await until(() => expect(tries()).toBe(1));
    for (let n = 0; n < 3; n++) await hub.tell(alertNews({ title: `Alert ${n}` }));
    open();
    await hub.settle(['sent', 'queued', 'queued', 'queued']);
    await hub.pass(MINUTE - 5 * SECOND);
    expect([mails.length, tries()]).toEqual([1, 1]);
    await hub.pass(5 * SECOND);
    await hub.settle(['sent', 'sent', 'sent', 'sent']);
    expect(mails).toHaveLength(2);
  });

  test('the same news again is sent once, also at the same time', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    const alert = alertNews();
    await Promise.all([hub.tell(alert), hub.tell(alert), hub.tell(alert)]);
    await hub.settle(['sent']);
    await hub.addMail(port);
    await hub.tell(alert);
    await hub.pass(2 * MINUTE);
    expect(mails).toHaveLength(1);
    expect(await hub.statuses()).toEqual(['sent']);
  });

  test('another organisation hears nothing of it', async () => {
    const { mails, port } = await mailServer();
    const other = randomUUID();
    await hub.add('mail', mailTo(port), {}, other);
    await hub.tell(alertNews());
    await hub.settle(['skipped']);
    expect(await hub.history('', other)).toEqual([]);
    expect(mails).toEqual([]);
  });

  test('what a host says begins no header and is no reason to lose the rest', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    const title = 'x\r\nBcc: evil@example.org\r\n\r\n\0\ud800';
    await hub.tell(
      alertNews({ title, text: 'a\0b\udc00', resourceName: 'web\r\n1\0', attributes: { 'a\0': '\ud800' } }),
    );
    await hub.settle(['sent']);
    expect(mails[0]?.bcc).toBeUndefined();
    expect(mails[0]?.headerLines.map(({ key }) => key)).not.toContain('bcc');
    expect((await hub.history())[0]?.resourceName).toBe('web\r\n1');
  });
});

describe('what cannot be sent now', () => {
  test('is tried again when the server defers it, and arrives once', async () => {
    let refusals = 2;
    const { mails, port, tries } = await mailServer({
      refuse: () => (refusals-- > 0 ? { code: 451, words: 'greylisted, come back' } : undefined),
    });
    const { id } = await hub.addMail(port);
    await hub.tell(alertNews());
    await until(() => expect(tries()).toBe(1));
    await hub.settle(['queued']);
    expect((await hub.history())[0]?.reason).toContain('451 greylisted, come back');
    expect(await hub.call('GET', `/channels/${id}`)).toMatchObject({ waiting: 1, lastSentMs: null });
    await hub.pass(2 * SECOND);
    expect(tries()).toBe(1);
    await hub.pass(2 * MINUTE);
    await hub.settle(['sent']);
    expect([mails.length, tries()]).toEqual([1, 3]);
    expect((await hub.history())[0]).toMatchObject({ attempts: 3, reason: '' });
  });

  test('waits for a server that is dead, with what comes meanwhile', async () => {
    const { port, stop } = await mailServer();
    await stop();
    await hub.addMail(port);
    await hub.tell(alertNews({ title: 'First' }));
    await hub.settle(['queued']);
    await hub.tell(alertNews({ title: 'Second' }));
    await hub.pass(20 * MINUTE);
    expect(await hub.statuses()).toEqual(['queued', 'queued']);
    const { mails } = await mailServer({ port });
    await hub.pass(40 * MINUTE);
    await hub.settle(['sent', 'sent']);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toMatch(/First[^]*Second/);
  });

  test('is tried at once when the channel is changed', async () => {
    const { port, stop } = await mailServer();
    await stop();
    const { mails, port: good } = await mailServer();
    const { id, name } = await hub.addMail(port);
    await hub.tell(alertNews());
    await until(async () => expect((await hub.history())[0]?.attempts).toBe(1));
    await hub.settle(['queued']);
    await hub.call('PUT', `/channels/${id}`, { name, settings: mailTo(good) });
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
  });

  test('is given up after the hours that are set, with the reason', async () => {
    const { port, stop } = await mailServer();
    await stop();
    await hub.stop();
    hub = await startHub(createManualClock(), { retryHours: 1 });
    await hub.addMail(port);
    await hub.tell(alertNews());
    await hub.pass(55 * MINUTE);
    await hub.settle(['queued']);
    await hub.pass(35 * MINUTE);
    await hub.settle(['failed']);
    const [failed] = await hub.history();
    expect(failed?.reason).toContain('The mail server cannot be reached.');
    expect(failed?.finishedMs).toBeGreaterThan((failed?.createdMs ?? 0) + HOUR);
  });

  test('is not tried again when the server says no for good, but by hand', async () => {
    let refusal: { code: number; words: string } | undefined = { code: 550, words: 'no such sender' };
    const { mails, port, tries } = await mailServer({ refuse: () => refusal });
    await hub.addMail(port);
    await hub.tell(alertNews());
    await hub.settle(['failed']);
    await hub.pass(HOUR);
    expect(tries()).toBe(1);
    const [failed] = await hub.history();
    expect(failed?.reason).toContain('550 no such sender');
    refusal = undefined;
    const again = `/deliveries/${failed?.id}/retry`;
    await expect(hub.call('POST', again, undefined, randomUUID())).rejects.toMatchObject({ status: 404 });
    expect(await hub.call('POST', again)).toMatchObject({ status: 'queued', attempts: 0 });
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
    await expect(hub.call('POST', again)).rejects.toMatchObject({ code: 'notifications.not-failed' });
  });

  test('is not sent by hand when the alert is over, or its channel never was', async () => {
    const { port } = await mailServer({ refuse: () => ({ code: 550, words: 'no' }) });
    const { name } = await hub.addMail(port);
    const alert = alertNews({ channels: [name, 'Pager'] });
    await hub.tell(alert);
    await hub.settle(['failed', 'failed']);
    await hub.tell(alertOver(alert));
    for (const { id, status } of await hub.history())
      if (status === 'failed')
        await expect(hub.call('POST', `/deliveries/${id}/retry`)).rejects.toMatchObject({ status: 409 });
  });

  test('holds up no other channel and no other organisation, and is bounded', async () => {
    const hanging = await mailServer({ silent: true });
    const { mails, port } = await mailServer();
    await hub.addMail(hanging.port);
    for (let n = 0; n < 6; n++) await hub.tell(alertNews({ resource: `host ${n}` }));
    await until(() => expect(hanging.tries()).toBe(4));
    await hub.addMail(port);
    await hub.tell(alertNews({ resource: 'one more', title: 'Not held up' }));
    const other = randomUUID();
    await hub.add('mail', mailTo(port), {}, other);
    await hub.tell(alertNews(), other);
    await until(() => expect(mails).toHaveLength(2));
    expect(hanging.tries()).toBe(4);
    await hub.clock.advance(30 * SECOND);
    await until(() => expect(hanging.tries()).toBe(7));
    const told = await hub.history('&status=queued');
    expect(told.some(({ reason }) => reason === 'The channel took too long. It did not finish within 30 s.')).toBe(
      true,
    );
  });

  test('is not forgotten by a clock that jumps back', async () => {
    const { port, stop } = await mailServer();
    await stop();
    await hub.addMail(port);
    await hub.tell(alertNews());
    await until(async () => expect((await hub.history())[0]?.attempts).toBe(1));
    await hub.settle(['queued']);
    hub.clock.jump(-30 * DAY);
    const { mails } = await mailServer({ port });
    await hub.pass(10 * SECOND);
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
  });
});

describe('a hub that ends', () => {
  test('leaves what waits to the next one', async () => {
    const { port, stop } = await mailServer();
    await stop();
    await hub.addMail(port);
    await hub.tell(alertNews());
    await until(async () => expect((await hub.history())[0]?.attempts).toBe(1));
    await hub.settle(['queued']);
    await hub.stop();
    const { mails } = await mailServer({ port });
    const clock = createManualClock(hub.clock.now() + MINUTE);
    hub = await startHub(clock);
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
  });

  test('and stops while it sends gives back what it was sending, in time', async () => {
    const hanging = await mailServer({ silent: true });
    await hub.addMail(hanging.port);
    await hub.tell(alertNews());
    await until(() => expect(hanging.tries()).toBe(1));
    const stopped = hub.stop();
    await until(async () => {
      await hub.clock.advance(SECOND);
      expect(hub.clock.monotonic()).toBeGreaterThan(4000);
    });
    await stopped;
    await hanging.stop();
    const { mails } = await mailServer({ port: hanging.port });
    hub = await startHub(createManualClock(hub.clock.now()));
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
  });

  test('and was killed while it sent loses nothing: the next one sends it when its time is over', async () => {
    const dead = await mailServer({ refuse: () => ({ code: 451, words: 'later' }) });
    await hub.addMail(dead.port);
    await hub.tell(alertNews());
    await hub.settle(['queued']);
    await hub.stop();
    await dead.stop();
    const clock = createManualClock(hub.clock.now() + MINUTE);
    // What a killed hub had begun.
    const killed = createStore(database.relational, clock);
    expect(await killed.claim(org, { room: () => 1, carries: () => false })).toHaveLength(1);
    expect(await killed.claim(org, { room: () => 1, carries: () => false })).toHaveLength(0);
    const { mails } = await mailServer({ port: dead.port });
    hub = await startHub(clock);
    await hub.clock.advance(6 * SECOND);
    await hub.settle(['sending']);
    expect(mails).toEqual([]);
    await hub.clock.advance(4 * SECOND);
    await hub.settle(['sent']);
    expect(mails).toHaveLength(1);
  });

  test('and sends for long is not helped by another hub', async () => {
    const hanging = await mailServer({ silent: true });
    await hub.addMail(hanging.port);
    await hub.tell(alertNews());
    await until(() => expect(hanging.tries()).toBe(1));
    const second = await startHub(hub.clock);
    const leaseOf = async (): Promise<number> => {
      const rows = await database.relational.forOrg<NotificationTables, { lease_until: Date | null }[]>(
        'notifications',
        org,
        (db) => db.selectFrom('deliveries').select('lease_until').where('status', '=', 'sending').execute(),
      );
      return rows[0]?.lease_until?.getTime() ?? 0;
    };
    for (let n = 0; n < 10; n++) {
      const before = await leaseOf();
      await hub.clock.advance(2 * SECOND);
      await until(async () => expect(await leaseOf()).toBeGreaterThan(before));
    }
    expect(hanging.tries()).toBe(1);
    await hanging.stop();
    await second.stop();
  });

  test('two hubs on one database send each message once', async () => {
    const { mails, port } = await mailServer();
    await hub.addMail(port);
    const second = await startHub(hub.clock);
    const alerts = Array.from({ length: 10 }, (_none, n) => alertNews({ resource: `host ${n}` }));
    await Promise.all(
      alerts.flatMap((alert) => [hub.tell(alert), second.bus.publish(SUBJECTS.alertChanged, org, alert)]),
    );
    await hub.settle(alerts.map(() => 'sent'));
    expect(mails).toHaveLength(10);
    await second.stop();
  });
});
