import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKOUT_ROOT, freePort, runProgram, signIn, startProgram, until } from '#kit/programs.ts';
import { startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

let hub: RunningHub;
const scratch: string[] = [];
beforeAll(async () => {
  hub = await startHubProgram();
});
afterAll(async () => hub.close());
afterEach(() => scratch.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'outrider-start-'));
  scratch.push(path);
  return path;
}

function occupy(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

/** `make start` on free ports. */
function start(data: string, [port, grpcPort]: readonly [number, number]) {
  const args = ['.make/start.mjs', '--port', String(port), '--grpc-port', String(grpcPort), '--data', data];
  const make = spawn(process.execPath, args, { cwd: CHECKOUT_ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [make.stdout, make.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  return { make, output: () => output, ended: new Promise((resolve) => make.once('exit', resolve)) };
}

/** What a file of each process says, by its number. */
function everyProcess(file: 'cmdline' | 'stat'): [pid: number, text: string][] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid): [number, string][] => {
      try {
        return [[Number(pid), readFileSync(`/proc/${pid}/${file}`, 'utf8').replaceAll('\0', ' ')]];
      } catch {
        return []; // It has ended meanwhile.
      }
    });
}

const processesOf = (program: RegExp, data: string): number[] =>
  everyProcess('cmdline').flatMap(([pid, line]) => (program.test(line) && line.includes(data) ? [pid] : []));

const childrenOf = (parent: number): number[] =>
  everyProcess('stat').flatMap(([pid, line]) => (Number(/\) \S (\d+)/.exec(line)?.[1]) === parent ? [pid] : []));

/** Hubs and agents that run on a data folder now. */
const runningOn = (data: string): number[] => processesOf(/dist\/outrider-(hub|agent) run/, data);

test('make start brings live numbers of this machine, and Ctrl-C ends it all', async () => {
  const data = folder();
  const port = await freePort();
  const { make, ended, output: written } = start(data, [port, await freePort()]);
  try {
    await until('it is ready', () => written().includes(`ready  http://127.0.0.1:${port}`) || undefined, 60);
    const [, username = '', password = ''] = /sign in as (\S+) with password (\S+)/.exec(written()) ?? [];
    const kept = JSON.parse(readFileSync(join(data, 'hub', 'first-sign-in.json'), 'utf8')) as Record<string, string>;
    expect(kept).toEqual({ username, password, id: expect.any(String) as string });
    expect(statSync(join(data, 'hub', 'first-sign-in.json')).mode & 0o777).toBe(0o600);
    const api = await signIn(`http://127.0.0.1:${port}`, username, password);
    const host = await until('the host is there', async () => {
      const { items } = await api.call<{ items: { id: string }[] }>('GET', '/api/v1/monitoring/resources');
      return items[0]?.id;
    });
    const newest = async (): Promise<number | undefined> => {
      const { series } = await api.call<{ series: { times: number[] }[] }>(
        'GET',
        `/api/v1/monitoring/metrics/${host}?name=system.cpu.busy&from=-1m&step=1s`,
      );
      return series[0]?.times.at(-1);
    };
    const first = await until('numbers arrive', newest, 10);
    await until('numbers move', async () => ((await newest()) ?? 0) > first || undefined, 10);
    await api.call('POST', '/api/v1/users/password', { old: password, new: 'a longer secret, chosen' });
    await until('the password file is gone', () => !existsSync(join(data, 'hub', 'first-sign-in.json')) || undefined);
  } finally {
    make.kill('SIGINT');
    await ended;
  }
  expect(written()).toContain('stopped');
  expect(make.exitCode).toBe(0);
  expect(runningOn(data)).toEqual([]);
});

test('a make start that is killed leaves nothing behind, and the next one finds the data again', async () => {
  const data = folder();
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const { make, ended, output } = start(data, [await freePort(), await freePort()]);
    await until('it is ready', () => output().includes('ready  ') || undefined, 60);
    expect(runningOn(data)).toHaveLength(2);
    make.kill(signal);
    await ended;
    await until('hub and agent have ended', () => runningOn(data).length === 0 || undefined);
  }
});

