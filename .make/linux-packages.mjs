// The .deb and the .rpm, by nfpm from installers/packages/nfpm.yaml.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { giveUp, ROOT, step } from './steps.mjs';

/** The newest that builds from the public proxy of Go modules alone. */
const NFPM = '2.44.0';
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'outrider');

/** What Debian and Red Hat call each architecture is nfpm's work; it wants Go's names. */
const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' };

async function nfpm() {
  const named = process.env.OUTRIDER_NFPM;
  if (named !== undefined) return existsSync(named) ? named : giveUp(`OUTRIDER_NFPM names ${named}, which does not exist.`);
  const folder = join(CACHE, `nfpm-${NFPM}`);
  const program = join(folder, 'nfpm');
  if (existsSync(program)) return program;
  if (spawnSync('go', ['version']).status !== 0) giveUp('To make .deb and .rpm, install Go, or nfpm and name it in OUTRIDER_NFPM.');
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOBIN: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-modcacherw' };
  const { code } = await step(`building nfpm ${NFPM}`, 'go', ['install', '-trimpath', '-ldflags=-s -w', `github.com/goreleaser/nfpm/v2/cmd/nfpm@v${NFPM}`], { env });
  return code === 0 ? program : giveUp('nfpm could not be built; above is why. An installed one may be named in OUTRIDER_NFPM.');
}

/** Makes both packages of an architecture from the folder that holds the executable and the licences. */
export async function makeLinuxPackages({ architecture, version, seconds, folder, target }) {
  const program = await nfpm();
  const values = { ARCHITECTURE: ARCHITECTURES[architecture], VERSION: version, FOLDER: folder, TIME: new Date(seconds * 1000).toISOString() };
  const template = readFileSync(join(ROOT, 'installers/packages/nfpm.yaml'), 'utf8');
  const config = join(folder, '..', `nfpm-${architecture}.yaml`);
  writeFileSync(config, template.replaceAll(/\$\{PACKAGE_([A-Z]+)\}/g, (_all, key) => values[key]));
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(seconds) };
  for (const format of ['deb', 'rpm']) {
    const output = join(target, `outrider-agent-${version}-linux-${architecture}.${format}`);
    const args = ['package', '--config', config, '--packager', format, '--target', output];
    const { code } = await step(`making the .${format} for ${architecture}`, program, args, { env, cwd: ROOT });
    if (code !== 0) giveUp(`The .${format} could not be made.`);
  }
}
