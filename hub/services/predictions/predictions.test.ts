import { randomUUID } from 'node:crypto';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { feedHost, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { AnomalyKind, Direction, MetricsSchema, type AnomalyEventSchema } from '#proto/agent/v1/index.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ServiceDefinition } from '../../service.ts';
import { anomaliesOf } from './event.ts';
import { predictions } from './index.ts';

const API = '/api/v1/predictions';
const NOW = Date.UTC(2026, 10, 26, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let hub: StartedUsers;
let editor: SignedInPerson;
let viewer: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  const services = [{ definition: predictions as unknown as ServiceDefinition, prefixes: [API] }];
  hub = await startUsers(services, { clock: createManualClock(NOW) });
});
afterAll(() => hub.stop());
beforeEach(async () => {
  [editor, viewer] = [await hub.join('editor'), await hub.join('viewer')];
  host = await feedHost(hub.bus, editor.org, 'web-1');
});

type Wire = MessageInitShape<typeof AnomalyEventSchema>;
const CPU = { metric: 'system.cpu.busy', attributes: {}, surprise: 12, direction: Direction.UP, channel: 'level' };
const DISK = { metric: 'system.disk.io', attributes: { 'system.device': 'sda' }, surprise: 9, value: NaN };

/** An event that began ten minutes ago and goes on. */
const event = (more: Wire = {}): Wire & { id: string } => {
  const now = hub.clock.now();
  return {
    revision: 1,
    kind: AnomalyKind.HOST,
    startMs: BigInt(now - 10 * MINUTE),
    peakMs: BigInt(now - 9 * MINUTE),
    score: 0.8,
    surprise: 32,
    causes: [{ ...CPU, value: 0.97, expected: 0.2, timeMs: BigInt(now - 9 * MINUTE) }, DISK],
    contexts: [{ kind: 'deploy', name: 'shop 4.2', fromMs: BigInt(now - 11 * MINUTE), toMs: 0n }],
    templates: [255n],
    ...more,
    id: more.id ?? randomUUID(),
  };
};
const send = (anomalies: Wire[], more: { skewMs?: number } = {}, of = host): Promise<void> =>
  of.send({ timeMs: hub.clock.now(), anomalies, ...more });
const asked = async (path: string, by = viewer) => hub.call('GET', `${API}/${path}`, { token: by.token });
const listed = async (query = '', by = viewer) => {
  const { status, body } = await asked(`anomalies?resource=${host.resource}&${query}`, by);
  expect(status, JSON.stringify(body)).toBe(200);
  return body as { items: Record<string, unknown>[]; total: number; limit: number; offset: number };
};
const idsOf = async (query = ''): Promise<unknown[]> => (await listed(query)).items.map(({ id }) => id);
const say = (id: string, body: object, by = editor) =>
  hub.call('POST', `${API}/anomalies/${id}/feedback`, { token: by.token, body });
const takeBack = (id: string, by = editor) =>
  hub.call('DELETE', `${API}/anomalies/${id}/feedback`, { token: by.token });
/** So much later, with everyone signed in again. */
const later = async (ms: number): Promise<void> => {
  hub.clock.jump(ms - 6 * MINUTE);
  await hub.clock.advance(6 * MINUTE);
  [editor, viewer] = [await hub.signIn(editor), await hub.signIn(viewer)];
};
const moved = async () => {
  const { body } = await asked(`sensitivities/${host.resource}`);
  return body as { offset: number; series: { metric: string; attributes: object; offset: number }[] };
};

