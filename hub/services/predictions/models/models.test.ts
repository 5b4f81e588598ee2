import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { feedHost, type HostFeed } from '#kit/host-feed.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { until } from '#kit/programs.ts';
import { startUsers, type SignedInPerson, type StartedUsers } from '#kit/sign-in.ts';
import { startStores, type Stores } from '#kit/stores.ts';
import { buildTrainingProgram } from '#kit/training-program.ts';
import { SUBJECTS } from '#proto/subjects.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readHostModel } from '../../../../plugins/models/index.ts';
import { createRandom } from '../../../../plugins/models/random.ts';
import type { ServiceDefinition } from '../../../service.ts';
import { monitoring } from '../../monitoring/index.ts';
import { predictions } from '../index.ts';

const API = '/api/v1/predictions';
const NOW = Date.UTC(2026, 10, 26, 12);
const HOUR = 3_600_000;
const WINDOW = 10_000;

let folder: string;
let stores: Stores;
let hub: StartedUsers;
let editor: SignedInPerson;
let viewer: SignedInPerson;
let host: HostFeed;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-models-'));
  stores = await startStores();
  const services = [
    { definition: monitoring as unknown as ServiceDefinition, prefixes: ['/api/v1/monitoring'] },
    { definition: predictions as unknown as ServiceDefinition, prefixes: [API] },
  ];
  const training = [await buildTrainingProgram(folder)];
  hub = await startUsers(services, { clock: createManualClock(NOW), ports: { series: stores.series }, training });
});
afterAll(async () => {
  await hub.stop();
  await stores.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  [editor, viewer] = [await hub.join('editor'), await hub.join('viewer')];
  host = await feedHost(hub.bus, editor.org, 'web-1');
});

const call = async (method: string, path: string, body?: object, by = editor) =>
  hub.call(method, `${API}/${path}`, { token: by.token, ...(body === undefined ? {} : { body }) });
const asked = async (path: string, by = viewer) => (await call('GET', path, undefined, by)).body;

type Samples = Readonly<Record<string, number>>;

/** Rows of a host, one each ten seconds from a time on, straight into the store. */
async function store(
  count: number,
  fromMs: number,
  row: (n: number) => Samples,
  { attributes = {}, stepMs = WINDOW }: { attributes?: Record<string, Record<string, string>>; stepMs?: number } = {},
) {
  // prettier-ignore
  const names = Object.keys(row(0));
  const series = names.map((name) => ({ name: name.split('#')[0]!, kind: 'gauge' as const, attributes: attributes[name] ?? {} })); // prettier-ignore
  const id = BigInt(`0x${createHash('sha256').update(JSON.stringify(series)).digest('hex').slice(0, 15)}`);
  const blocks = Array.from({ length: count }, (_, n) => {
    const values = Float64Array.from(Object.values(row(n)));
    return { table: id, timeMs: fromMs + n * stepMs, values };
  });
  const key = { agent: randomUUID(), epoch: 1n, lane: 1, seq: 1n };
  await stores.series.append(editor.org, { resource: host.resource, key, tables: [{ id, series }], blocks });
}
const thisWindow = (): number => Math.floor(hub.clock.now() / WINDOW) * WINDOW;

/** So many hours of rows up to now: five metrics that wander together, one that is always the same, and one of the agent itself. */
async function live(hours: number): Promise<void> {
  await host.send({ timeMs: hub.clock.now(), samples: [{ name: 'still', value: 7 }] }); // So that the host is known.
  let wander = 0;
  const random = createRandom(5); // The same past each time.
  const noise = (): number => 0.1 * (random() - 0.5);
  const rows = hours * 360;
  await store(rows, thisWindow() - rows * WINDOW, () => {
    wander = 0.9 * wander + 0.2 * (random() - 0.5);
    const moving = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name, n) => [name, (n + 1) * wander + noise()]));
    return { ...moving, still: 7, 'outrider.agent.cpu': random() };
  });
}

