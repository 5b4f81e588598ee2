import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CHECKOUT_ROOT, runProgram, until } from '#kit/programs.ts';
import { startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { installLine, readInstaller } from '../../hub/web/sections/settings/install-line.ts';
import { bareDebian } from '../services/bare-debian.ts';

const isRoot = process.getuid?.() === 0;
const { version } = JSON.parse(readFileSync(join(CHECKOUT_ROOT, 'package.json'), 'utf8')) as { version: string };
const packages = join(CHECKOUT_ROOT, '.cache', 'package-for-tests');
const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
const name = `outrider-agent-${version}-linux-${architecture}`;
const scratch = mkdtempSync(join(tmpdir(), 'outrider-installers-'));
const root = join(scratch, 'root');
const DATA = '/var/lib/outrider-agent';

beforeAll(async () => {
  const args = [join(CHECKOUT_ROOT, '.make/package.mjs'), '--architecture', architecture, '--target', packages];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (isRoot) execFileSync('cp', ['-a', '--reflink=auto', await bareDebian(), root]);
}, 900_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true, maxRetries: 3 }));

/** Runs a command inside the bare Debian, which has its own view of /proc. */
const inside = (...command: string[]): string[] => [
  '--mount',
  'sh',
  '-c',
  'mount -t proc proc "$0/proc" 2>/dev/null; root=$0; exec chroot "$root" "$@"',
  root,
  ...command,
];

/** Runs a shell's line there; gives its code and everything that it wrote. */
function there(line: string, env: Record<string, string> = {}): { code: number; output: string } {
  const all = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...env };
  try {
    const output = execFileSync('unshare', inside('sh', '-c', `exec 2>&1; ${line}`), { env: all, encoding: 'utf8' });
    return { code: 0, output };
  } catch (error) {
    const { status, stdout } = error as { status: number; stdout: string };
    return { code: status, output: stdout };
  }
}

/** Everything of ours that is there. */
const traces = (): string =>
  `${there('find / -xdev -name "*outrider*" -not -path "/proc/*" -not -path "/tmp/*"').output}${there('getent passwd outrider-agent; getent group outrider-agent').output}`;