test('when its hub is killed, make start ends all that it started', async () => {
  const data = folder();
  const { make, ended, output } = start(data, [await freePort(), await freePort()]);
  try {
    await until('it is ready', () => output().includes('ready  ') || undefined, 60);
    const [hubPid = 0] = processesOf(/dist\/outrider-hub run/, data);
    const databases = childrenOf(hubPid);
    expect(databases).not.toEqual([]);
    process.kill(hubPid, 'SIGKILL');
    await ended;
    expect(output()).toMatch(/the hub ended \(SIGKILL\)/);
    expect(everyProcess('cmdline').filter(([pid, line]) => line !== '' && databases.includes(pid))).toEqual([]);
    expect(runningOn(data)).toEqual([]);
  } finally {
    make.kill('SIGINT');
    await ended;
  }
});

test('a taken port is one sentence that says what to do', async () => {
  const port = await freePort();
  const server = await occupy(port);
  const { code, output } = await runProgram('hub', [
    'run',
    '--quiet',
    '--data',
    folder(),
    '--port',
    String(port),
    '--grpc-port',
    String(await freePort()),
  ]);
  server.close();
  expect(code).toBe(1);
  expect(output).toMatch(
    new RegExp(`^outrider-hub: Port ${port} .* is taken by another program. Stop it, or choose another port: .*\n$`),
  );
});

test('a taken port for agents is one sentence that says what to do', async () => {
  const port = await freePort();
  const server = await occupy(port);
  const { code, output } = await runProgram('hub', [
    'run',
    '--quiet',
    '--data',
    folder(),
    '--port',
    String(await freePort()),
    '--grpc-port',
    String(port),
  ]);
  server.close();
  expect(code).toBe(1);
  expect(output).toMatch(new RegExp(`^outrider-hub: .*${port}.* is taken .*\n$`));
});

test('a second hub on the same data is told which process to stop', async () => {
  const { code, output } = await runProgram('hub', [
    'run',
    '--quiet',
    '--data',
    hub.data,
    '--port',
    String(await freePort()),
  ]);
  expect(code).toBe(1);
  expect(output).toMatch(
    /^outrider-hub: .* is in use by process \d+\. Stop that hub first, or give this one a data folder of its own\.\n$/,
  );
});

test('a data folder that cannot be written is one sentence that says what to do', async () => {
  const file = join(folder(), 'file');
  writeFileSync(file, '');
  const { code, output } = await runProgram('hub', ['run', '--quiet', '--data', join(file, 'data')]);
  expect(code).toBe(1);
  expect(output).toMatch(/^outrider-hub: .* cannot be written .* choose another folder with --data\.\n$/);
});

test('a data folder of a newer version is refused', async () => {
  const data = folder();
  writeFileSync(join(data, 'format'), '999\n');
  const { code, output } = await runProgram('hub', ['run', '--quiet', '--data', data]);
  expect(code).toBe(1);
  expect(output).toContain('Install the newer version again');
});

test('every fault of the settings is printed at once', async () => {
  const config = join(folder(), 'outrider-hub.yaml');
  writeFileSync(config, 'port: high\nlog: { level: loud }\nnonsense: 1\n');
  const { code, output } = await runProgram('hub', ['check-config', '--config', config]);
  expect(code).toBe(1);
  for (const place of ['port', 'log.level', 'nonsense']) expect(output).toContain(place);
});

test.each(['check-config', 'run'])(
  '%s finds settings that contradict each other, before anything starts',
  async (name) => {
    const config = join(folder(), 'outrider-hub.yaml');
    const lines = [
      'port: 8123',
      'ingest: { port: 8123 }',
      'listen: 999.1.1.1',
      'tls: { certificate: /nope }',
      'egress: { allow: ["10.0.0.0/99"] }',
      'relational: { adapter: postgres }',
      'gateway: { burst: 1.5 }',
    ];
    writeFileSync(config, lines.join('\n'));
    const { code, output } = await runProgram('hub', [name, '--config', config, '--data', folder()]);
    expect(code).toBe(1);
    for (const place of ['port', 'listen', 'tls.key', 'egress.allow', 'relational.url', 'gateway.burst'])
      expect(output).toMatch(new RegExp(`^(outrider-hub: )?\\S+\\.yaml:\\d+:\\d+: ${place}: `, 'm'));
    expect(output).not.toContain('    at ');
  },
);

