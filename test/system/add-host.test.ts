import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { CHECKOUT_ROOT, freePort, until } from '#kit/programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from '#kit/running-hub.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';

const sshd = process.env['OUTRIDER_TEST_SSHD'];
/** An ordinary user that every machine has. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

let hub: RunningHub;
let server: ChildProcess | undefined;
let ssh = '';
let home = '';
const scratch = mkdtempSync(join(tmpdir(), 'outrider-ssh-'));

/** What comes in becomes an ordinary user with a home of its own, as on another machine. */
function startSshServer(port: number): ChildProcess {
  chmodSync(scratch, 0o711);
  home = join(scratch, 'home');
  mkdirSync(home);
  if (isRoot) execFileSync('chown', [String(NOBODY), home]);
  for (const key of ['host', 'client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(scratch, key)]);
  copyFileSync(join(scratch, 'client.pub'), join(scratch, 'authorized'));
  const become = isRoot ? `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups ` : '';
  const path = `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`;
  const enter = join(scratch, 'enter');
  writeFileSync(
    enter,
    `#!/bin/sh\ncd ${home} && exec ${become}env HOME=${home} PATH=${path} sh -c "$SSH_ORIGINAL_COMMAND"\n`,
    { mode: 0o755 },
  );
  const config = join(scratch, 'config');
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(scratch, 'host')}`,
    `AuthorizedKeysFile ${join(scratch, 'authorized')}`,
  ];
  writeFileSync(
    config,
    `${[...lines, 'StrictModes no', 'UsePAM no', 'PidFile none', 'PermitRootLogin yes', `ForceCommand ${enter}`].join('\n')}\n`,
  );
  if (isRoot) mkdirSync('/run/sshd', { recursive: true });
  return spawn(sshd ?? '', ['-D', '-e', '-f', config], { stdio: 'ignore' });
}

const listens = (port: number): Promise<true | undefined> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(undefined)).on('connect', () => socket.destroy());
  });

beforeAll(async () => {
  hub = await startHubProgram();
  if (sshd === undefined) return;
  const port = await freePort();
  server = startSshServer(port);
  await until('the ssh server listens', () => listens(port));
  const options = [
    '-o StrictHostKeyChecking=no',
    '-o UserKnownHostsFile=/dev/null',
    '-o LogLevel=ERROR',
    '-o BatchMode=yes',
  ];
  ssh = `ssh -p ${port} -i ${join(scratch, 'client')} ${options.join(' ')}`;
});
afterAll(async () => {
  server?.kill();
  await hub.close();
  rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
});

function addHost(...more: string[]): { code: number; output: string } {
  const program = join(CHECKOUT_ROOT, 'installers', 'ssh', 'add-host');
  const args = [`${userInfo().username}@127.0.0.1`, '--data', hub.data, ...more];
  try {
    return {
      code: 0,
      output: execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, SSH: ssh }, stdio: 'pipe' }),
    };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, output: `${stdout}${stderr}` };
  }
}

test.skipIf(sshd === undefined)('one command puts an agent onto another machine, as an ordinary user', async () => {
  const { code, output } = addHost('--label', 'env=test');
  const process_ = /as process (\d+)/.exec(output)?.[1];
  try {
    expect(output).toContain('sends to the hub');
    expect(code).toBe(0);
    expect(existsSync(join(home, '.local', 'bin', 'outrider-agent'))).toBe(true);
    if (isRoot)
      expect(readFileSync(`/proc/${process_}/status`, 'utf8')).toMatch(new RegExp(`^Uid:\\s+${NOBODY}\\b`, 'm'));
    const api = await signInFirst(hub);
    await until('its numbers arrive', async () => {
      const { hosts } = await api.call<{ hosts: { labels: Record<string, string>; headline: { cpu?: number } }[] }>(
        'GET',
        '/api/v1/monitoring/overview',
      );
      return hosts.find(({ labels, headline }) => labels['env'] === 'test' && headline.cpu !== undefined);
    });
  } finally {
    if (process_ !== undefined) process.kill(Number(process_), 'SIGTERM');
  }
});

test('a host that cannot be reached is one sentence', () => {
  ssh = 'false';
  const { code, output } = addHost();
  expect(code).toBe(1);
  expect(output).toContain('cannot be reached, or has no node in its PATH');
});
