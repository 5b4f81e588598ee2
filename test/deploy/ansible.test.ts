import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, until } from '#kit/programs.ts';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { onTools } from '../services/index.ts';
import { ROOT, scratch } from './settings.ts';

const run = promisify(execFile);
const ANSIBLE = join(ROOT, 'deploy', 'ansible');
const folder = scratch();
// The hub's database may run as somebody else, who must get there.
chmodSync(folder, 0o755);
const root = join(folder, 'root');

/** The hub's settings stay away from this environment; what Ansible writes is plain and lies in the scratch folder. */
const ENVIRONMENT = {
  HOME: folder,
  LANG: 'C.UTF-8',
  ANSIBLE_NOCOLOR: '1',
  ANSIBLE_LOCALHOST_WARNING: 'false',
  ANSIBLE_PIPELINING: 'true',
  npm_config_cache: join(process.env['HOME'] ?? folder, '.npm'),
};

const children: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(children.map((stop) => stop()));
});

/** Starts a program that Ansible put there, until the tests end. */
function startInstalled(name: string, args: readonly string[]): void {
  const child = spawn(join(root, 'usr', 'bin', name), args, {
    env: { ...ENVIRONMENT, PATH: process.env['PATH'] },
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  children.push(async () => {
    child.kill('SIGTERM');
    await ended;
  });
}

await onTools(['ansible-playbook', 'ansible-lint'], (paths) => {
  const path = `${dirname(paths['ansible-lint'])}:${process.env['PATH'] ?? ''}`;
  const options = { cwd: ANSIBLE, env: { ...ENVIRONMENT, PATH: path }, maxBuffer: 1e7 };
  const inventory = join(folder, 'inventory.yaml');

  /** Runs the playbook; resolves with the tasks that changed something. */
  async function play(vars: Record<string, unknown> = {}): Promise<string[]> {
    const args = ['-i', inventory, 'site.yaml', '--extra-vars', JSON.stringify(vars)];
    const { stdout } = await run(paths['ansible-playbook'], args, options).catch((error: { stdout: string }) => {
      throw new Error(error.stdout);
    });
    expect(stdout).toMatch(/localhost\s+: ok=[1-9]\d+ .* failed=0/);
    const parts = stdout.split(/^(?:TASK|RUNNING HANDLER) \[/m).slice(1);
    return parts
      .filter((part) => /^changed: /m.test(part))
      .map((part) => part.slice(0, part.indexOf(']')).replace(/^.* : /, ''));
  }

  test('the roles hold to the rules of ansible-lint', async () => {
    const { stderr } = await run(paths['ansible-lint'], ['--offline', '--nocolor', '--strict', '.'], options);
    expect(stderr).toMatch(/Passed: 0 failure\(s\), 0 warning\(s\)/);
  }, 120_000);

  test('the example of an inventory and the playbook can be read', async () => {
    const args = ['-i', 'inventory.example.yaml', 'site.yaml'];
    await run(paths['ansible-playbook'], [...args, '--syntax-check'], options);
    const { stdout } = await run(paths['ansible-playbook'], [...args, '--list-hosts'], options);
    expect(stdout).toContain('hub.example.com');
    expect(stdout).toContain('web-3.example.com');
  }, 120_000);

  test('the roles install a hub that starts and an agent that joins it, and a second time they change nothing', async () => {
    const [port, grpcPort] = [await freePort(), await freePort()];
    writeFileSync(
      inventory,
      stringify({
        all: {
          hosts: {
            localhost: {
              ansible_connection: 'local',
              ansible_python_interpreter: join(dirname(paths['ansible-lint']), 'python'),
              outrider_root: root,
            },
          },
          children: { outrider_hub: { hosts: { localhost: {} } }, outrider_agents: { hosts: { localhost: {} } } },
          vars: {
            outrider_hub_settings: { port, ingest: { port: grpcPort } },
            outrider_hub_secrets: { peers: 'a secret of more than thirty-two characters' },
          },
        },
      }),
    );
    const first = await play();
    expect(first).toEqual(
      expect.arrayContaining([
        'Install the packages of that list',
        'Write the settings, once the hub has checked them',
        'Install the unit',
      ]),
    );
    const unit = readFileSync(join(root, 'etc/systemd/system/outrider-hub.service'), 'utf8');
    for (const name of ['etc/outrider/outrider-hub.yaml', 'usr/bin/outrider-hub', 'var/lib/outrider-hub']) {
      expect(existsSync(join(root, name)), name).toBe(true);
      expect(unit).toContain(`/${name}`);
    }
    // Others' folders stay open to others.
    for (const name of ['usr', 'etc', 'var', 'var/lib'])
      expect(statSync(join(root, name)).mode & 0o777, name).toBe(0o755);
    expect(statSync(join(root, 'etc/outrider/secrets/peers')).mode & 0o777).toBe(0o400);
    const data = join(root, 'var/lib/outrider-hub');
    startInstalled('outrider-hub', [
      'run',
      '--quiet',
      '--config',
      join(root, 'etc/outrider/outrider-hub.yaml'),
      '--data',
      data,
    ]);
    const ready = (): Promise<true | undefined> =>
      fetch(`http://127.0.0.1:${port}/ready`).then(
        ({ ok }) => ok || undefined,
        () => undefined,
      );
    await until('the installed hub is ready', ready, 120);
    expect(
      (await (await fetch(`http://127.0.0.1:${port}/`, { headers: { accept: 'text/html' } })).text()).toLowerCase(),
    ).toContain('<!doctype html>');
    const { stdout: token } = await run(join(root, 'usr/bin/outrider-hub'), ['token', 'create', '--data', data], {
      env: options.env,
    });
    expect(await play({ outrider_agent_token: token.trim() })).toEqual(['Enrol with the hub']);
    expect(existsSync(join(root, 'var/lib/outrider-agent/identity/agent.json'))).toBe(true);
    expect(await play({ outrider_agent_token: token.trim() })).toEqual([]);
  }, 600_000);

  test('settings that the hub does not know are refused, and the ones before stay', async () => {
    const file = join(root, 'etc/outrider/outrider-hub.yaml');
    const before = readFileSync(file, 'utf8');
    await expect(play({ outrider_hub_settings: { prot: 1 } })).rejects.toThrow(/prot/);
    expect(readFileSync(file, 'utf8')).toBe(before);
  }, 300_000);
});
