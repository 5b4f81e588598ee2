import { randomUUID } from 'node:crypto';
import { createManualClock } from '#kit/manual-clock.ts';
import { startRelational, type StartedRelational } from '#kit/relational.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAgents } from './agents.ts';
import { createConnections } from './connections.ts';
import { createStore, type IngestStore } from './store.ts';

let database: StartedRelational;
let store: IngestStore;
beforeAll(async () => {
  database = await startRelational();
  store = createStore(database.relational);
  await store.migrate();
});
afterAll(() => database.stop());

test('an agent is connected while any process says so; one that was killed is believed for a minute', async () => {
  const [clock, org, agent] = [createManualClock(), randomUUID(), randomUUID()];
  const agents = createAgents({ store, clock });
  const certificate = { serial: '1', endsMs: clock.now() } as Parameters<typeof agents.add>[1]['certificate'];
  await agents.add(org, { id: agent, hostname: 'web-1', labels: {}, ephemeral: false, certificate });
  const isConnected = async () => (await agents.list(org, { limit: 1, offset: 0 })).items[0]?.connected;
  const send = (): boolean => true;
  const processOf = (names: { org: string; agent: string }[]) =>
    createConnections({ store, clock, doors: () => [{ names: () => names, send }] });
  const [one, two] = [processOf([{ org, agent }]), processOf([])];

  expect(await isConnected()).toBe(false);
  await one.here(org, [agent]);
  await clock.advance(50_000);
  await one.renew();
  await clock.advance(50_000);
  await two.renew();
  expect(await isConnected()).toBe(true);
  await clock.advance(11_000);
  expect(await isConnected()).toBe(false);

  // It comes to another process before the first one hears that it is gone.
  await one.here(org, [agent]);
  await two.here(org, [agent]);
  await one.left(org, agent);
  expect(await isConnected()).toBe(true);
  await two.left(org, agent);
  expect(await isConnected()).toBe(false);
});
