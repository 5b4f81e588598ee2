import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { onTools } from '../services/index.ts';
import { faultsOf, isPinned, read, ROOT, scratch } from './settings.ts';

const run = promisify(execFile);
const folder = scratch();
const MODULE = join(ROOT, 'deploy', 'terraform');

interface UserData {
  packages: string[];
  write_files: { path: string; permissions: string; content: string }[];
  runcmd: string[][];
}

const fileOf = ({ write_files: files }: UserData, path: string): string =>
  files.find((file) => file.path === path)?.content ?? '';

await onTools(['terraform'], ({ terraform }) => {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TF_DATA_DIR: join(folder, 'data'),
    TF_IN_AUTOMATION: '1',
    CHECKPOINT_DISABLE: '1',
  };
  const ask = async (...args: string[]): Promise<string> =>
    (await run(terraform, [`-chdir=${MODULE}`, ...args], { env })).stdout;
  const ready = ask('init', '-backend=false', '-no-color');

  /** Applies the module; resolves with what a machine of each kind is given. */
  async function apply(variables: object): Promise<{ hub: UserData; agent: UserData }> {
    await ready;
    const [given, state] = [join(folder, 'given.tfvars.json'), join(folder, 'state.tfstate')];
    const images = {
      hub_image: 'registry.example.com/outrider-hub:0.1.0',
      agent_image: 'registry.example.com/outrider-agent:0.1.0',
    };
    writeFileSync(given, JSON.stringify({ ...images, advertise: 'hub.example.com', ...variables }));
    await ask('apply', '-auto-approve', '-no-color', `-var-file=${given}`, `-state=${state}`);
    const outputs = JSON.parse(await ask('output', '-json', `-state=${state}`)) as Record<string, { value: string }>;
    const read = (name: string): UserData => parse(outputs[name]?.value ?? '') as UserData;
    return { hub: read('hub_user_data'), agent: read('agent_user_data') };
  }

  test('the module is formatted and valid, and its own tests pass', async () => {
    await ready;
    await ask('fmt', '-check', '-recursive');
    expect(await ask('validate', '-no-color')).toContain('Success');
    expect(await ask('test', '-no-color')).toMatch(/Success! [1-9]\d* passed, 0 failed/);
  }, 120_000);

  test('what it writes onto a machine is settings that the hub takes, and a container that is pinned and shut in', async () => {
    const shared = parse(read('examples/cluster.yaml')) as object;
    const wanted = { hub_settings: shared, hub_secrets: { peers: 'a\n: "b"' }, target: 'all', join_token: 'orj_x' };
    const { hub, agent } = await apply(wanted);
    const text = fileOf(hub, '/etc/outrider/outrider-hub.yaml');
    expect(parse(text)).toMatchObject(shared);
    expect(await faultsOf(folder, { text })).toEqual([]);
    expect(hub.write_files.find(({ path }) => path === '/etc/outrider/secrets/peers')).toMatchObject({
      permissions: '0400',
      content: 'a\n: "b"',
    });
    for (const [data, name] of [
      [hub, 'hub'],
      [agent, 'agent'],
    ] as const) {
      const unit = fileOf(data, `/etc/containers/systemd/outrider-${name}.container`);
      expect(isPinned(/^Image=(.+)$/m.exec(unit)?.[1] ?? '')).toBe(true);
      for (const line of ['ReadOnly=true', 'DropCapability=all', 'NoNewPrivileges=true', 'Restart=always'])
        expect(unit.split('\n')).toContain(line);
      // Every file that the unit mounts is written before it starts.
      const mounted = [...unit.matchAll(/^Volume=(\/etc\/outrider\/[\w.-]+\.yaml):/gm)].map(([, path]) => path);
      expect(mounted).toEqual([`/etc/outrider/outrider-${name}.yaml`]);
      expect(fileOf(data, mounted[0] ?? '')).not.toBe('');
      expect(data.runcmd.at(-1)).toEqual(['systemctl', 'start', `outrider-${name}.service`]);
    }
    expect(fileOf(agent, '/etc/outrider/join-token.env')).toBe('OUTRIDER_JOIN_TOKEN=orj_x\n');
    expect(agent.runcmd.flat().join(' ')).not.toContain('orj_x');
  }, 120_000);

  test('without a token nothing enrols', async () => {
    const { agent } = await apply({});
    expect(agent.write_files.map(({ path }) => path)).not.toContain('/etc/outrider/join-token.env');
    expect(agent.runcmd.flat()).not.toContain('enroll');
  }, 120_000);
});
