import { appendFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { createTestAuthority } from '#kit/authority.ts';
import { LogsSchema } from '#proto/agent/v1/index.ts';
import { loadSettings, silentLogger, systemClock, type LineSink } from '#sdk';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { collectorsFor } from '../../plugins/collectors/catalogue.ts';
import { agentSchema, type AgentSettings, type LoadedSettings } from '../config.ts';
import { loadAgentSettings } from '../load.ts';
import { keepIdentity } from '../link/identity.ts';
import { openSpool } from '../spool/index.ts';
import { startAgent, type StartedAgent } from '../start.ts';
import { readStatus } from '../status.ts';

let folder = '';
let data = '';
let file = '';
const said: Record<string, unknown>[] = [];
const sink: LineSink = { write: (line) => void said.push(JSON.parse(line) as Record<string, unknown>) };
const agents = new Set<StartedAgent>();

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-reload-'));
  data = join(folder, 'data');
  file = join(folder, 'agent.yaml');
  said.length = 0;
  const authority = await createTestAuthority();
  // Nobody listens there: all that is read stays in the spool.
  keepIdentity(data, {
    agentId: 'agent-1',
    link: '127.0.0.1:1',
    ca: authority.ca,
    ...(await authority.agent('agent-1')),
  });
});
afterEach(async () => {
  for (const agent of agents) await agent.stop();
  agents.clear();
  rmSync(folder, { recursive: true, force: true });
});

async function load(): Promise<LoadedSettings> {
  const schema = agentSchema(await collectorsFor(process.platform));
  return { settings: loadSettings(schema, { file, env: {}, flags: {} }) as AgentSettings, file, unknown: [] };
}
async function start(tree: object): Promise<StartedAgent> {
  put(tree);
  return startWith(await load());
}
async function startWith(loaded: LoadedSettings): Promise<StartedAgent> {
  const read = loaded.file === undefined ? loadFound : load;
  const options = {
    loaded,
    load: read,
    file: () => (existsSync(file) ? file : undefined),
    clock: systemClock,
    sinks: [sink],
    inventoryEntry: undefined,
    trainingEntry: undefined,
  };
  const agent = await startAgent(options);
  agents.add(agent);
  return agent;
}
/** As the program itself looks for a file. */
const loadFound = (): Promise<LoadedSettings> =>
  loadAgentSettings({ file: existsSync(file) ? file : undefined, env: {}, flags: { data, ownLog: false } });
const put = (tree: object): void => writeFileSync(file, stringify({ data, ownLog: false, ...tree }));
const messages = (): string[] => said.map(({ msg }) => String(msg));
const renewed = (): unknown => said.filter(({ msg }) => msg === 'the settings were read again').at(-1)?.['renewed'];

/** Texts of all lines in the spool, in order, by source. */
async function spooledLines(): Promise<string[]> {
  const spool = await openSpool({ folder: join(data, 'spool'), limit: 1e9, log: silentLogger });
  const lines: string[] = [];
  const reader = spool.reader('backfill');
  for (let batch = reader.next(); batch !== undefined; batch = reader.next()) {
    if (batch.logs.length === 0) continue;
    for (const chunk of fromBinary(LogsSchema, gunzipSync(batch.logs)).chunks)
      lines.push(...chunk.lines.map(({ text }) => text));
  }
  reader.close();
  await spool.close();
  return lines;
}

/** Writes numbered lines into files in turn and rotates them now and then. */
function startWriter(paths: readonly string[]) {
  let written = 0;
  let rotations = 0;
  const work = (): void => {
    const lines = Array.from({ length: 200 }, (_, n) => `line ${written + n} end\n`);
    const path = paths[written % paths.length] ?? '';
    written += lines.length;
    appendFileSync(path, lines.join(''));
    if (written % 8000 !== 0) return;
    renameSync(path, `${path}.${++rotations}`);
    appendFileSync(path, '');
  };
  const timer = setInterval(work, 5);
  return {
    written: () => written,
    stop: () => clearInterval(timer),
  };
}

