import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CHECKOUT_ROOT, until } from '../kit/programs.ts';
import { onServer } from './index.ts';
import { keep, keptFolder } from './kept.ts';
import { defineServer, type OwnServer, type Recipe, type ServerKind } from './kind.ts';
import { answers, bornOf, endInstance, lives } from './processes.ts';
import type { Had, Source } from './sources.ts';

interface Echo {
  url: string;
  key: string;
}

const NODE: Had = { program: process.execPath, how: 'Node' };
const SERVER = `require('http').createServer((_, answer) => answer.end('here')).listen(Number(process.argv[1]), '127.0.0.1')`;
const have = (had: Had | undefined | Error): Source => ({
  get: () => (had instanceof Error ? Promise.reject(had) : Promise.resolve(had)),
});

function echo(changes: Partial<Recipe<Echo>> = {}): ServerKind<Echo> {
  return defineServer<Echo>({
    id: 'echo-for-tests',
    title: 'Echo',
    parts: ['key'],
    sources: [have(NODE)],
    address: (port) => ({ url: `http://127.0.0.1:${port}`, key: 'own' }),
    ready: ({ url }) => answers(url),
    command: ({ program }, { port }) => ({ program, args: ['-e', SERVER, String(port)] }),
    ...changes,
  });
}

/** Some tests start Node or vitest: a busy machine may need long. */
vi.setConfig({ testTimeout: 120_000 });

const running: OwnServer<Echo>[] = [];
let folder = '';

async function started(kind = echo()): Promise<OwnServer<Echo>> {
  const server = await (await kind.findOwn()).start();
  running.push(server);
  return server;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-kinds-'));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('OUTRIDER_TEST_SERVICES', join(folder, 'services.json'));
  vi.stubEnv('OUTRIDER_TEST_RESULTS', join(folder, 'results'));
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

test('an address in the environment wins, then one of make services, then the first program that can be had', async () => {
  const { address } = await started();
  writeFileSync(join(folder, 'services.json'), JSON.stringify({ 'echo-for-tests': { address, how: 'Node' } }));
  vi.stubEnv('OUTRIDER_TEST_ECHO_FOR_TESTS', '{"url":"http://elsewhere:1","key":"given"}');
  const named = await echo().find();
  expect(named.how).toBe('OUTRIDER_TEST_ECHO_FOR_TESTS');
  expect((await named.start()).address).toEqual({ url: 'http://elsewhere:1', key: 'given' });

  vi.stubEnv('OUTRIDER_TEST_ECHO_FOR_TESTS', '');
  const shared = await echo().find();
  expect(shared.how).toBe('make services');
  const one = await shared.start();
  expect(one.address).toEqual(address);
  await one.stop();
  await answers(address.url);

  await running.splice(0)[0]?.stop();
  const sources = [have(undefined), have(new Error('no network')), have({ ...NODE, how: 'third' }), have(NODE)];
  expect((await echo({ sources }).find()).how).toBe('third');
});

test('a server of its own is never one that others use', async () => {
  vi.stubEnv('OUTRIDER_TEST_ECHO_FOR_TESTS', '{"url":"http://elsewhere:1","key":"given"}');
  expect((await echo().findOwn()).how).toBe('Node');
});

/** Puts a program named docker on PATH that answers with a shell's `case` on its first word. */
function pretendEngine(answers: string): void {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'docker'), `#!/bin/sh\ncase $1 in ${answers} esac\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${bin}:${process.env['PATH']}`);
}

test('a container engine that answers comes before installed programs; without the image they are asked', async () => {
  const kind = echo({ container: { image: 'echo:1', port: 80 } });
  pretendEngine('version) echo 1;; image) exit 0;;');
  expect((await kind.find()).how).toBe('docker: echo:1');
  rmSync(join(folder, 'bin'), { recursive: true });
  pretendEngine('version) echo 1;; *) echo "no such image" >&2; exit 1;;');
  expect((await kind.find()).how).toBe('Node');
  const none = echo({ container: { image: 'echo:1', port: 80 }, sources: [] });
  await expect(none.find()).rejects.toThrow(/install Echo.*; no container of echo:1: .*no such image/s);
});

test('an address that lacks a part is refused with what to write', async () => {
  vi.stubEnv('OUTRIDER_TEST_ECHO_FOR_TESTS', 'http://elsewhere:1');
  await expect(echo().find()).rejects.toThrow(
    'OUTRIDER_TEST_ECHO_FOR_TESTS names a Echo without key: write {"url":"…","key":"…"}',
  );
});

test('one that cannot be had says what to do and why each way failed, and no later test tries again', async () => {
  const none = echo({ sources: [have(undefined), have(new Error('to build it, install go'))] });
  const said = 'install Echo, or name one in OUTRIDER_TEST_ECHO_FOR_TESTS; to build it, install go';
  await expect(none.find()).rejects.toThrow(said);
  vi.stubEnv('OUTRIDER_TEST_UNAVAILABLE', JSON.stringify({ 'echo-for-tests': 'there is none' }));
  await expect(echo().find()).rejects.toThrow('there is none');
});

test('one that cannot be had fails its tests in CI, and its reason is written down for the closing table', async () => {
  vi.stubEnv('CI', 'true');
  const none = echo({ sources: [] });
  await expect(onServer(none, () => undefined)).rejects.toThrow('install Echo');
  const note: unknown = JSON.parse(readFileSync(join(folder, 'results', 'servers', 'echo.json'), 'utf8'));
  expect(note).toEqual({ server: 'Echo', had: false, reason: expect.stringContaining('install Echo') as string });
});

