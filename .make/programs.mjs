// Programs that tests need and packages do not bring: a browser, an ssh server, and another Node.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { step } from './steps.mjs';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'outrider');

function onPath(names) {
  for (const name of names) {
    const { status, stdout } = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  return undefined;
}

/** A program: the one named in the environment, an installed one, else Debian's package when root. */
async function installed({ title, names, variable, packages }) {
  const named = process.env[variable];
  if (named !== undefined) return existsSync(named) ? { path: named } : { reason: `${variable} names ${named}, which does not exist` };
  const found = onPath(names);
  if (found !== undefined) return { path: found };
  if (process.getuid?.() !== 0 || onPath(['apt-get']) === undefined) return { reason: `install ${title}, or name one in ${variable}` };
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step('refreshing the package lists', 'apt-get', ['update', '-q'], { env });
  const { code } = await step(`installing ${title}`, 'apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], { env });
  const path = onPath(names);
  return code === 0 && path !== undefined ? { path } : { reason: `apt-get could not install ${packages.join(' ')}` };
}

/** A Chromium for the tests of the page. */
export const chromium = () =>
  installed({
    title: 'Chromium',
    names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    variable: 'OUTRIDER_TEST_CHROMIUM',
    packages: ['chromium', 'fonts-dejavu-core'],
  });

/** An ssh server and client for the test of installers/ssh. */
export const sshServer = () =>
  installed({ title: 'OpenSSH', names: ['sshd', '/usr/sbin/sshd'], variable: 'OUTRIDER_TEST_SSHD', packages: ['openssh-server', 'openssh-client'] });

/** The current LTS of Node, from its npm package, kept in the user's cache. */
export async function ltsNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const version = '26';
  const folder = join(CACHE, `node-${version}`);
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const { code } = await step(`installing Node ${version}`, 'npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`]);
    if (code !== 0 || !existsSync(path)) return { reason: `npm could not install ${name}@${version}` };
  }
  process.stdout.write(`the LTS is ${execFileSync(path, ['--version'], { encoding: 'utf8' })}`);
  return { path };
}
