import { feedHost, feedResource, type FedBatch, type FedLine, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { startWeb, type StartedWeb } from '#kit/web.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Bus } from '../../../ports/bus.ts';
import type { ServiceDefinition } from '../../../service.ts';
import { predictions } from '../index.ts';
import type { PredictionsTables } from '../tables.ts';

const API = '/api/v1/predictions';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SOURCE = '/var/log/app.log';
const [BEGIN, WORK, END, PANIC] = [0xb1n, 0xb2n, 0xb3n, 0xdeadn];
const PANIC_ID = '000000000000dead';
/** Windows of the warm-up: its hour is over before 100 of them are known. */
const WARM = 101;
const CALM = 4;

const service = {
  definition: predictions as unknown as ServiceDefinition,
  prefixes: [API],
  config: { sequences: { windowSeconds: 60, warmUpHours: 1 } },
};
let hub: StartedUsers;
let editor: SignedInPerson;
let host: HostFeed;
let baseMs: number;
beforeAll(async () => {
  hub = await startUsers([service], { clock: createManualClock(Date.UTC(2026, 10, 26, 12)) });
});
afterAll(() => hub.stop());
beforeEach(async () => {
  editor = await hub.join('editor');
  host = await feedHost(hub.bus, editor.org, 'web-1');
  baseMs = Math.ceil(hub.clock.now() / MINUTE) * MINUTE + MINUTE;
});

const times = (template: bigint, count: number): FedLine[] =>
  Array.from({ length: count }, () => ({ text: 'a line', source: SOURCE, template }));
/** What is usual: the number of pieces of work varies. */
const usual = (window: number): FedLine[] => [...times(BEGIN, 2), ...times(WORK, 3 + (window % 4)), ...times(END, 2)];
const busy = (window: number): FedLine[] => [...usual(window), ...times(WORK, 60)];
const panic = (window: number): FedLine[] => [...usual(window), ...times(PANIC, 40)];
const atMs = (window: number, slot = 0): number => baseMs + window * MINUTE + slot * 12_000 + 500;

type Lines = (window: number) => FedLine[];
/** Windows from one to another, each of five batches. */
async function play(from: number, to: number, lines: Lines = usual, feed = host): Promise<void> {
  for (let window = from; window < to; window += 1)
    for (let slot = 0; slot < 5; slot += 1)
      await feed.send({ timeMs: atMs(window, slot), lines: slot === 0 ? lines(window) : [] });
}
/** Time passes until windows before this one can be judged, and they are. */
async function judge(window: number): Promise<void> {
  hub.clock.jump(atMs(window) + 2 * MINUTE - hub.clock.now());
  await hub.runScheduled('judge-sequences');
}
async function events(by = editor): Promise<Record<string, unknown>[]> {
  const { token } = await hub.signIn(by);
  const { status, body } = await hub.call('GET', `${API}/anomalies?resource=${host.resource}`, { token });
  expect(status, JSON.stringify(body)).toBe(200);
  return body['items'] as Record<string, unknown>[];
}
const rows = (table: 'sequence_parts' | 'sequence_states', org = editor.org): Promise<number> =>
  hub.relational.forOrg<PredictionsTables, number>('predictions', org, async (db) => {
    const found = await db.selectFrom(table).select('resource').where('resource', '=', host.resource).execute();
    return found.length;
  });
async function warmUp(lines: Lines = usual): Promise<void> {
  await play(-1, WARM, lines);
  await judge(WARM);
}
const metric = async (line: string, of: StartedWeb = hub): Promise<number> => {
  const found = (await of.metrics.metrics()).split('\n').find((one) => one.startsWith(line));
  return Number(found?.split(' ').at(-1) ?? 0);
};

describe('windows of a host’s logs', () => {
  test('are learned without a word in the warm-up; then what is strange is an event with its causes, until it is calm', async () => {
    await play(-1, 50);
    await play(50, 51, (window) => [...usual(window), ...times(0xfeedn, 40)]);
    await play(51, WARM + 1);
    await judge(WARM + 1);
    expect(await events()).toEqual([]);
    await play(WARM + 1, WARM + 3, panic);
    await host.resend();
    await judge(WARM + 3);
    const [event, ...others] = await events();
    expect(others).toEqual([]);
    const startMs = baseMs + (WARM + 1) * MINUTE;
    expect(event).toMatchObject({ kind: 'log-sequence', startMs, peakMs: startMs, endMs: null, revision: 2 });
    expect(event?.['score']).toBeGreaterThan(0.5);
    expect((event?.['templates'] as string[])[0]).toBe(PANIC_ID);
    expect((event?.['causes'] as object[])[0]).toMatchObject({
      metric: 'outrider.log.template.lines',
      attributes: { 'outrider.log.template': PANIC_ID, 'outrider.log.source': SOURCE },
      ...{ value: 40, expected: 0, direction: 'up', channel: 'count', timeMs: startMs },
    });
    await play(WARM + 3, WARM + 3 + CALM);
    await judge(WARM + 3 + CALM);
    const [ended] = await events();
    expect(ended).toMatchObject({ id: event?.['id'], endMs: startMs + 2 * MINUTE, endedBy: 'agent' });
    expect(await rows('sequence_parts')).toBe(0);
    expect(await rows('sequence_states')).toBe(1);
  });

  test('tell of what no longer comes', async () => {
    await warmUp(busy);
    await play(WARM, WARM + 1, () => [...times(BEGIN, 2), ...times(END, 2)]);
    await judge(WARM + 1);
    const [event] = await events();
    expect((event?.['causes'] as object[])[0]).toMatchObject({ value: 0, expected: 64, direction: 'down' });
  });

  test('that go on being strange are what is usual in the end', async () => {
    await warmUp();
    await play(WARM, WARM + 40, panic);
    await judge(WARM + 40);
    const found = await events();
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ endMs: baseMs + (WARM + 24) * MINUTE });
  });

  test('are not judged when a batch is missing or is back-fill, nor when the agent was silent', async () => {
    await warmUp();
    const skipped = await metric('outrider_predictions_log_windows_total{outcome="skipped"}');
    const without: HostFeed = { ...host, send: (batch) => (batch.lines?.length ? lose(batch) : host.send(batch)) };
    /** A batch that another hub took, and lost. */
    const lose = async (batch: FedBatch): Promise<void> => {
      await host.send({ ...batch, lines: [], lane: 2 });
    };
    await play(WARM, WARM + 1, usual, without);
    // Silent: one batch in a minute.
    await host.send({ timeMs: atMs(WARM + 1), lines: panic(0) });
    await judge(WARM + 2);
    expect(await events()).toEqual([]);
    expect(await metric('outrider_predictions_log_windows_total{outcome="skipped"}')).toBe(skipped + 2);
  });

  test('hold lines of their own time; what is in the wrong order, late or ahead of its time does no harm', async () => {
    await warmUp();
    // The end of a minute comes with the next one's first batch, and within a batch the last is first.
    const last = times(WORK, 3).map((line) => ({ ...line, timeMs: atMs(WARM, 4) }));
    await play(WARM, WARM + 1, () => [...times(END, 2), ...times(BEGIN, 2)].reverse());
    await play(WARM + 1, WARM + 2, (window) => [...usual(window), ...last]);
    // A file of yesterday, and one whose clock is ahead.
    const strays = await metric('outrider_predictions_log_lines_total{outcome="other-time"}');
    for (const offMs of [-24 * HOUR, 2 * HOUR])
      await play(WARM + (offMs < 0 ? 2 : 3), WARM + (offMs < 0 ? 3 : 4), (window) =>
        panic(window).map((line) => ({ ...line, timeMs: atMs(window) + offMs })),
      );
    await judge(WARM + 4);
    expect(await events()).toEqual([]);
    expect(await metric('outrider_predictions_log_lines_total{outcome="other-time"}')).toBeGreaterThan(strays + 80);
    // The hub's clock goes back: nothing is told, and it goes on from there.
    baseMs -= 20 * MINUTE;
    await play(WARM + 4, WARM + 8);
    await judge(WARM + 8);
    await play(WARM + 8, WARM + 10, panic);
    await judge(WARM + 10);
    expect(await events()).toHaveLength(1);
  });

  test('are not judged where too few of their lines are of their time', async () => {
    await warmUp(busy);
    // The work is told with yesterday's time: that it is missing is no news.
    await play(WARM, WARM + 1, (window) =>
      busy(window).map((line) => (line.template === WORK ? { ...line, timeMs: atMs(window) - 24 * HOUR } : line)),
    );
    await judge(WARM + 1);
    expect(await events()).toEqual([]);
  });

  test('count a template that turned out to be another one as that', async () => {
    await warmUp(busy);
    const renamed: Lines = (window) =>
      busy(window).map((line) => (line.template === WORK ? { ...line, template: 0xb9n } : line));
    await host.send({ timeMs: atMs(WARM), templates: [{ id: 0xb9n, text: 'work <num>', merged: [WORK] }] });
    await play(WARM, WARM + 6, renamed);
    await judge(WARM + 6);
    expect(await events()).toEqual([]);
  });

  test('leave out lines without a template, and say so', async () => {
    const name = 'outrider_predictions_log_lines_total{outcome="without-template"}';
    const before = await metric(name);
    await host.send({ timeMs: atMs(0), lines: [{ text: 'a' }, { text: 'b', template: 0n }, ...times(WORK, 1)] });
    expect(await metric(name)).toBe(before + 2);
  });
});