/** Asks for a model and waits for what became of it. */
async function train(by = editor): Promise<Record<string, unknown>> {
  const { status, body, headers } = await call('POST', 'train-model', { resource: host.resource, days: 1 }, by);
  expect(status, JSON.stringify(body)).toBe(202);
  expect(headers['location']).toBe(`${API}/jobs/${String(body['id'])}`);
  return over(String(body['id']));
}
const over = (id: string): Promise<Record<string, unknown>> => {
  let looks = 0;
  return until('the job is over', async () => {
    // It begins within five seconds; however long this machine takes for it, nobody's token ends meanwhile.
    await hub.clock.advance(looks++ < 6 ? 1000 : 20);
    const job = await asked(`jobs/${id}`);
    return ['queued', 'running'].includes(String(job['state'])) ? undefined : job;
  }, 90); // prettier-ignore
};
/** What an agent hears when it says what it has. */
const report = async (models: object[] = [], revision = 0) => {
  const body = JSON.stringify({ org: editor.org, agent: host.resource, revision, models });
  const ask = { method: 'POST', path: '/internal/predictions/reports', body } as const;
  return (await hub.peers.json<{ detection: Given | null }>('predictions', ask)).detection;
};
interface Given {
  revision: number;
  models: { alias: string; version: string; digest: string; document: string }[];
}
const aliases = async () => asked(`aliases/${host.resource}`);

describe('a model', { timeout: 120_000 }, () => {
  test('is made of a host’s past, judges when it is the first that passed its gate, and reaches the agent', async () => {
    await live(5);
    const job = await train();
    expect(job, JSON.stringify(job)).toMatchObject({ state: 'done', progress: 1, problem: null, by: editor.username });
    const version = String(job['version']);
    const model = await asked(`models/${version}`);
    expect(model).toMatchObject({
      resource: host.resource,
      features: 5,
      aliases: ['champion'],
      gate: { passed: true },
    });
    expect(model['window']).toMatchObject({ rows: 1574 }); // Seven eighths of five hours, less the first row.
    const { headers, body } = await call('GET', `models/${version}/document`, undefined, viewer);
    expect(headers['content-disposition']).toBe(`attachment; filename="${version}.json"`);
    const { document } = readHostModel(JSON.stringify(body));
    expect(document.features.map(({ metric }) => metric)).toEqual(['a', 'b', 'c', 'd', 'e']);
    const given = await report();
    expect(given?.models).toEqual([{ alias: 'champion', version, digest: document.digest, document: JSON.stringify(body) }]); // prettier-ignore
    const held = [{ version, alias: 'champion', inUse: true, problem: '' }];
    expect((await report(held))?.models[0]?.document).toBe('');
    expect(await report(held, given?.revision)).toBeNull();
    expect(await aliases()).toMatchObject({ champion: { version }, shadow: null, told: held });
  });

  test('that comes later is tried beside the champion, takes its place by hand, and is rolled back', async () => {
    await live(5);
    const first = String((await train())['version']);
    await hub.clock.advance(1000);
    const second = String((await train())['version']);
    expect(await aliases()).toMatchObject({ champion: { version: first }, shadow: { version: second } });
    expect((await report())?.models.map(({ alias }) => alias)).toEqual(['champion', 'shadow']);
    const beside = await call('PUT', `aliases/${host.resource}/shadow`, { version: first });
    expect(beside.body).toMatchObject({ status: 409, code: 'predictions.is-champion' });
    expect(await aliases()).toMatchObject({ champion: { version: first }, before: null });
    expect((await call('DELETE', `models/${second}`)).body).toMatchObject({ code: 'predictions.model-in-use' });
    const moved = await call('PUT', `aliases/${host.resource}/champion`, { version: second });
    expect(moved.body).toMatchObject({
      champion: { version: second, by: editor.username },
      shadow: null,
      before: first,
    });
    expect((await report())?.models.map(({ version }) => version)).toEqual([second]);
    const back = await call('POST', `aliases/${host.resource}/rollback`);
    expect(back.body).toMatchObject({ champion: { version: first } });
    expect((back.body['history'] as object[])[0]).toMatchObject({ alias: 'champion', before: second, version: first });
    expect((await call('DELETE', `models/${second}`)).status).toBe(204);
    expect((await call('GET', `models/${second}`)).body).toMatchObject({ code: 'predictions.no-model' });
    expect(await aliases()).toMatchObject({ before: null });
    expect((await call('POST', `aliases/${host.resource}/rollback`)).body).toMatchObject({
      code: 'predictions.nothing-before',
    });
    const none = await call('PUT', `aliases/${host.resource}/champion`, { version: null });
    expect(none.body).toMatchObject({ champion: null });
    expect((await report())?.models).toEqual([]);
  });

  test('is made anew of a host whose series are others than those of its champion', async () => {
    await live(5);
    const first = String((await train())['version']);
    hub.clock.jump(30 * HOUR);
    [editor, viewer] = [await hub.signIn(editor), await hub.signIn(viewer)];
    const random = createRandom(7);
    await host.send({ timeMs: hub.clock.now(), samples: [{ name: 'still', value: 7 }] });
    await store(5 * 360, thisWindow() - 5 * HOUR, () => ({ v: random(), w: random(), x: random(), y: random() }));
    const job = await train();
    expect(job, JSON.stringify(job)).toMatchObject({ state: 'done' });
    expect(await asked(`models/${String(job['version'])}`)).toMatchObject({ features: 4 });
    expect(await aliases()).toMatchObject({ champion: { version: first } });
  });

  test('that did not pass its gate judges only when somebody insists', async () => {
    await live(5);
    // What the model has not seen is nothing like what it learnt.
    await store(180, thisWindow(), () => Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, 50 * Math.random()]))); // prettier-ignore
    await hub.clock.advance(HOUR / 2);
    [editor, viewer] = [await hub.signIn(editor), await hub.signIn(viewer)];
    const version = String((await train())['version']);
    expect(await asked(`models/${version}`)).toMatchObject({ gate: { passed: false }, aliases: [] });
    const path = `aliases/${host.resource}/champion`;
    const refused = await call('PUT', path, { version });
    expect(refused.body).toMatchObject({ status: 409, code: 'predictions.gate-closed' });
    expect(refused.body['detail']).toMatch(/%/);
    expect((await call('PUT', path, { version, force: true })).body).toMatchObject({ champion: { version } });
  });

  test('is not made of too little, nor of a host that somebody else has; and why stays with the job', async () => {
    await live(1);
    // What is left of older days is one sample a minute: that says nothing of how a host changes in ten seconds.
    await store(600, thisWindow() - 15 * HOUR, () => ({ a: 1, b: 1, c: 2, d: 3 }), { stepMs: 60_000 });
    const job = await train();
    expect(job).toMatchObject({ state: 'failed', version: null, problem: { code: 'predictions.too-little' } });
    expect((job['problem'] as { detail: string }).detail).toMatch(/1\.0 hours.*takes 4/);
    const stranger = await hub.outsider();
    const theirs = await call('POST', 'train-model', { resource: host.resource }, stranger);
    expect(theirs.status).toBe(404);
    expect((await call('POST', 'train-model', { resource: randomUUID() })).status).toBe(404);
  });
});

