import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { expect, test } from 'vitest';
import { services } from '../../hub/catalogue.ts';
import { createSessions } from '../../hub/adapters/relational/sessions/index.ts';
import { createLogger } from '#sdk';
import { onOwnServer, onServer, onTools, ownName } from '../services/index.ts';
import { nats } from '../services/nats.ts';
import { postgres } from '../services/postgres.ts';
import { redis } from '../services/redis.ts';
import { victoriametrics } from '../services/victoriametrics.ts';
import { faultsOf, isPinned, read, ROOT, scratch } from './settings.ts';

const run = promisify(execFile);
const folder = scratch();
const COMPOSE = join(ROOT, 'deploy', 'compose');

interface Container {
  image: string;
  command?: string[];
  environment?: Record<string, string | null> | string[];
  healthcheck?: object;
  read_only?: boolean;
  restart?: string;
  security_opt?: string[];
  tmpfs?: string[];
  deploy?: { resources?: { limits?: { cpus?: string; memory?: string } } };
  ports?: { host_ip?: string; target: number }[];
  secrets?: { source: string }[];
  volumes?: { type: string; source: string; target: string }[];
}
interface Composed {
  services: Record<string, Container>;
  volumes?: Record<string, unknown>;
  secrets?: Record<string, { file: string }>;
}

const VARIANTS = {
  laptop: ['compose.laptop.yaml'],
  'all in one process': ['compose.yaml'],
  'on VictoriaMetrics': ['compose.yaml', 'compose.victoriametrics.yaml'],
  'one process per service': ['compose.yaml', 'compose.services.yaml'],
} as const;

const environmentOf = ({ environment = {} }: Container): Record<string, string> =>
  Object.fromEntries(
    Array.isArray(environment)
      ? environment.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
      : Object.entries(environment).map(([name, value]) => [name, value ?? '']),
  );

const hubsOf = ({ services: all }: Composed): [string, Container][] =>
  Object.entries(all).filter(([, { image }]) => image.startsWith('outrider-hub:'));

const targetOf = ({ command }: Container): string => command?.[command.indexOf('--target') + 1] ?? 'all';

/** Images that write beside their data, so that their root must stay writable. */
const WRITABLE = new Set(['elasticsearch', 'influxdb']);

