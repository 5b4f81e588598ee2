// Programs that tests need and packages do not bring: a browser, and another Node.
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

/** A Chromium: the one named in the environment, an installed one, else Debian's package when root. */
export async function chromium() {
  const named = process.env.OUTRIDER_TEST_CHROMIUM;
  if (named !== undefined) return existsSync(named) ? { path: named } : { reason: `OUTRIDER_TEST_CHROMIUM names ${named}, which does not exist` };
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const found = onPath(names);
  if (found !== undefined) return { path: found };
  if (process.getuid?.() !== 0 || onPath(['apt-get']) === undefined) return { reason: 'install Chromium, or name one in OUTRIDER_TEST_CHROMIUM' };
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await step('refreshing the package lists', 'apt-get', ['update', '-q'], { env });
  const { code } = await step('installing Chromium', 'apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'], { env });
  const path = onPath(names);
  return code === 0 && path !== undefined ? { path } : { reason: 'apt-get could not install the package chromium' };
}

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