describe('what cannot be read', { timeout: 120_000 }, () => {
  test('is left out of what an agent gets, and keeps nothing else from it', async () => {
    await live(5);
    const version = String((await train())['version']);
    await hub.blobs.delete(editor.org, `models/${host.resource}/${version}.json`);
    expect(await report()).toMatchObject({ models: [] });
    expect((await report([{ version, alias: 'champion', inUse: true, problem: '' }]))?.models).toMatchObject([
      { version },
    ]);
  });
});

describe('work', { timeout: 120_000 }, () => {
  test('of one host is done one at a time, can be cancelled, and is listed', async () => {
    await live(5);
    const { body: job } = await call('POST', 'train-model', { resource: host.resource });
    const again = await call('POST', 'train-model', { resource: host.resource });
    expect(again.body).toMatchObject({ status: 409, code: 'predictions.already-training', job: job['id'] });
    expect((await call('DELETE', `jobs/${String(job['id'])}`)).status).toBe(204);
    expect(await over(String(job['id']))).toMatchObject({ state: 'cancelled', version: null });
    expect((await call('DELETE', `jobs/${String(job['id'])}`)).body).toMatchObject({ code: 'predictions.job-over' });
    expect((await call('DELETE', `jobs/${randomUUID()}`)).body).toMatchObject({ code: 'predictions.no-job' });
    expect(await asked(`jobs?resource=${host.resource}&state=cancelled`)).toMatchObject({ total: 1 });
    expect(await asked(`jobs?resource=${host.resource}&state=done`)).toMatchObject({ total: 0, items: [] });
    expect(await asked(`models?resource=${host.resource}`)).toMatchObject({ total: 0 });
  });
});