await onTools(['compose-go'], (paths) => {
  const load = async (files: readonly string[]): Promise<Composed> => {
    const args = ['-format', 'json', ...files.map((file) => join(COMPOSE, file))];
    const { stdout } = await run(paths['compose-go'], args, { cwd: COMPOSE, env: {} });
    return JSON.parse(stdout) as Composed;
  };

  test.each(Object.entries(VARIANTS))(
    'compose, %s: each container is pinned, bounded, watched and shut in',
    async (_name, files) => {
      const { services: containers, volumes = {}, secrets = {} } = await load(files);
      const faults = Object.entries(containers).flatMap(([name, one]) => {
        const isJob = one.restart === 'on-failure';
        const named = (one.volumes ?? []).filter(({ type }) => type === 'volume').map(({ source }) => source);
        const bound = (one.volumes ?? []).filter(({ type }) => type === 'bind').map(({ source }) => source);
        return [
          ...(isPinned(one.image) ? [] : [`${name}: ${one.image} is not pinned`]),
          ...(one.security_opt?.includes('no-new-privileges:true') === true ? [] : [`${name}: may gain privileges`]),
          ...(one.read_only === true || WRITABLE.has(name) ? [] : [`${name}: its root is writable`]),
          ...(one.deploy?.resources?.limits?.memory !== undefined ? [] : [`${name}: memory without a limit`]),
          ...(one.deploy?.resources?.limits?.cpus !== undefined ? [] : [`${name}: processor without a limit`]),
          ...(isJob || one.restart === 'unless-stopped' ? [] : [`${name}: does not come back`]),
          // Our own image brings its check along.
          ...(isJob || one.healthcheck !== undefined || one.image.startsWith('outrider-')
            ? []
            : [`${name}: nobody checks it`]),
          ...(one.ports ?? [])
            .filter(({ host_ip: ip }) => ip !== '127.0.0.1')
            .map(({ target }) => `${name}: ${target} is open to the network`),
          ...named.filter((volume) => !(volume in volumes)).map((volume) => `${name}: no volume ${volume}`),
          ...bound.filter((path) => !existsSync(path)).map((path) => `${name}: ${path} does not exist`),
          ...(one.secrets ?? [])
            .filter(({ source }) => !(source in secrets))
            .map(({ source }) => `${name}: no secret ${source}`),
        ];
      });
      expect(faults).toEqual([]);
      const used = Object.values(containers).flatMap((one) => (one.volumes ?? []).map(({ source }) => source));
      expect(Object.keys(volumes).filter((volume) => !used.includes(volume))).toEqual([]);
    },
  );

  test('make-secrets writes every secret that a container asks for, once, and nobody else may enter their folder', async () => {
    const place = join(folder, 'secrets');
    const make = (): string => execFileSync(join(COMPOSE, 'make-secrets'), [place], { encoding: 'utf8' });
    make();
    const { secrets = {} } = await load(VARIANTS['all in one process']);
    const wanted = Object.values(secrets).map(({ file }) => file.split('/').at(-1) ?? '');
    expect(wanted.length).toBeGreaterThan(8);
    expect(readdirSync(place)).toEqual(expect.arrayContaining(wanted));
    expect(statSync(place).mode & 0o777).toBe(0o700);
    const before = readdirSync(place).map((file) => readFileSync(join(place, file), 'utf8'));
    expect(new Set(before).size).toBe(before.length);
    make();
    expect(readdirSync(place).map((file) => readFileSync(join(place, file), 'utf8'))).toEqual(before);
  });

  test.each(Object.entries(VARIANTS))(
    'compose, %s: the hub takes the settings of each process',
    async (name, files) => {
      const hubs = hubsOf(await load(files));
      for (const [container, one] of hubs) {
        const target = targetOf(one);
        // As the image sets it.
        const env = { OUTRIDER_LISTEN: '0.0.0.0', ...environmentOf(one) };
        const text = name === 'laptop' ? '' : read('compose/hub.yaml');
        expect(await faultsOf(folder, { text, env, target }), container).toEqual([]);
        const web = target.includes('gateway') || target === 'all' ? 8080 : services[target]?.port;
        expect(Number(env['OUTRIDER_PORT' as keyof typeof env] ?? 8080), `${container}: port`).toBe(web);
      }
      const exposed = hubs.flatMap(([, { ports = [] }]) => ports.map(({ target }) => target));
      expect(exposed.toSorted()).toEqual([4320, 8080]);
    },
  );

  test('one process per service: each service of the catalogue is there alone, where its sisters look for it', async () => {
    const composed = await load(VARIANTS['one process per service']);
    const targets = new Map(hubsOf(composed).map(([name, one]) => [name, targetOf(one)]));
    expect(targets.get('hub')).toBe('gateway,ingest');
    targets.delete('hub');
    const alone = Object.keys(services).filter((name) => name !== 'gateway');
    expect([...targets].toSorted()).toEqual(alone.map((name) => [name, name]).toSorted());
    const told = [...read('compose/hub.yaml').matchAll(/^ {4}(\w+): \[http:\/\/(\w+):(\d+)\]$/gm)].map((row) =>
      row.slice(1),
    );
    expect(told.toSorted()).toEqual(alone.map((name) => [name, name, String(services[name]?.port)]).toSorted());
    const scraped = [...read('prometheus/prometheus.yml').matchAll(/names: \[(\w+)\], type: A, port: (\d+)/g)].map(
      (row) => row.slice(1),
    );
    expect(scraped.toSorted()).toEqual(
      [['hub', '8080'], ...alone.map((name) => [name, String(services[name]?.port)])].toSorted(),
    );
  });
});

