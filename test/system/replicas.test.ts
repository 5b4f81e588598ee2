import { readEvents, type EventReader } from '#kit/event-reader.ts';
import { demandNothingLost, LINES_A_BATCH, startPersistentAgents, untilFurther } from '#kit/persistent-agent.ts';
import { until, type Api } from '#kit/programs.ts';
import { startReplicas } from '#kit/replicas.ts';
import { signInFirst, type RunningHub } from '#kit/running-hub.ts';
import { systemClock } from '#sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWebReceiver, type StartedWebReceiver } from '../kit/receivers.ts';

/** How long replicas are killed in turn, and how often, seconds: `300` and `30` are what the bar asks for. */
const LONG_S = Number(process.env['OUTRIDER_TEST_REPLICAS_SECONDS'] ?? 40);
const EACH_S = Number(process.env['OUTRIDER_TEST_REPLICAS_EACH'] ?? 15);
/** Hosts whose value is bad once each, one after another, for so many seconds. Nobody's twice: whose value flaps must be good for a minute. */
const WATCHED = Math.min(12, Math.ceil(LONG_S / 10));
const BAD_S = 20;
const pause = (seconds: number): Promise<void> => systemClock.sleep(seconds * 1000);

let hub: RunningHub;
let api: Api;
let receiver: StartedWebReceiver;
beforeAll(async () => {
  receiver = await startWebReceiver();
  hub = await startReplicas(3, {
    OUTRIDER_EGRESS__ALLOW: '127.0.0.1/32',
  });
  api = await signInFirst(hub);
});
afterAll(async () => {
  await hub?.close();
  await receiver?.stop();
});

const badFrom = (host: number): number => 5 + Math.floor((host * LONG_S) / WATCHED);
const isBad = (host: number, seq: number): boolean => seq >= badFrom(host) && seq < badFrom(host) + BAD_S;

/** Posts by firing and state. */
function told(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { body } of receiver.posts) {
    const { state, threads } = JSON.parse(body) as { state: string; threads: string[] };
    for (const thread of threads) counts.set(`${thread} ${state}`, (counts.get(`${thread} ${state}`) ?? 0) + 1);
  }
  return counts;
}

/** Reads a host's tail as a browser does: whichever hub answers, and again after the last event whenever it breaks. */
function follow(host: string) {
  const texts = new Set<string>();
  let breaks = 0;
  let closed = false;
  let reader: EventReader | undefined;
  const work = (async () => {
    let last: string | undefined;
    while (!closed) {
      try {
        reader = await readEvents(`${hub.url}/api/v1/logs/tail?host=${host}&backlog=0`, api.token, last);
        for (;;) {
          const { lines } = await reader.next<{ lines: { text: string }[] }>('lines');
          for (const { text } of lines) texts.add(text);
          last = reader.lastId();
        }
      } catch {
        breaks += 1;
        await pause(0.5);
      }
    }
  })();
  return {
    texts,
    breaks: () => breaks,
    async close() {
      closed = true;
      reader?.close();
      await work;
    },
  };
}

test('three hubs, one killed again and again: nothing is lost, and every alert is told once', async () => {
  await api.call('POST', '/api/v1/notifications/channels', {
    kind: 'webhook',
    name: 'on call',
    settings: { url: receiver.url, secret: 'between us' },
  });
  const load = await startPersistentAgents(hub, 3, { perSecond: 2 });
  const watched = await startPersistentAgents(
    hub,
    WATCHED,
    { perSecond: 1, second: (seq, host) => (isBad(host, seq) ? 2 : 1) },
    Math.floor(Date.now() / 1000) * 1000 - 1000,
  );
  const host = watched.agents[0]?.identity.agentId ?? '';
  await until(
    'the host is known',
    async () => (await api.raw('GET', `/api/v1/monitoring/resources/${host}`)).ok || undefined,
  );
  await api.call('POST', '/api/v1/monitoring/alerts', {
    name: 'The value is bad',
    metric: 'system.memory.limit',
    operator: 'gt',
    threshold: 1.5,
    channels: ['on call'],
  });
  await untilFurther(load.agents);
  const tail = follow(host);
  await until('the tail runs', () => tail.texts.size > 0 || undefined);
  const names = [...hub.parts.keys()];
  const begun = performance.now();
  for (let n = 0; performance.now() - begun < LONG_S * 1000; n++) {
    const victim = names[n % names.length] ?? '';
    await hub.parts.get(victim)?.kill();
    const killed = performance.now();
    await untilFurther([...load.agents, ...watched.agents], 1);
    await until(
      'the others answer',
      async () => (await api.raw('GET', '/api/v1/monitoring/resources')).ok || undefined,
    );
    process.stdout.write(
      `  ${victim} killed: agents and people go on after ${Math.round(performance.now() - killed)} ms\n`,
    );
    await pause(EACH_S / 3);
    await hub.restart(victim);
    // An access token lives for some minutes only.
    api = await signInFirst(hub);
    await pause(Math.max(0, EACH_S - (performance.now() - killed) / 1000));
  }
  const isOver = (): boolean =>
    watched.agents.every((agent) => Number(agent.acknowledged()) > badFrom(WATCHED) + BAD_S);
  await until('the last value is good again', () => isOver() || undefined, 120);
  const states = (state: string): string[] => [...told().keys()].filter((key) => key.endsWith(state));
  await until('every alert is told to be over', () => states('resolved').length >= WATCHED || undefined, 60);
  process.stdout.write(`  ${WATCHED} alerts, ${receiver.posts.length} posts\n`);
  expect([...told()].filter(([, posts]) => posts !== 1)).toEqual([]);
  expect([states('firing').length, states('resolved').length]).toEqual([WATCHED, WATCHED]);
  await demandNothingLost(api, load);
  const count = Number(watched.agents[0]?.acknowledged()) - 2;
  const batchOf = (text: string): number => Number(/batch (\d+) /.exec(text)?.[1]);
  const first = Math.min(...[...tail.texts].map(batchOf));
  await until('the tail is at the end', () => [...tail.texts].some((text) => batchOf(text) > count) || undefined);
  const unseen = Array.from({ length: count - first }, (_, n) => first + n).flatMap((seq) => {
    const seen = [...tail.texts].filter((text) => batchOf(text) === seq).length;
    return seen === LINES_A_BATCH ? [] : [`batch ${seq}: ${seen} of ${LINES_A_BATCH} lines`];
  });
  process.stdout.write(`  the tail broke ${tail.breaks()} times and showed ${tail.texts.size} lines\n`);
  await tail.close();
  expect(unseen).toEqual([]);
  expect(tail.breaks()).toBeGreaterThan(0);
  await demandNothingLost(api, watched);
});