test('outside of CI its tests are skipped under its name', async () => {
  const [index, kind] = ['index.ts', 'kind.ts'].map((name) => JSON.stringify(join(import.meta.dirname, name)));
  const lines = [
    `import { onServer } from ${index};`,
    `import { defineServer } from ${kind};`,
    `await onServer(defineServer({ id: 'echo', title: 'Echo', sources: [] }), () => { throw new Error('declared'); });`,
  ];
  writeFileSync(join(folder, 'absent.test.ts'), lines.join('\n'));
  const args = [
    join(CHECKOUT_ROOT, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--root',
    folder,
    '--reporter',
    'verbose',
  ];
  const child = spawn(process.execPath, args, {
    cwd: CHECKOUT_ROOT,
    env: { ...process.env, CI: 'false', NO_COLOR: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(output).toContain('Echo could not be had: install Echo, or name one in OUTRIDER_TEST_ECHO');
  expect(output).toMatch(/Tests\s+1 (skipped|todo)/);
  expect(code).toBe(0);
});

test('a program is built once by those who want it together, and found by those who come later', async () => {
  let builds = 0;
  const build = async (half: string): Promise<void> => {
    builds += 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    writeFileSync(join(half, 'program'), 'whole');
  };
  const together = await Promise.all([1, 2, 3].map(() => keep('echo', '1', build)));
  const later = await keep('echo', '1', build);
  expect(builds).toBe(1);
  expect(together.filter(({ cached }) => !cached)).toHaveLength(1);
  expect(later.cached).toBe(true);
  expect(readFileSync(join(later.folder, 'program'), 'utf8')).toBe('whole');
});

test('the lock of a process that died is taken over', async () => {
  const child = spawn(process.execPath, ['-e', '']);
  const holder = { pid: child.pid, born: bornOf(child.pid ?? 0) };
  await new Promise((resolve) => child.once('exit', resolve));
  await keep('echo', '1', () => Promise.resolve());
  writeFileSync(join(keptFolder(), 'echo-2.lock'), JSON.stringify(holder));
  writeFileSync(join(keptFolder(), 'echo-3.lock'), '');
  for (const version of ['2', '3']) expect((await keep('echo', version, () => Promise.resolve())).cached).toBe(false);
  expect(readdirSync(keptFolder()).filter((name) => !/^echo-\d$/.test(name))).toEqual([]);
});

test('half of a program is never used, neither one whose build failed nor one that somebody left there', async () => {
  const failing = keep('echo', '1', (half) => {
    writeFileSync(join(half, 'program'), 'ha');
    return Promise.reject(new Error('disk full'));
  });
  await expect(failing).rejects.toThrow('disk full');
  expect(readdirSync(keptFolder())).toEqual([]);
  const whole = (half: string): Promise<void> => Promise.resolve(writeFileSync(join(half, 'program'), 'whole'));
  const { folder: kept } = await keep('echo', '1', whole);
  rmSync(join(kept, 'ready.json'));
  writeFileSync(join(kept, 'program'), 'ha');
  expect((await keep('echo', '1', whole)).cached).toBe(false);
  expect(readFileSync(join(kept, 'program'), 'utf8')).toBe('whole');
});

test('stopping ends what was started and nothing else', async () => {
  const [one, other] = [await started(), await started()];
  const { processes, folder: files } = one.instance;
  await one.stop();
  expect(processes.some(lives)).toBe(false);
  expect(existsSync(files)).toBe(false);
  await answers(other.address.url);

  // The same pid, given to another process meanwhile.
  const [{ pid } = { pid: 0 }] = other.instance.processes;
  await endInstance({ ...one.instance, processes: [{ pid, born: 'long ago' }] });
  await answers(other.address.url);
});

test('a killed server comes back on its address', async () => {
  const server = await started();
  await server.kill();
  await expect(answers(server.address.url)).rejects.toThrow();
  await server.again();
  await answers(server.address.url);
});

test('one that ends before it answers is told with its last words, and leaves no files', async () => {
  let files = '';
  const kind = echo({
    command: ({ program }, room) => {
      files = room.folder;
      return { program, args: ['-e', 'console.error("no space left"); process.exit(3)'] };
    },
  });
  await expect(started(kind)).rejects.toThrow(/ended before it answered: no space left/);
  expect(existsSync(files)).toBe(false);
});

test('a server that nobody stops ends with the process that started it', async () => {
  const file = JSON.stringify(join(import.meta.dirname, 'processes.ts'));
  const text = [
    `const { runServer, scratch } = await import(${file});`,
    `const options = { folder: scratch(), detached: false, signal: 'SIGTERM', seconds: 60, ready: async () => undefined };`,
    `const command = { program: process.execPath, args: ['-e', 'setInterval(() => undefined, 1000)'] };`,
    `console.log(JSON.stringify(await runServer(command, options)));`,
    `process.exit(0);`,
  ].join('\n');
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { cwd: CHECKOUT_ROOT });
  let output = '';
  child.stdout.on('data', (part: Buffer) => (output += part.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const { processes, folder: files } = JSON.parse(output) as OwnServer<Echo>['instance'];
  expect(processes).toHaveLength(1);
  await until('the server has ended', () => !processes.some(lives));
  rmSync(files, { recursive: true, force: true });
});
