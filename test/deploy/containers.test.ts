import { execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { onTools } from '../services/index.ts';
import { isPinned, read, ROOT } from './settings.ts';

const run = promisify(execFile);

/** One instruction: its word in capitals, its flags, and what follows. */
interface Instruction {
  word: string;
  flags: string[];
  value: string[];
}

const PARSE = `
import dockerfile, json, sys
print(json.dumps([dict(word=c.cmd.upper(), flags=list(c.flags), value=list(c.value)) for c in dockerfile.parse_file(sys.argv[1])]))`;

/** What a build sees of the checkout, by .dockerignore. */
function context(): string[] {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
    .trim()
    .split('\n');
  const kept = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  return files.filter((file) => kept.some((path) => file === path || file.startsWith(`${path}/`)));
}

await onTools(['dockerfile-python'], (paths) => {
  test.each(['hub', 'agent'] as const)(
    'the container of the %s: pinned, in stages, not as root, checked, and all that it copies is there',
    async (name) => {
      const file = join(ROOT, 'deploy', 'containers', `${name}.Containerfile`);
      const { stdout } = await run(paths['dockerfile-python'], ['-c', PARSE, file]);
      const all = JSON.parse(stdout) as Instruction[];
      const of = (word: string): Instruction[] => all.filter((one) => one.word === word);
      const base = /NODE_IMAGE=(.+)/.exec(of('ARG')[0]?.value[0] ?? '')?.[1] ?? '';
      expect(isPinned(base)).toBe(true);
      expect(new Set(of('FROM').map(({ value: [image] }) => image))).toEqual(new Set(['${NODE_IMAGE}']));
      const stages = of('FROM').map(({ value }) => value[2]);
      expect(stages.length).toBeGreaterThan(1);
      const last = all.slice(all.findLastIndex(({ word }) => word === 'FROM'));
      const words = last.map(({ word }) => word);
      expect(words).toEqual(
        expect.arrayContaining(['LABEL', 'USER', 'HEALTHCHECK', 'STOPSIGNAL', 'VOLUME', 'ENTRYPOINT']),
      );
      expect(last.filter(({ word }) => word === 'USER').at(-1)?.value[0]).toMatch(/^[1-9]\d+:[1-9]\d+$/);
      // Everything that a package runs when it is installed was looked at: only the lockfile's packages come.
      const commands = of('RUN')
        .flatMap(({ value }) => value)
        .join('\n');
      expect(commands).not.toMatch(/curl|wget|apt|npm (install|i) |npx|https?:/);
      const there = context();
      const copied = of('COPY')
        .filter(({ flags }) => flags.length === 0)
        .flatMap(({ value }) => value.slice(0, -1));
      expect(copied.length).toBeGreaterThan(3);
      const lost = copied.filter(
        (path) => path !== '.' && !there.some((one) => one === path || one.startsWith(`${path}/`)),
      );
      expect(lost).toEqual([]);
      const from = of('COPY')
        .flatMap(({ flags }) => flags)
        .map((flag) => flag.replace('--from=', ''));
      expect(from.filter((stage) => !stages.includes(stage))).toEqual([]);
    },
  );
});

test('a build sees the sources, and nothing of deploy/ but the check that the image takes along', () => {
  expect(context().filter((file) => file.startsWith('deploy/'))).toEqual(['deploy/containers/check-ready.mjs']);
  expect(context()).toEqual(
    expect.arrayContaining(['package-lock.json', '.make/build.mjs', 'hub/main.ts', 'agent/main.ts']),
  );
});

/** Asks with the image's own check. */
function check(port: number): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(ROOT, 'deploy/containers/check-ready.mjs')], {
      env: { ...process.env, OUTRIDER_PORT: String(port) },
    });
    let text = '';
    child.stdout.on('data', (part: Buffer) => (text += part.toString()));
    child.on('close', (code) => resolve({ code, text }));
  });
}

test('the check of the container says yes to a hub that is ready, and why not to one that is not', async () => {
  let status = 200;
  const server = createServer((request, response) =>
    response.writeHead(request.url === '/ready' ? status : 404).end('bus: away'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(await check(port)).toEqual({ code: 0, text: '' });
  status = 503;
  expect(await check(port)).toEqual({ code: 1, text: 'bus: away\n' });
  server.close();
  server.closeAllConnections();
  expect(await check(port)).toMatchObject({ code: 1, text: expect.stringContaining('not ready') as string });
});

test('the images are of the version that the checkout has', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const file of ['hub.Containerfile', 'agent.Containerfile'])
    expect(read(`containers/${file}`)).toContain(`ARG VERSION=${version}\n`);
});