describe.skipIf(!isRoot)('on a bare Debian without Node', () => {
  test('the executable starts, as root in a closed home and as an ordinary user', () => {
    expect(there('command -v node').code).not.toBe(0);
    mkdirSync(join(root, 'root'), { recursive: true, mode: 0o700 });
    cpSync(join(packages, name), join(root, 'usr/local/bin/agent'));
    expect(there('chmod 755 /usr/local/bin/agent; agent --version')).toEqual({ code: 0, output: `${version}\n` });
    const ordinary = there('setpriv --reuid=65534 --regid=65534 --clear-groups agent collect --once --json', {
      HOME: '/nonexistent',
    });
    expect(ordinary.code).toBe(0);
    expect(ordinary.output).toContain('system.memory.usage');
    expect(JSON.parse(there('agent inventory-of-this-machine').output)).toMatchObject({
      'os.name': 'Debian GNU/Linux',
    });
    const rows = Array.from({ length: 400 }, (_, n) => `${n},${Math.sin(n / 9)},${Math.cos(n / 7)},${n % 5}`);
    writeFileSync(join(root, 'tmp/past.csv'), ['time,a,b,c', ...rows].join('\n'));
    const learnt = there('cd /tmp; agent score --wide past.csv --train past.csv --out scores.csv');
    expect(learnt).toEqual({ code: 0, output: expect.stringMatching(/^wrote scores.csv: 400 rows/) as string });
    rmSync(join(root, 'usr/local/bin/agent'));
  });

  test('the line of the page installs an agent over TLS that nobody vouches for, and it joins; again it upgrades; uninstalling leaves nothing', async () => {
    const hub = await startHubProgram(['--advertise', '127.0.0.1'], {}, 'all');
    let agent: ChildProcess | undefined;
    try {
      symlinkSync(packages, join(hub.data, 'downloads'));
      const line = await lineFor(hub);
      const { code, output } = there(line);
      expect(output).toContain('enrolled as');
      expect(code).toBe(0);
      expect(there(`stat -c '%U %a' ${DATA}`).output).toBe('outrider-agent 700\n');
      const as = ['setpriv', '--reuid=outrider-agent', '--regid=outrider-agent', '--init-groups'];
      agent = spawn('unshare', inside(...as, 'outrider-agent', 'run', '--quiet', '--data', DATA), { stdio: 'ignore' });
      await until(
        'the agent runs',
        () => there('outrider-agent status').output.includes('connected\n') || undefined,
        60,
      );
      const identity = there(`sha256sum ${DATA}/identity/agent.json`).output;
      there('echo "labels: { kept: yes-it-is }" >> /etc/outrider/outrider-agent.yaml');
      expect(there(line).code).toBe(0);
      expect(there(`sha256sum ${DATA}/identity/agent.json`).output).toBe(identity);
      expect(there('cat /etc/outrider/outrider-agent.yaml').output).toContain('yes-it-is');
    } finally {
      agent?.kill('SIGTERM');
      if (agent !== undefined && agent.exitCode === null) await new Promise((ended) => agent?.once('close', ended));
      await hub.close();
    }
    cpSync(join(packages, 'install.sh'), join(root, 'tmp/install.sh'));
    expect(there('sh /tmp/install.sh --uninstall').code).toBe(0);
    expect(traces()).toBe('');
  });

  test('what is not what it should be is not installed', () => {
    const mirror = join(root, 'tmp/mirror');
    mkdirSync(mirror);
    for (const file of ['install.sh', 'SHA256SUMS', 'SHA256SUMS.sig', `${name}.tar.gz`])
      cpSync(join(packages, file), join(mirror, file));
    expect(there('sh /tmp/mirror/install.sh --from /tmp/mirror --dry-run </dev/null').output).toContain('would run: ');
    writeFileSync(join(mirror, `${name}.tar.gz`), 'something else');
    const changed = there('sh /tmp/mirror/install.sh --from /tmp/mirror </dev/null');
    expect(changed).toMatchObject({ code: 1, output: expect.stringContaining('nothing was installed') });
    const sums = readFileSync(join(mirror, 'SHA256SUMS'), 'utf8');
    cpSync(join(mirror, `${name}.tar.gz`), join(mirror, `outrider-agent-9.9.9-linux-${architecture}.tar.gz`));
    const other = 'sh /tmp/mirror/install.sh --from /tmp/mirror --version 9.9.9 </dev/null';
    expect(there(other).output).toContain('there is no digest');
    writeFileSync(join(mirror, 'SHA256SUMS'), sums.replaceAll(version, '9.9.9'));
    expect(there(other).output).toMatch(/signature .* is not by the key/);
    expect(there('sh /tmp/mirror/install.sh orj_x').output).toContain('no argument');
    expect(there('setpriv --reuid=65534 --clear-groups sh /tmp/mirror/install.sh').output).toContain('run it as root');
    expect(traces()).toBe('');
    rmSync(mirror, { recursive: true });
  });

  test('a new version that is not well within a minute is taken back', () => {
    const bin = join(root, 'usr/local/bin');
    mkdirSync(join(root, 'run/systemd/system'), { recursive: true });
    const calls = join(root, 'tmp/calls');
    writeFileSync(join(bin, 'systemctl'), '#!/bin/sh\necho "$*" >> /tmp/calls\n', { mode: 0o755 });
    writeFileSync(join(bin, 'sleep'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(root, 'usr/bin/outrider-agent'), '#!/bin/sh\necho the one before\n', { mode: 0o755 });
    mkdirSync(join(root, DATA, 'identity'), { recursive: true });
    writeFileSync(join(root, DATA, 'identity/agent.json'), '{}');
    mkdirSync(join(root, 'tmp/from'));
    for (const file of ['install.sh', `${name}.tar.gz`]) cpSync(join(packages, file), join(root, 'tmp/from', file));
    const { code, output } = there('sh /tmp/from/install.sh --from /tmp/from');
    expect(output).toContain('the one before is back');
    expect(code).toBe(1);
    expect(there('outrider-agent').output).toBe('the one before\n');
    expect(readFileSync(calls, 'utf8')).toMatch(/enable --quiet outrider-agent\nrestart outrider-agent\n/);
    expect(there('sh /tmp/from/install.sh --uninstall').code).toBe(0);
    expect(traces()).toBe('');
    for (const path of ['systemctl', 'sleep']) rmSync(join(bin, path));
    for (const path of ['run/systemd', 'tmp/from', 'tmp/calls']) rmSync(join(root, path), { recursive: true });
  });

  test('the .deb upgrades with settings and state, stays out of the way when removed, and leaves nothing when purged', () => {
    cpSync(join(packages, `${name}.deb`), join(root, 'tmp/new.deb'));
    makeOlderDeb();
    expect(there('dpkg -i /tmp/old.deb').code).toBe(0);
    there(`echo 'labels: { kept: yes-it-is }' >> /etc/outrider/outrider-agent.yaml; echo kept > ${DATA}/state`);
    const upgraded = there('dpkg -i --force-confold /tmp/new.deb');
    expect(upgraded.output).toContain('has joined no hub yet');
    expect(upgraded.code).toBe(0);
    expect(there('outrider-agent --version').output).toBe(`${version}\n`);
    const kept = (): string => there(`cat /etc/outrider/outrider-agent.yaml ${DATA}/state`).output;
    expect(kept()).toMatch(/yes-it-is[^]*kept/);
    there('dpkg -r outrider-agent');
    expect(kept()).toMatch(/yes-it-is[^]*kept/);
    expect(there('dpkg -P outrider-agent').code).toBe(0);
    expect(traces()).toBe('');
  });

  test('the .rpm upgrades with settings and state, and leaves nothing but settings that were changed', () => {
    cpSync(join(packages, `${name}.rpm`), join(root, 'tmp/new.rpm'));
    makeOlderRpm();
    // What the package depends on is Debian's here, which rpm does not know.
    expect(there('rpm -i --nodeps /tmp/old.rpm')).toEqual({
      code: 0,
      output: expect.stringContaining('joined no hub'),
    });
    expect(there('rpm -q outrider-agent; outrider-agent').output).toMatch(
      /^outrider-agent-0.0.1-1\..*\nthe one before\n$/,
    );
    expect(there(`stat -c '%U %a' ${DATA}`).output).toBe('outrider-agent 700\n');
    there(`echo 'labels: { kept: yes-it-is }' >> /etc/outrider/outrider-agent.yaml; echo kept > ${DATA}/state`);
    expect(there('rpm -U --nodeps /tmp/new.rpm').code).toBe(0);
    expect(there('outrider-agent --version').output).toBe(`${version}\n`);
    expect(there(`cat /etc/outrider/outrider-agent.yaml ${DATA}/state`).output).toMatch(/yes-it-is[^]*kept/);
    expect(there('rpm -V --nodeps outrider-agent').output).toMatch(/^S.5.*c \/etc\/outrider\/outrider-agent.yaml\n$/);
    expect(there('rpm -e outrider-agent').code).toBe(0);
    expect(there('cat /etc/outrider/outrider-agent.yaml.rpmsave').output).toContain('yes-it-is');
    there('rm -r /etc/outrider');
    expect(traces()).toBe('');
  });
});

/** The same package as of an earlier version, with a program that is quick to pack. */
function makeOlderDeb(): void {
  const folder = join(root, 'tmp/old');
  execFileSync('dpkg-deb', ['-R', join(packages, `${name}.deb`), folder]);
  writeFileSync(join(folder, 'usr/bin/outrider-agent'), '#!/bin/sh\n');
  const control = join(folder, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 0.0.1-1'));
  execFileSync('dpkg-deb', ['-b', folder, join(root, 'tmp/old.deb')], { stdio: 'ignore' });
  rmSync(folder, { recursive: true });
}

/** The .rpm of an earlier version, made as every other, of a program that is quick to pack. */
function makeOlderRpm(): void {
  const folder = join(scratch, 'old', 'content');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'outrider-agent'), '#!/bin/sh\necho the one before\n', { mode: 0o755 });
  writeFileSync(join(folder, 'THIRD-PARTY-LICENSES'), 'none\n');
  const given = { architecture, version: '0.0.1', seconds: 1_700_000_000, folder, target: join(scratch, 'old') };
  const module = JSON.stringify(pathToFileURL(join(CHECKOUT_ROOT, '.make/linux-packages.mjs')));
  const code = `import(${module}).then((packages) => packages.makeLinuxPackages(${JSON.stringify(given)}))`;
  execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' });
  cpSync(join(scratch, 'old', `outrider-agent-0.0.1-linux-${architecture}.rpm`), join(root, 'tmp/old.rpm'));
}

