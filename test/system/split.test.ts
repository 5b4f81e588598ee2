import { demandNothingLost, startPersistentAgents, untilFurther } from '#kit/persistent-agent.ts';
import { until, type Api } from '#kit/programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { services } from '../../hub/catalogue.ts';

let hub: RunningHub;
let api: Api;
beforeAll(async () => {
  hub = await startHubProgram([], {}, 'split');
  api = await signInFirst(hub);
});
afterAll(async () => hub?.close());

/** A question to each service, asked through the gateway. */
const QUESTIONS: Readonly<Record<string, string>> = {
  users: '/api/v1/users',
  notifications: '/api/v1/notifications/channels',
  monitoring: '/api/v1/monitoring/resources',
  logs: '/api/v1/logs/search?from=-5m&limit=1',
  predictions: '/api/v1/predictions/anomalies',
  ingest: '/api/v1/agents',
};

interface Answer {
  status: number;
  code?: string;
  detail?: string;
}

async function ask(service: string): Promise<Answer> {
  const reply = await api.raw('GET', QUESTIONS[service] ?? '/');
  return { ...((await reply.json()) as { code?: string; detail?: string }), status: reply.status };
}

const breaker = async (service: string): Promise<string> => {
  const metrics = await (await fetch(`${hub.url}/metrics`)).text();
  return new RegExp(`outrider_peer_breaker_state\\{service="${service}",[^}]*\\} (\\d)`).exec(metrics)?.[1] ?? 'none';
};

test('there is a question for every service but the one that asks', () => {
  expect(Object.keys(QUESTIONS).toSorted()).toEqual(
    Object.keys(services)
      .filter((name) => name !== 'gateway')
      .toSorted(),
  );
});

test('every service answers alone on its port, behind the gateway', async () => {
  for (const service of Object.keys(QUESTIONS)) expect(await ask(service)).toMatchObject({ status: 200 });
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/api/v1/auth/login', '/api/v1/logs/search']));
});

test('each service is killed in turn under load: the others answer, it comes back by itself, and nothing is lost', async () => {
  const load = await startPersistentAgents(hub, 3, { perSecond: 10 });
  await untilFurther(load.agents);
  for (const service of Object.keys(QUESTIONS)) {
    await hub.parts.get(service)?.kill();
    const refused = await until(`${service} is missed`, async () => {
      const answer = await ask(service);
      return answer.status === 200 ? undefined : answer;
    });
    expect(refused).toMatchObject({
      status: 503,
      code: 'peers.unavailable',
      detail: expect.stringContaining(service) as string,
    });
    // Users alone know whether a key still holds; an access token is proof enough for the others.
    for (const other of Object.keys(QUESTIONS).filter((name) => name !== service))
      expect(await ask(other), `${other} without ${service}`).toMatchObject({ status: 200 });
    await until('its breaker opens', async () => {
      await ask(service);
      return (await breaker(service)) === '2' || undefined;
    });
    // Agents need ingest, and ingest asks the owners of data only when an agent connects.
    if (service !== 'ingest') await untilFurther(load.agents);
    await hub.restart(service);
    await until(`${service} is back`, async () => (await ask(service)).status === 200 || undefined, 10);
    expect(await breaker(service)).toBe('0');
    await untilFurther(load.agents);
  }
  await demandNothingLost(api, load);
});

test('the gateway is killed and comes back: agents did not notice', async () => {
  const load = await startPersistentAgents(hub, 2, { perSecond: 10 });
  await hub.parts.get('gateway')?.kill();
  await untilFurther(load.agents);
  await hub.restart('gateway');
  await until('it is back', async () => (await ask('users')).status === 200 || undefined, 10);
  await demandNothingLost(api, load);
});
