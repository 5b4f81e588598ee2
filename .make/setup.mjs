// Installs the packages of the lockfile when they are not there yet.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demandNode, giveUp, isStamped, ROOT, stamp, step } from './steps.mjs';

/** Installs packages unless this lockfile, this Node and this platform already are. */
export async function setup() {
  demandNode();
  const lock = readFileSync(join(ROOT, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(`${process.versions.modules} ${process.platform} ${process.arch}`).digest('hex');
  if (existsSync(join(ROOT, 'node_modules')) && isStamped('installed', wanted)) return;
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { code } = await step('installing packages', npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  if (code !== 0) giveUp('The packages could not be installed (above is what npm said). Check the network or the registry settings of npm and run the same command again.');
  stamp('installed', wanted);
}

if (process.argv[1] === import.meta.filename) await setup();