/** The line that the page shows, for a hub that runs with TLS of its own authority. */
async function lineFor(hub: RunningHub): Promise<string> {
  const { output: token } = await runProgram('hub', ['token', 'create', '--data', hub.data]);
  const installer = await readInstaller(readFileSync(join(packages, 'install.sh'), 'utf8'));
  if (installer === undefined) throw new Error('make package wrote no installer');
  expect(installer.version).toBe(version);
  const line = installLine(installer, token.trim(), 'https://nowhere.invalid');
  expect(line).toContain(`https://127.0.0.1:${hub.port}/downloads/`);
  return line;
}

test('what is packaged is summed up and signed, and small', () => {
  for (const file of ['install.sh', 'SHA256SUMS.sig', `${name}.tar.gz`, `${name}.deb`, `${name}.rpm`])
    expect(existsSync(join(packages, file)), file).toBe(true);
  execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: packages });
  const verify = ['pkeyutl', '-verify', '-pubin', '-inkey', 'SHA256SUMS.pem', '-rawin', '-in', 'SHA256SUMS'];
  execFileSync('openssl', [...verify, '-sigfile', 'SHA256SUMS.sig'], { cwd: packages });
  expect(readFileSync(join(packages, `${name}.tar.gz`)).length).toBeLessThan(45_000_000);
});