describe('an event', () => {
  test('is kept with its causes and what explains it, and of its revisions the highest', async () => {
    const one = event();
    await send([one]);
    await send([{ ...one, revision: 3, endMs: BigInt(hub.clock.now()), score: 0.9 }]);
    await send([{ ...one, revision: 2, score: 0.1 }]);
    await host.resend();
    const now = hub.clock.now();
    expect(await listed()).toEqual({
      items: [
        {
          id: one.id,
          resource: host.resource,
          revision: 3,
          kind: 'host',
          startMs: now - 10 * MINUTE,
          peakMs: now - 9 * MINUTE,
          endMs: now,
          endedBy: 'agent',
          score: 0.9,
          surprise: 32,
          causes: [
            { ...CPU, direction: 'up', value: 0.97, expected: 0.2, timeMs: now - 9 * MINUTE },
            { ...DISK, direction: '', channel: '', value: null, expected: 0, timeMs: 0 },
          ],
          contexts: [{ kind: 'deploy', name: 'shop 4.2', fromMs: now - 11 * MINUTE, toMs: null }],
          templates: ['00000000000000ff'],
          model: '',
          feedback: { useful: 0, noise: 0, expected: 0, mine: null },
        },
      ],
      total: 1,
      limit: 50,
      offset: 0,
    });
    expect((await asked(`anomalies/${one.id}`)).body).toMatchObject({ id: one.id, labels: [] });
  });

  test('has times by the hub’s clock', async () => {
    await send([event({ endMs: BigInt(hub.clock.now()) })], { skewMs: -5 * MINUTE });
    expect((await listed()).items).toMatchObject([{ startMs: hub.clock.now() - 5 * MINUTE }]);
  });

  test('that nobody ended is over after the longest time that one of its kind can last, though its agent is there', async () => {
    const [one, vanished] = [event(), event({ kind: AnomalyKind.TEMPLATE_VANISHED })];
    await send([one, vanished]);
    const startMs = Number(one.startMs);
    for (const hours of [6, 6]) {
      await later(hours * HOUR);
      await host.send({ timeMs: hub.clock.now() });
      await hub.runScheduled('sweep-anomalies');
    }
    const byId = new Map((await listed()).items.map((item) => [item['id'], item]));
    expect(byId.get(one.id)).toMatchObject({ endedBy: 'lost', endMs: startMs + 7 * HOUR });
    expect(byId.get(vanished.id)).toMatchObject({ endedBy: null });
  });

  test('is found by any time, also one that no calendar has', async () => {
    await send([event()]);
    expect((await listed('from=-99999999999w')).total).toBe(1);
    expect((await asked(`anomalies?from=-1h&to=-99999999999w`)).status).toBe(400);
  });

  test('of another host cannot be changed by naming its id', async () => {
    const one = event();
    await send([one]);
    const other = await feedHost(hub.bus, editor.org, 'web-2');
    await send([{ ...one, revision: 9, score: 0.1 }], {}, other);
    expect((await listed()).items).toMatchObject([{ revision: 1, score: 0.8 }]);
  });

  test('is over where the next of its host begins, and when its agent was not heard of for hours', async () => {
    const [first, second] = [event(), event({ startMs: BigInt(hub.clock.now()) })];
    const template = event({ kind: AnomalyKind.TEMPLATE_VANISHED });
    await send([first, template]);
    await send([second]);
    const byId = async () => new Map((await listed()).items.map((one) => [one['id'], one]));
    const before = await byId();
    expect(before.get(first.id)).toMatchObject({ endedBy: 'superseded', endMs: hub.clock.now() });
    expect([before.get(second.id)?.['endMs'], before.get(template.id)?.['endMs']]).toEqual([null, null]);
    await later(5 * HOUR);
    await host.send({ timeMs: hub.clock.now() });
    const lastMs = hub.clock.now();
    await later(5 * HOUR);
    await hub.runScheduled('sweep-anomalies');
    expect((await byId()).get(template.id)).toMatchObject({ endMs: null });
    await later(2 * HOUR);
    await hub.runScheduled('sweep-anomalies');
    expect((await byId()).get(template.id)).toMatchObject({ endedBy: 'lost', endMs: lastMs });
    // What its agent says in the end counts.
    await send([{ ...template, revision: 2, endMs: BigInt(lastMs + HOUR) }]);
    expect((await byId()).get(template.id)).toMatchObject({ endedBy: 'agent', endMs: lastMs + HOUR });
  });

  test('is forgotten after its days, and with its host', async () => {
    const old = event({ endMs: BigInt(hub.clock.now()) });
    await send([old]);
    await later(91 * DAY);
    await send([event()]);
    await hub.runScheduled('sweep-anomalies');
    expect((await listed()).total).toBe(1);
    await hub.bus.publish(SUBJECTS.resourceDeleted, editor.org, { resource: host.resource });
    expect((await listed()).total).toBe(0);
  });
});

