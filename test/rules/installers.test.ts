import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CHECKOUT } from './layers.ts';

const read = (path: string): string => readFileSync(join(CHECKOUT, path), 'utf8');
const agent = read('agent/program.ts');
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

test.each([
  ['openrc', /^command_args="(.*)"$/m.exec(read('installers/openrc/outrider-agent.openrc'))?.[1]],
  [
    'launchd',
    [...read('installers/launchd/com.outrider.agent.plist').matchAll(/<string>(run|--\w+)<\/string>/g)]
      .map(([, word]) => word)
      .join(' '),
  ],
  ['windows', /-Argument "`"\$program`" (.*)" *$/m.exec(read('installers/windows/outrider-agent.ps1'))?.[1]],
])('the service of %s gives a command and flags that the agent knows', (_name, line = '') => {
  const [command, ...rest] = line.split(/\s+/);
  expect(command).toBe('run');
  expect(agent).toContain(`.command('${command}'`);
  const flags = rest.filter((word) => word.startsWith('--'));
  expect(flags).toEqual(['--quiet', '--data']);
  for (const flag of flags) expect(agent).toMatch(new RegExp(`['\`]${flag}[ '\`]`));
});

test('every script of the shell can be read by the plainest one', () => {
  const folder = join(CHECKOUT, 'installers');
  const scripts = [
    'install.sh',
    'ssh/add-host',
    'openrc/outrider-agent.openrc',
    ...readdirSync(join(folder, 'packages'))
      .filter((file) => file.endsWith('.sh'))
      .map((file) => `packages/${file}`),
  ];
  expect(scripts.length).toBeGreaterThan(5);
  for (const script of scripts) execFileSync('sh', ['-n', join(folder, script)]);
});

test('the images, the executable and the second run of CI have the same Node', () => {
  const lts = /NODE_LTS = '([\d.]+)'/.exec(read('.make/node-lts.mjs'))?.[1] ?? 'none';
  for (const name of ['agent', 'hub'])
    expect(read(`deploy/containers/${name}.Containerfile`)).toContain(`node:${lts}-`);
});

test.skipIf(!has('systemd-analyze'))('systemd finds the unit well locked up, with and without the drop-in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-unit-'));
  try {
    const unit = read('installers/systemd/outrider-agent.service');
    const opened = ['CapabilityBoundingSet', 'AmbientCapabilities'].reduce(
      (text, key) => text.replace(`${key}=\n`, `${key}=CAP_DAC_READ_SEARCH\n`),
      unit,
    );
    expect(opened).not.toBe(unit);
    for (const key of ['CapabilityBoundingSet', 'AmbientCapabilities'])
      expect(read('installers/systemd/read-all-logs.conf')).toContain(`${key}=CAP_DAC_READ_SEARCH`);
    for (const text of [unit, opened]) {
      const file = join(folder, 'outrider-agent.service');
      writeFileSync(file, text);
      const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', file], { encoding: 'utf8' });
      expect(Number(/exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThanOrEqual(2);
      const { stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
      // The program is not installed where tests run; everything else that it says is a fault of the unit.
      expect(
        stderr.split('\n').filter((line) => line.includes('outrider-agent') && !line.includes('is not executable')),
      ).toEqual([]);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