/** A repeatable source of numbers in [0, 1). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

test('a hundred reloads at random, with faulty files among them, lose and double no line of files that are written and rotated', async () => {
  const random = randomFrom(20_261_126);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const paths = ['a.log', 'b.log', 'c.log'].map((name) => join(folder, name));
  for (const path of paths) writeFileSync(path, '');
  const logs = (): object[] =>
    pick(
      [{ include: [join(folder, '*.log')] }],
      paths.map((path) => ({ include: [path] })),
      [{ include: [join(folder, '[ab].log')], start: 'beginning' }, { include: [join(folder, 'c.log')] }],
    );
  const collectors = (): object => ({
    cpu: { enabled: random() < 0.5, interval: pick(1, 2) },
    memory: { enabled: random() < 0.5 },
  });
  const agent = await start({ logs: logs(), collectors: collectors() });
  const writer = startWriter(paths);
  for (let n = 0; n < 100; n++) {
    if (random() < 0.2) writeFileSync(file, pick('logs: [', 'collectors: { cpu: { interval: never } }', 'nonsense: 1'));
    else
      put({ logs: logs(), collectors: collectors(), labels: { n: String(n) }, log: { level: pick('info', 'warn') } });
    await agent.reload();
  }
  writer.stop();
  put({ logs: [{ include: [join(folder, '*.log')] }] });
  await agent.reload();
  await vi.waitFor(() => expect(readStatus(data)?.linesRead).toBe(writer.written()), { timeout: 30_000 });
  await agent.stop();
  const lines = await spooledLines();
  expect(lines).toHaveLength(writer.written());
  expect(new Set(lines).size).toBe(writer.written());
  expect(messages()).toContain('the new settings cannot be used; the agent runs on with the old ones');
}, 180_000);

test('only what changed is made anew, and what needs a restart is told', async () => {
  const agent = await start({ collectors: { cpu: { interval: 1 } } });
  await agent.reload();
  expect(renewed()).toBe('nothing');
  put({ collectors: { cpu: { interval: 2 }, load: { enabled: false } } });
  await agent.reload();
  expect(renewed()).toBe('cpu, load');
  put({
    collectors: { cpu: { interval: 2 }, load: { enabled: false } },
    labels: { role: 'web' },
    log: { level: 'debug' },
  });
  await agent.reload();
  expect(renewed()).toBe('link, log');
  writeFileSync(file, stringify({ data: join(folder, 'elsewhere'), ownLog: false }));
  await agent.reload();
  expect(messages()).toContain('some settings take effect with the next start only');
  put({});
  await agent.reload();
  await agent.stop();
  expect(readStatus(data)?.settings).toMatchObject({ file, awaitRestart: [] });
});

test('a file that became faulty is noticed, told with its line and left out until it is mended', async () => {
  const agent = await start({ collectors: { cpu: { interval: 1 } } });
  writeFileSync(file, 'ownLog: false\ncollectors:\n  cpu:\n    interval: often\n');
  const fault = (): string => String(said.findLast(({ level }) => level === 'error')?.['reason'] ?? '');
  await vi.waitFor(() => expect(fault()).toMatch(/agent\.yaml:4:\d+: collectors\.cpu\.interval: /), {
    timeout: 20_000,
  });
  put({ collectors: { cpu: { interval: 3 } } });
  await vi.waitFor(() => expect(renewed()).toBe('cpu'), { timeout: 20_000 });
  rmSync(file);
  await vi.waitFor(() => expect(fault()).toMatch(/agent\.yaml.*there is no such file/), { timeout: 25_000 });
  writeFileSync(file, 'ownLog: maybe\nlog: { level: loud }\n');
  await agent.reload();
  await agent.stop();
  expect(readStatus(data)?.settings.faults).toEqual([
    expect.stringContaining(`${file}:1:1: ownLog: `),
    expect.stringContaining(`${file}:2:8: log.level: `),
  ]);
  expect(readFileSync(join(data, 'log', 'agent.log'), 'utf8')).toContain('the agent runs on with the old ones');
}, 90_000);

test('a file that is made while the agent runs, or while it starts, is taken into use', async () => {
  const agent = await startWith(await loadFound());
  put({ collectors: { cpu: { interval: 7 } } });
  await vi.waitFor(() => expect(renewed()).toBe('cpu'), { timeout: 20_000 });
  await agent.stop();
  agents.delete(agent);
  rmSync(file);
  said.length = 0;
  const early = await loadFound();
  put({ collectors: { load: { interval: 7 } } });
  await startWith(early);
  await vi.waitFor(() => expect(renewed()).toBe('load'), { timeout: 20_000 });
});