describe('feedback on an event of logs', () => {
  test('moves the threshold of its sources, and is shown', async () => {
    await warmUp();
    await play(WARM, WARM + 1, (window) => [...usual(window), ...times(PANIC, 12)]);
    await play(WARM + 1, WARM + 5);
    await judge(WARM + 5);
    const [event] = await events();
    editor = await hub.signIn(editor);
    const { token } = editor;
    const said = await hub.call('POST', `${API}/anomalies/${String(event?.['id'])}/feedback`, {
      token,
      body: { verdict: 'noise' },
    });
    expect(said.status).toBe(200);
    const { body } = await hub.call('GET', `${API}/sensitivities/${host.resource}`, { token });
    const series = { metric: 'outrider.log.template.lines', attributes: { 'outrider.log.source': SOURCE }, offset: 2 };
    expect(body).toEqual({ offset: 0, series: [series] });
    // As strange as the first, and no longer strange enough.
    await play(WARM + 5, WARM + 6, (window) => [...usual(window), ...times(0xbeefn, 12)]);
    await play(WARM + 6, WARM + 10);
    await judge(WARM + 10);
    expect(await events()).toHaveLength(1);
    await play(WARM + 10, WARM + 11, (window) => [...usual(window), ...times(0xbeedn, 2000)]);
    await judge(WARM + 11);
    expect(await events()).toHaveLength(2);
  });
});