describe('events are listed', () => {
  test('newest first, by kind, state, time, score and label, a page at a time', async () => {
    const now = hub.clock.now();
    const at = (minutes: number): bigint => BigInt(now - minutes * MINUTE);
    const early = event({ startMs: at(60), endMs: at(50), score: 0.6 });
    const fresh = event({ kind: AnomalyKind.TEMPLATE_NEW, startMs: at(30), endMs: at(30), score: 0.7 });
    const open = event({ startMs: at(20), score: 0.95 });
    await send([early, open, fresh]);
    expect(await idsOf()).toEqual([open.id, fresh.id, early.id]);
    expect(await idsOf('limit=1&offset=1')).toEqual([fresh.id]);
    expect(await idsOf('kind=template-new')).toEqual([fresh.id]);
    expect(await idsOf('state=open')).toEqual([open.id]);
    expect(await idsOf('state=ended&least=0.65')).toEqual([fresh.id]);
    expect(await idsOf('from=-35m&to=-25m')).toEqual([fresh.id]);
    expect(await idsOf('from=-55m&to=-45m')).toEqual([early.id]);
    expect(await idsOf('from=-5m')).toEqual([open.id]);
    await say(early.id, { verdict: 'noise' });
    expect(await idsOf('label=noise')).toEqual([early.id]);
    expect(await idsOf('label=none')).toEqual([open.id, fresh.id]);
  });

  test.each([
    ['kind=loud', 'http.invalid-request'],
    ['limit=1001', 'http.invalid-request'],
    ['least=2', 'http.invalid-request'],
    ['hosts=x', 'http.invalid-request'],
    ['from=yesterday', 'time.unreadable'],
    ['from=now&to=-1h', 'predictions.bad-range'],
  ])('%s is refused with %s', async (query, code) => {
    const { status, body } = await asked(`anomalies?${query}`);
    expect([status, body['code']]).toEqual([400, code]);
  });
});

describe('feedback', () => {
  test('moves the thresholds of its host and first causes, and comes back when it is taken back', async () => {
    const one = event();
    await send([one]);
    const { status, body } = await say(one.id, { verdict: 'noise', note: 'the nightly backup' });
    expect([status, body['feedback']]).toEqual([200, { useful: 0, noise: 1, expected: 0, mine: 'noise' }]);
    expect(body['labels']).toMatchObject([{ name: editor.username, verdict: 'noise', note: 'the nightly backup' }]);
    const series = (offset: number) => [
      { metric: 'system.cpu.busy', attributes: {}, offset },
      { metric: 'system.disk.io', attributes: { 'system.device': 'sda' }, offset },
    ];
    expect(await moved()).toEqual({ offset: 2, series: series(2) });
    await say(one.id, { verdict: 'useful' });
    expect(await moved()).toEqual({ offset: -1, series: series(-1) });
    // Two people on one event are one event.
    const second = await hub.join('editor');
    await say(one.id, { verdict: 'expected' }, second);
    expect(await moved()).toEqual({ offset: 0, series: [] });
    expect((await takeBack(one.id)).status).toBe(204);
    expect(await moved()).toEqual({ offset: 1, series: series(1) });
    expect((await takeBack(one.id)).status).toBe(404);
    expect((await takeBack(one.id, second)).status).toBe(204);
    expect(await moved()).toEqual({ offset: 0, series: [] });
  });

  test('moves them within bounds, however often it is said', async () => {
    const events = Array.from({ length: 20 }, () => event({ endMs: BigInt(hub.clock.now()) }));
    await send(events);
    for (const { id } of events) await say(id, { verdict: 'noise' });
    expect(await moved()).toMatchObject({ offset: 16, series: [{ offset: 16 }, { offset: 16 }] });
    for (const { id } of events) await say(id, { verdict: 'useful' });
    expect(await moved()).toMatchObject({ offset: -4, series: [{ offset: -4 }, { offset: -4 }] });
  });

  test('on a kind of line is kept and moves nothing; what is forgotten can still be taken back', async () => {
    const template = event({ kind: AnomalyKind.TEMPLATE_NEW, endMs: BigInt(hub.clock.now()) });
    const one = event({ endMs: BigInt(hub.clock.now()) });
    await send([template, one]);
    await say(template.id, { verdict: 'noise' });
    expect(await moved()).toEqual({ offset: 0, series: [] });
    await say(one.id, { verdict: 'noise' });
    await later(91 * DAY);
    await hub.runScheduled('sweep-anomalies');
    expect((await say(one.id, { verdict: 'useful' })).status).toBe(404);
    expect((await moved()).offset).toBe(2);
    expect((await takeBack(one.id)).status).toBe(204);
    expect((await moved()).offset).toBe(0);
  });

  test('is refused to who may only look, and when it is none', async () => {
    const one = event();
    await send([one]);
    expect((await say(one.id, { verdict: 'noise' }, viewer)).status).toBe(403);
    expect((await takeBack(one.id, viewer)).status).toBe(403);
    for (const body of [
      {},
      { verdict: 'loud' },
      { verdict: 'noise', note: 'x'.repeat(1001) },
      { verdict: 'noise', a: 1 },
    ])
      expect((await say(one.id, body)).status).toBe(400);
    expect((await say(randomUUID(), { verdict: 'noise' })).body['code']).toBe('predictions.not-found');
    expect((await say('x', { verdict: 'noise' })).status).toBe(400);
    expect((await say(one.id, { verdict: 'noise', note: 'a\0b' })).status).toBe(200);
  });
});

