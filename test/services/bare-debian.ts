import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { keep } from './kept.ts';
import { debian, buildStep } from './sources.ts';

const run = promisify(execFile);
const RELEASE = 'bookworm';

/** What a bare system has besides its own: what fetches, what installs an .rpm, and the one library that the agent's packages depend on. */
const INCLUDED = ['curl', 'libatomic1', 'openssl', 'rpm'];

/** A folder with a minimal Debian: no Node, no init system. To be copied, not changed. Only root can make one. */
export async function bareDebian(): Promise<string> {
  if (process.getuid?.() !== 0) throw new Error('a bare Debian is made by root alone');
  const kept = await keep('bare-debian', `${RELEASE}-${INCLUDED.join('-')}`, async (half) => {
    const had = await debian({ packages: ['debootstrap'], program: 'usr/sbin/debootstrap' }).get();
    if (had === undefined) throw new Error('a bare Debian is made on Debian: run this there');
    const { stdout } = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', `Codename: ${RELEASE}`]);
    const [mirror = 'http://deb.debian.org/debian'] = stdout.trim().split('\n');
    const args = ['--variant=minbase', `--include=${INCLUDED.join(',')}`, RELEASE, join(half, 'root'), mirror];
    const share = join(had.program, '..', '..', 'share', 'debootstrap');
    await buildStep(had.program, args, { env: { ...process.env, DEBOOTSTRAP_DIR: share } });
  });
  return join(kept.folder, 'root');
}