describe('several hubs on one database', () => {
  let other: StartedWeb;
  const another = (): Promise<StartedWeb> =>
    startWeb({ services: [service], ports: { relational: hub.relational }, clock: hub.clock });

  test('each count their half, and one of them judges', async () => {
    other = await another();
    const before = await metric('outrider_predictions_log_windows_total{outcome="judged"}');
    // Batches go to either in turn, and so do the lines of one window.
    let turn = 0;
    const publish: Bus['publish'] = (...given) => ((turn += 1) % 2 === 0 ? hub.bus : other.bus).publish(...given);
    const shared = feedResource({ ...hub.bus, publish }, editor.org, host.resource, 7n);
    const halves = async (from: number, to: number, lines: Lines): Promise<void> => {
      for (let window = from; window < to; window += 1)
        for (let slot = 0; slot < 5; slot += 1) {
          const half = lines(window).filter((_, place) => place % 2 === slot);
          await shared.send({ timeMs: atMs(window, slot), lines: half });
        }
    };
    const judgeBoth = async (window: number, parts: number): Promise<void> => {
      // Each writes down what it saw a minute after its window; then both would judge it.
      await hub.clock.advance(atMs(window) + 1.5 * MINUTE - hub.clock.now());
      await vi.waitFor(async () => expect(await rows('sequence_parts')).toBe(parts));
      hub.clock.jump(45_000);
      await Promise.all([hub, other, hub, other].map((one) => one.runScheduled('judge-sequences')));
      expect(await rows('sequence_parts')).toBe(0);
    };
    await halves(-1, WARM, usual);
    await judgeBoth(WARM, 2 * (WARM + 1));
    await halves(WARM, WARM + 1, panic);
    await judgeBoth(WARM + 1, 2);
    const found = await events();
    expect(found).toHaveLength(1);
    expect((found[0]?.['causes'] as object[])[0]).toMatchObject({ value: 40 });
    expect(found[0]).toMatchObject({ revision: 1 });
    const judged = 'outrider_predictions_log_windows_total{outcome="judged"}';
    const [own, its] = await Promise.all([metric(judged), metric(judged, other)]);
    expect(own + its - before).toBe(2);
    await other.stop();
  });

  test('one that is started anew goes on with what was known and what was being counted', async () => {
    let own = await another();
    let feed = feedResource(own.bus, editor.org, host.resource, 9n);
    /** The stream goes on over a restart. */
    let seq = 0n;
    const numbered = (bus: Bus): Bus => ({
      ...bus,
      publish: (subject, org, payload) =>
        bus.publish(
          subject,
          org,
          subject.name === SUBJECTS.batchReceived.name ? { ...payload, seq: (seq += 1n) } : payload,
        ),
    });
    feed = feedResource(numbered(own.bus), editor.org, host.resource, 9n);
    await play(-1, WARM, usual, feed);
    hub.clock.jump(atMs(WARM) + 2 * MINUTE - hub.clock.now());
    await own.runScheduled('judge-sequences');
    for (const slot of [0, 1]) await feed.send({ timeMs: atMs(WARM, slot), lines: slot === 0 ? panic(WARM) : [] });
    await own.stop();
    own = await another();
    feed = feedResource(numbered(own.bus), editor.org, host.resource, 9n);
    for (const slot of [2, 3, 4]) await feed.send({ timeMs: atMs(WARM, slot) });
    hub.clock.jump(MINUTE);
    await own.runScheduled('judge-sequences');
    expect(await events()).toMatchObject([{ kind: 'log-sequence', endMs: null }]);
    await own.stop();
  });
});

test('another organisation sees none of it', async () => {
  await warmUp();
  await play(WARM, WARM + 1, panic);
  await judge(WARM + 1);
  expect(await events()).toHaveLength(1);
  const outsider = await hub.outsider();
  expect(await events(outsider)).toEqual([]);
  expect([await rows('sequence_states'), await rows('sequence_states', outsider.org)]).toEqual([1, 0]);
});

test('a deleted host leaves nothing, and leftovers are swept away', async () => {
  await warmUp();
  await play(WARM, WARM + 1);
  await hub.bus.publish(SUBJECTS.resourceDeleted, editor.org, { resource: host.resource });
  await judge(WARM + 1);
  expect([await rows('sequence_parts'), await rows('sequence_states')]).toEqual([0, 0]);
  // What was under way meanwhile.
  await play(WARM + 1, WARM + 3);
  await judge(WARM + 2);
  expect(await rows('sequence_states')).toBe(1);
  hub.clock.jump(31 * 24 * HOUR);
  await hub.runScheduled('sweep-anomalies');
  expect([await rows('sequence_parts'), await rows('sequence_states')]).toEqual([0, 0]);
});