describe('by themselves', { timeout: 120_000 }, () => {
  const look = () => hub.runScheduled('keep-models');
  const jobsOf = async (): Promise<number> => Number((await asked(`jobs?resource=${host.resource}`))['total']);

  test('models are made once a host is known for a day, and a shadow takes the place of a champion that alerts more', async () => {
    await report();
    await look();
    expect(await jobsOf()).toBe(0);
    hub.clock.jump(26 * HOUR);
    [editor, viewer] = [await hub.signIn(editor), await hub.signIn(viewer)];
    await live(5);
    await look();
    await look();
    expect(await jobsOf()).toBe(1);
    const [waiting] = (await asked(`jobs?resource=${host.resource}`))['items'] as { id: string }[];
    const champion = String((await over(waiting!.id))['version']);
    await hub.clock.advance(1000);
    const shadow = String((await train())['version']);
    expect(await aliases()).toMatchObject({ champion: { version: champion }, shadow: { version: shadow } });
    hub.clock.jump(25 * HOUR);
    [editor, viewer] = [await hub.signIn(editor), await hub.signIn(viewer)];
    await look();
    expect(await aliases()).toMatchObject({ shadow: { version: shadow } }); // Nobody saw it at work.
    const named = (alias: string, version: string) => ({ 'outrider.model.alias': alias, 'outrider.model.version': version }); // prettier-ignore
    const score = (n: number, every: number): number => (n % every === 0 ? 0.8 : 0);
    await store(
      5000,
      thisWindow() - 5000 * WINDOW,
      (n) => ({ 'outrider.host.model.score#c': score(n, 10), 'outrider.host.model.score#s': score(n, 100) }),
      {
        attributes: {
          'outrider.host.model.score#c': named('champion', champion),
          'outrider.host.model.score#s': named('shadow', shadow),
        },
      },
    );
    await look();
    const after = await aliases();
    expect(after).toMatchObject({ champion: { version: shadow, by: 'outrider' }, shadow: null });
    expect(JSON.stringify(after['history'])).toContain('in 5000 windows it alerted 50 times, the champion 500 times');
  });

  test('what belongs to a host goes with it', async () => {
    await live(5);
    const version = String((await train())['version']);
    await hub.bus.publish(SUBJECTS.resourceDeleted, editor.org, { resource: host.resource });
    expect(await asked(`models?resource=${host.resource}`)).toMatchObject({ total: 0 });
    expect(await jobsOf()).toBe(0);
    expect((await call('GET', `models/${version}/document`)).status).toBe(404);
  });
});

describe('who may', { timeout: 120_000 }, () => {
  test('viewers see and change nothing; another org sees nothing', async () => {
    await live(5);
    const job = await train();
    const version = String(job['version']);
    const stranger = await hub.outsider();
    const changes: [string, string, object | undefined, number][] = [
      ['POST', 'train-model', { resource: host.resource }, 404],
      ['DELETE', `jobs/${String(job['id'])}`, undefined, 404],
      ['DELETE', `models/${version}`, undefined, 404],
      ['PUT', `aliases/${host.resource}/shadow`, { version }, 404],
      ['POST', `aliases/${host.resource}/rollback`, undefined, 409], // Of its own it has none of that name.
    ];
    for (const [method, path, body, theirs] of changes) {
      expect((await call(method, path, body, viewer)).status, path).toBe(403);
      expect((await hub.call(method, `${API}/${path}`, body === undefined ? {} : { body })).status, path).toBe(401);
      expect((await call(method, path, body, stranger)).status, path).toBe(theirs);
    }
    for (const path of [`models/${version}`, `models/${version}/document`, `jobs/${String(job['id'])}`])
      expect((await call('GET', path, undefined, stranger)).status, path).toBe(404);
    for (const path of ['models', 'jobs']) expect(await asked(path, stranger)).toMatchObject({ total: 0 });
    expect(await asked(`aliases/${host.resource}`, stranger)).toMatchObject({ champion: null, told: [], history: [] });
    expect(await aliases()).toMatchObject({ champion: { version } });
  });
});
