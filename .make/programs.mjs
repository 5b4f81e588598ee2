// Programs that tests need and packages do not bring: a browser, an ssh server, and another Node.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fetchNode } from './node-lts.mjs';
import { step } from './steps.mjs';

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

/** The LTS of Node that the single executable carries too, kept in the user's cache. */
export async function ltsNode() {
  const found = await fetchNode();
  if (found.path !== undefined) process.stdout.write(`the LTS is ${execFileSync(found.path, ['--version'], { encoding: 'utf8' })}`);
  return found;
}