test.each([
  ['hub', 'OUTRIDER_PROT', 'OUTRIDER_PORT'],
  ['agent', 'OUTRIDER_OWN_LOGS', 'OUTRIDER_OWN_LOG'],
] as const)('a misspelt variable of the %s is named with the one that is meant', async (name, variable, meant) => {
  const { code, output } = await runProgram(name, ['check-config'], { env: { [variable]: '1' } });
  expect(code).toBe(0);
  expect(output).toContain(`${variable} (is ${meant} meant?)`);
});

test.each([
  ['hub', ['token', 'create', '--help']],
  ['agent', ['status', '--help']],
] as const)('the help of a command of the %s names the flags that every command takes', async (name, args) => {
  const { code, output } = await runProgram(name, [...args]);
  expect(code).toBe(0);
  expect(output).toMatch(/--data <folder> +data folder/);
});

test('make add-host without a host says what to give', () => {
  const { status, stderr } = spawnSync('make', ['add-host'], { cwd: CHECKOUT_ROOT, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('make add-host HOST=web-1');
});

test('a misspelt command is named, and points at the help', async () => {
  const { code, output } = await runProgram('hub', ['frobnicate']);
  expect(code).toBe(2);
  expect(output).toContain("unknown command 'frobnicate'");
  expect(output).toContain('--help');
});

test('the help says where data lies and which targets there are', async () => {
  const { output } = await runProgram('hub', ['--help']);
  expect(output.replace(/\s+/g, ' ')).toMatch(/--data <folder> data folder \(default: .*outrider-hub\)/);
  expect(output.replace(/\s+/g, ' ')).toMatch(/--target <names> what to run: all, or services joined by commas/);
});

test('a wrong flag is a usage fault that points at the help', async () => {
  const { code, output } = await runProgram('hub', ['--prot', '1']);
  expect(code).toBe(2);
  expect(output).toContain('--help');
});

test.each(['laptop', 'one-server'])('the example settings %s are valid', async (name) => {
  const { code, output } = await runProgram('hub', [
    'check-config',
    '--config',
    join(CHECKOUT_ROOT, 'deploy', 'examples', `${name}.yaml`),
  ]);
  expect(output).toContain('the settings are valid');
  expect(code).toBe(0);
});

test('the hub says that it is live and ready, and describes its web API', async () => {
  expect((await fetch(`${hub.url}/live`)).status).toBe(200);
  expect((await fetch(`${hub.url}/ready`)).status).toBe(200);
  const document = (await (await fetch(`${hub.url}/openapi.json`)).json()) as {
    openapi: string;
    paths: Record<string, unknown>;
  };
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining(['/api/v1/auth/login', '/api/v1/monitoring/resources', '/api/v1/logs/search']),
  );
  expect(Object.keys(document.paths).filter((path) => path.startsWith('/internal'))).toEqual([]);
  expect(await (await fetch(`${hub.url}/metrics`)).text()).toContain('process_cpu_user_seconds_total');
});

test('NATS for agents that does not answer is named by the doctor and makes the hub not ready', async () => {
  const own = await startHubProgram(undefined, { env: { OUTRIDER_INGEST__NATS__SERVERS: '["nats://127.0.0.1:1"]' } });
  try {
    const { code, output } = await runProgram('hub', ['doctor', '--data', own.data]);
    expect(output).toMatch(/failing +ingest: NATS for agents at nats:\/\/127\.0\.0\.1:1 cannot be used/);
    expect(output).toMatch(/ok +relational: answers/);
    expect(code).toBe(1);
    expect((await fetch(`${own.urls['ingest'] ?? own.url}/ready`)).status).toBe(503);
  } finally {
    await own.close();
  }
});

test('a hub whose terminal is gone runs on, and stops in order', async () => {
  const [port, grpcPort] = [await freePort(), await freePort()];
  const args = ['run', '--data', folder(), '--port', String(port), '--grpc-port', String(grpcPort)];
  const program = startProgram('hub', args);
  program.child.stdout?.destroy();
  program.child.stderr?.destroy();
  try {
    await until('it is ready', async () => (await fetch(`http://127.0.0.1:${port}/ready`)).ok || undefined, 60);
  } finally {
    await program.stop();
  }
  expect((await program.ended).code).toBe(0);
});
