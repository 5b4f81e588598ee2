// make package: what people install, into dist/package: for each architecture the single executable, an archive of it, a .deb and an .rpm; install.sh; sums and their signature.
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { makeLinuxPackages } from './linux-packages.mjs';
import { digestOf, signingKey, writeSums } from './release-signature.mjs';
import { setup } from './setup.mjs';
import { bundleAgent, makeExecutable } from './single-executable.mjs';
import { fingerprint, giveUp, isStamped, ROOT, stamp } from './steps.mjs';
import { licencesOf } from './third-party.mjs';

const ARCHITECTURES = ['x64', 'arm64'];
const SOURCES = ['agent', 'plugins', 'proto', 'installers', 'package.json', 'package-lock.json', 'LICENSE', '.make'];

/** What lies in the archive beside the executable and the licences. */
const BESIDE = [
  ['installers/systemd/outrider-agent.service', 0o644],
  ['installers/systemd/read-all-logs.conf', 0o644],
  ['installers/openrc/outrider-agent.openrc', 0o755],
  ['installers/packages/outrider-agent.yaml', 0o644],
  ['LICENSE', 0o644],
];

/** The time that everything made here bears: SOURCE_DATE_EPOCH, else that of the last commit. */
function sourceSeconds() {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) return Number(given);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return 0; // No checkout of git: any time will do if it is always the same.
  }
}

/** A gzipped archive whose bytes depend on nothing but its content. */
function makeArchive(parent, name, output, seconds) {
  const fixed = ['--sort=name', `--mtime=@${seconds}`, '--owner=0', '--group=0', '--numeric-owner', '--format=ustar'];
  const tar = execFileSync('tar', [...fixed, '-C', parent, '-cf', '-', name], { maxBuffer: 1 << 30 });
  writeFileSync(output, gzipSync(tar, { level: 9 }));
}

async function packageFor(architecture, { script, inputs, version, seconds, work, target }) {
  process.stdout.write(`making the executable for linux-${architecture} …\n`);
  const name = `outrider-agent-${version}-linux-${architecture}`;
  const folder = join(work, name);
  mkdirSync(folder, { recursive: true });
  const executable = join(target, name);
  const { licence } = await makeExecutable({ architecture, script, output: executable, folder: work });
  copyFileSync(executable, join(folder, 'outrider-agent'));
  chmodSync(join(folder, 'outrider-agent'), 0o755);
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), licencesOf(inputs, licence), { mode: 0o644 });
  for (const [path, mode] of BESIDE) {
    copyFileSync(join(ROOT, path), join(folder, path.split('/').at(-1)));
    chmodSync(join(folder, path.split('/').at(-1)), mode);
  }
  for (const file of ['outrider-agent', 'THIRD-PARTY-LICENSES']) utimesSync(join(folder, file), seconds, seconds);
  makeArchive(work, name, join(target, `${name}.tar.gz`), seconds);
  await makeLinuxPackages({ architecture, version, seconds, folder, target });
  return [`${name}.tar.gz`, `${name}.deb`, `${name}.rpm`];
}

/** install.sh with what it needs to know of this version: whoever has the script unchanged has the agent unchanged. */
function writeInstaller(target, version, names, publicKey) {
  const digests = names.filter((name) => name.endsWith('.tar.gz')).map((name) => `${digestOf(join(target, name))} ${name}`);
  const values = { version, digests: digests.join('\n'), public_key: publicKey.trim() };
  let text = readFileSync(join(ROOT, 'installers/install.sh'), 'utf8');
  for (const [key, value] of Object.entries(values)) {
    if (!text.includes(`\n${key}=''\n`)) giveUp(`installers/install.sh has no line ${key}=''`);
    text = text.replace(`\n${key}=''\n`, `\n${key}='${value}'\n`);
  }
  writeFileSync(join(target, 'install.sh'), text, { mode: 0o755 });
}

/** Makes all of it unless dist/package already comes from these sources. */
export async function makePackages({ architectures = ARCHITECTURES, target = join(ROOT, 'dist/package') } = {}) {
  if (process.platform !== 'linux') giveUp('make package runs on Linux.');
  await setup();
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const wanted = `${fingerprint(SOURCES)} ${architectures.join(' ')} ${process.env.OUTRIDER_SIGNING_KEY ?? ''} ${sourceSeconds()}`;
  const stampName = `packaged${target.replace(/\W+/g, '-')}`;
  if (isStamped(stampName, wanted) && existsSync(join(target, 'SHA256SUMS.sig'))) return { target, version };
  const work = join(target, '.work');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const key = signingKey();
  const seconds = sourceSeconds();
  const script = join(work, 'agent.cjs');
  const inputs = await bundleAgent(script);
  const names = [];
  for (const architecture of architectures) names.push(...(await packageFor(architecture, { script, inputs, version, seconds, work, target })));
  writeInstaller(target, version, names, key.publicKey);
  writeSums(target, [...names, 'install.sh'], key);
  const ours = gzipSync(readFileSync(script), { level: 9 }).length;
  rmSync(work, { recursive: true });
  stamp(stampName, wanted);
  process.stdout.write(`ours: ${(ours / 1e6).toFixed(2)} MB gzipped\n`);
  for (const name of names) process.stdout.write(`${(statSync(join(target, name)).size / 1e6).toFixed(1).padStart(6)} MB  ${name}\n`);
  if (key.isDevelopment) process.stdout.write('signed by a development key: name the real one in OUTRIDER_SIGNING_KEY (PEM, Ed25519)\n');
  return { target, version };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { target: { type: 'string' }, architecture: { type: 'string', multiple: true } } });
  const { target } = await makePackages({ ...(values.target === undefined ? {} : { target: values.target }), ...(values.architecture === undefined ? {} : { architectures: values.architecture }) });
  process.stdout.write(`packages are in ${target}\n`);
}
