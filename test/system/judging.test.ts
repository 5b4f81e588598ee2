import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { until } from '#kit/programs.ts';
import { batchMessage, openSimulated } from '#kit/simulated-agent.ts';
import { startWatchedHost, type WatchedHost } from '#kit/watched-host.ts';
import { Kind, Lane, Stream, TableSchema, type HubMessage, type Table } from '#proto/agent/v1/index.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readIdentity } from '../../agent/link/identity.ts';

const PREDICTIONS = '/api/v1/predictions';
const WINDOW = 10_000;
const HOURS = 4.2;
/** Longer than a training. */
const PATIENCE = 120;

let watched: WatchedHost;
beforeAll(async () => void (watched = await startWatchedHost()));
afterAll(() => watched?.close());

interface Row {
  name: string;
  kind: 'gauge' | 'counter';
  attributes: Record<string, string>;
}

/** Gauges of the host that its agent really sends. */
async function gauges(): Promise<Row[]> {
  const { items } = await watched.api.call<{ items: Row[] }>(
    'GET',
    `/api/v1/monitoring/resources/${watched.host}/series`,
  );
  return items.filter(({ name, kind }) => kind === 'gauge' && /^system\.(cpu|memory|linux)/.test(name)).slice(0, 24);
}

/** Tells, as the same agent fills in after an outage, of hours in which these series wandered together. */
async function fillIn(rows: readonly Row[]): Promise<void> {
  const series = rows.map(({ name, attributes }) => ({ name, attributes, kind: Kind.GAUGE }));
  const bare = create(TableSchema, { series });
  const id = createHash('sha256').update(toBinary(TableSchema, bare)).digest().readBigUInt64LE(0);
  const table: Table = { ...bare, id };
  let acked = 0n;
  const heard = ({ kind }: HubMessage): void => {
    if (kind.case === 'ack' && kind.value.lane === Lane.BACKFILL) acked = kind.value.seq;
  };
  const { agentId: resourceName, ...identity } = readIdentity(watched.data)!;
  const stream = openSimulated({ ...identity, resourceName }, 9n, heard, { stream: Stream.BACKFILL });
  const count = Math.round(HOURS * 360);
  const from = Math.floor(Date.now() / WINDOW) * WINDOW - (count + 6) * WINDOW;
  let wander = 0;
  for (let n = 0; n < count; n++) {
    wander = 0.9 * wander + 0.2 * (Math.random() - 0.5);
    const values = rows.map((_, j) => 1 + 0.1 * (j + 1) * wander + 0.05 * (Math.random() - 0.5));
    const batch = { epoch: 9n, seq: BigInt(n + 1), timeMs: from + n * WINDOW, table, values, withTable: n === 0 };
    stream.send(batchMessage({ ...batch, lane: Lane.BACKFILL }));
    if (n % 200 === 199) await until('the past is taken', () => acked >= BigInt(n - 400), PATIENCE);
  }
  await until('all of the past is kept', () => acked === BigInt(count), PATIENCE);
  stream.close();
  // Where a bus lies between, what is acknowledged is durable and may not be stored yet.
  const { name, attributes } = rows[0]!;
  const by = Object.keys(attributes).join(',');
  const query = `name=${name}&from=${from}&to=${from + count * WINDOW}&step=10s&by=${by}`;
  await until(
    'all of the past is stored',
    async () => {
      const { series } = await watched.api.call<{ series: { attributes: Record<string, string>; times: number[] }[] }>('GET', `/api/v1/monitoring/metrics/${watched.host}?${query}`); // prettier-ignore
      return series.some(({ times }) => times.length >= count);
    },
    PATIENCE,
  );
}

interface Aliases {
  champion: { version: string } | null;
  told: { version: string; alias: string; inUse: boolean; problem: string }[];
}

test('a model is made of a host’s past, its agent judges by it, and by none once it is taken away', async () => {
  const { api, host } = watched;
  const aliases = () => api.call<Aliases>('GET', `${PREDICTIONS}/aliases/${host}`);
  await fillIn(await until('the agent sends its gauges', async () => (await gauges().then((rows) => rows.length === 24 && rows)) || undefined)); // prettier-ignore
  const { id } = await api.call<{ id: string }>('POST', `${PREDICTIONS}/train-model`, { resource: host, days: 1 });
  const job = await until(
    'the model is made',
    async () => {
      const now = await api.call<{ state: string; version: string }>('GET', `${PREDICTIONS}/jobs/${id}`);
      return ['queued', 'running'].includes(now.state) ? undefined : now;
    },
    PATIENCE,
  );
  expect(job, JSON.stringify(job)).toMatchObject({ state: 'done' });
  // What the live hour of a test machine is like is not for this test to say.
  await api.call('PUT', `${PREDICTIONS}/aliases/${host}/champion`, { version: job.version, force: true });
  const told = await until('the agent judges by it', async () => (await aliases()).told.find(({ inUse }) => inUse), PATIENCE); // prettier-ignore
  expect(told).toEqual({ version: job.version, alias: 'champion', inUse: true, problem: '' });
  const scored = await until('its score is told', async () => {
    const query = `name=outrider.host.model.score&by=outrider.model.alias,outrider.model.version&from=-5m`;
    const { series } = await api.call<{ series: { attributes: object; last: number[] }[] }>('GET', `/api/v1/monitoring/metrics/${host}?${query}`); // prettier-ignore
    return series[0];
  });
  expect(scored.attributes).toEqual({ 'outrider.model.alias': 'champion', 'outrider.model.version': job.version });
  await api.call('PUT', `${PREDICTIONS}/aliases/${host}/champion`, { version: null });
  await until('the agent judges by none', async () => (await aliases()).told.length === 0, PATIENCE);
}, 300_000);