test('another organisation sees and changes none of it, and nobody does without signing in', async () => {
  const one = event();
  await send([one]);
  await say(one.id, { verdict: 'noise' });
  const outsider = await hub.outsider();
  expect((await listed('', outsider)).total).toBe(0);
  expect((await asked(`anomalies/${one.id}`, outsider)).status).toBe(404);
  expect((await asked(`sensitivities/${host.resource}`, outsider)).body).toEqual({ offset: 0, series: [] });
  expect((await say(one.id, { verdict: 'useful' }, outsider)).status).toBe(404);
  expect((await takeBack(one.id, outsider)).status).toBe(404);
  for (const path of ['anomalies', `anomalies/${one.id}`, `sensitivities/${host.resource}`])
    expect((await hub.call('GET', `${API}/${path}`, {})).status).toBe(401);
  // An id that two organisations use is two events.
  const theirs = await feedHost(hub.bus, outsider.org, 'web-1');
  await send([{ ...one, revision: 7 }], {}, theirs);
  expect((await asked(`anomalies/${one.id}`)).body['revision']).toBe(1);
  expect((await asked(`anomalies/${one.id}`, outsider)).body['revision']).toBe(7);
});

describe('what an agent makes up', () => {
  const read = (anomalies: Wire[], metrics = toBinary(MetricsSchema, create(MetricsSchema, { anomalies }))) =>
    anomaliesOf({ metrics, skewMs: 0, receivedMs: NOW });

  test('is bounded', async () => {
    const long = `${'x'.repeat(1023)}\u{1F600}`;
    const hostile: Wire = event({
      startMs: 2n ** 62n,
      peakMs: -(2n ** 62n),
      endMs: -5n,
      score: Infinity,
      surprise: NaN,
      model: '\0'.repeat(5000) + long,
      templates: Array.from({ length: 90 }, (_, n) => 2n ** 64n - 1n - BigInt(n)),
      causes: [long, ...Array.from({ length: 11 }, (_, n) => `m${n}`)].map((text) => ({
        metric: `0${text}`,
        attributes: Object.fromEntries([[text, text], ...Array.from({ length: 90 }, (_one, k) => [`k${k}`, 'v'])]),
        surprise: -1,
        value: -Infinity,
        channel: text,
      })),
      contexts: Array.from({ length: 12 }, (_, n) => ({ kind: n === 0 ? long : 'deploy', name: n === 0 ? long : '', fromMs: -1n, toMs: -9n })), // prettier-ignore
    });
    const { events } = read([hostile]);
    const [one] = events;
    expect(one).toMatchObject({
      startMs: NOW + MINUTE,
      peakMs: NOW + MINUTE,
      endMs: NOW + MINUTE,
      score: 1,
      surprise: 0,
    });
    expect([one?.causes.length, one?.contexts.length, one?.templates.length]).toEqual([10, 10, 20]);
    const [cause] = one?.causes ?? [];
    expect([cause?.metric.length, Object.keys(cause?.attributes ?? {}).length, cause?.channel.length]).toEqual([
      1024, 32, 64,
    ]);
    expect(cause).toMatchObject({ surprise: 0, value: null });
    await send([hostile]);
    expect((await listed()).total).toBe(1);
  });

  test('is left out and counted where it is no event, and the others are kept', async () => {
    const { events, leftOut } = read([
      event({ id: "'; DROP TABLE anomalies; --" }),
      event({ kind: 77 as AnomalyKind }),
      event({ model: 'x'.repeat(200_000) }),
      event(),
    ]);
    expect([events.length, leftOut]).toEqual([1, 3]);
    const many = read(Array.from({ length: 500 }, () => event({ causes: [] })));
    expect([many.events.length, many.leftOut]).toEqual([200, 300]);
    const id = randomUUID();
    expect(read([event({ id, revision: 4 }), event({ id, revision: 2 })]).events).toMatchObject([{ revision: 4 }]);
  });

  test('is nothing where it is no message, so that the owner of the samples alone refuses the batch', async () => {
    for (const metrics of [
      Uint8Array.of(0x12, 0xff),
      Uint8Array.of(0x12, 2, 0x0a, 5),
      Uint8Array.of(0xff, 0xff, 0xff, 1),
    ])
      expect(read([], metrics)).toEqual({ events: [], leftOut: 1 });
    const good = toBinary(MetricsSchema, create(MetricsSchema, { anomalies: [event()] }));
    expect(read([], Buffer.concat([Uint8Array.of(0x12, 2, 0x0a, 5), good]))).toMatchObject({
      events: [{}],
      leftOut: 1,
    });
  });
});