await onServer(nats, ({ program }) => {
  test.skipIf(program === '')('NATS reads nats.conf, and what it acknowledged is on disk', async () => {
    for (const part of ['etc/nats', 'run/secrets']) mkdirSync(join(folder, part), { recursive: true });
    writeFileSync(join(folder, 'etc/nats/nats.conf'), read('compose/nats.conf'));
    writeFileSync(join(folder, 'run/secrets/nats-auth.conf'), 'password: "x"\n');
    const { stderr } = await run(program, ['-t', '--config', join(folder, 'etc/nats/nats.conf')]);
    expect(stderr).toContain('is valid');
  });
});

test('every configuration of NATS below deploy/ syncs before it acknowledges', () => {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'deploy'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .trim()
    .split('\n');
  const texts = files
    .map((file) => [file, readFileSync(join(ROOT, file), 'utf8')] as const)
    .filter(([, text]) => /^\s*jetstream\s*\{/m.test(text));
  expect(texts.length).toBeGreaterThan(0);
  expect(
    texts.filter(([, text]) => !/^\s*sync_interval: always$/m.test(text) || !/^\s*store_dir:/m.test(text)),
  ).toEqual([]);
});

await onOwnServer(redis, (start) => {
  test('Redis takes every line of redis.conf', async () => {
    const lines = read('compose/redis.conf')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    const own = new Set(['bind', 'port', 'dir', 'include', 'protected-mode']);
    const args = lines
      .map((line) => line.split(' '))
      .filter(([name = '']) => !own.has(name))
      .flatMap(([name = '', ...values]) => [`--${name}`, ...values]);
    expect(args).toContain('volatile-lru');
    await start({ args });
  });
});

await onOwnServer(victoriametrics, (start) => {
  test('VictoriaMetrics takes every flag', async () => {
    const flags = [...read('compose/compose.victoriametrics.yaml').matchAll(/^ +- (--[\w.]+=\S+)$/gm)].map(
      ([, flag = '']) => flag,
    );
    expect(flags).toContain('--dedup.minScrapeInterval=1ms');
    await start({ args: flags.filter((flag) => !/storageDataPath|httpListenAddr/.test(flag)) });
  });
});

await onServer(postgres, ({ url }) => {
  test('the role that postgres-role.sh makes is enough for the hub, and no superuser', async () => {
    const name = ownName('role');
    const sql = /<<'SQL'\n([\s\S]*)\nSQL/.exec(read('compose/postgres-role.sh'))?.[1] ?? '';
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    const own = new URL(url);
    Object.assign(own, { username: name, password: 'secret', pathname: `/${name}` });
    const sessions = createSessions({ connectionString: own.href, max: 2 }, name, createLogger('info', []));
    try {
      for (const statement of sql.replaceAll(":'password'", "'secret'").replaceAll('outrider', name).split(';'))
        if (statement.trim() !== '') await admin.query(statement);
      const { rows } = await admin.query(
        'SELECT rolsuper, rolcreaterole, rolinherit FROM pg_roles WHERE rolname = $1',
        [name],
      );
      expect(rows).toEqual([{ rolsuper: false, rolcreaterole: true, rolinherit: false }]);
      await sessions.open();
      await sessions.port.check();
    } finally {
      await sessions.close();
      await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await admin.query(`DROP ROLE IF EXISTS ${name}`);
      await admin.end();
    }
  });
});

await onTools(['promtool'], ({ promtool }) => {
  test('Prometheus takes its settings, and the rules fire as their tests say', async () => {
    const place = join(ROOT, 'deploy', 'prometheus');
    expect((await run(promtool, ['check', 'config', 'prometheus.yml'], { cwd: place })).stdout).toMatch(
      /SUCCESS: \d+ rules found/,
    );
    expect((await run(promtool, ['test', 'rules', 'outrider-rules.test.yaml'], { cwd: place })).stdout).toContain(
      'SUCCESS',
    );
  });
});
