import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram, startProgram, until, type Api } from './programs.ts';
import { signInFirst, startHubProgram, type RunningHub } from './running-hub.ts';

/** A hub and one agent of this machine, both from dist/, whose numbers arrive. */
export interface WatchedHost {
  hub: RunningHub;
  api: Api;
  /** The id of the host. */
  host: string;
  /** A file that the agent follows from its beginning; it is there and empty. */
  log: string;
  agentPid: number | undefined;
  /** The data folder of the agent. */
  data: string;
  /** Stops both and removes what they wrote. */
  close(): Promise<void>;
}

/** Starts a hub and an agent; `label` is one of the host, `logName` the name of the file that it follows, `more` further lines of its settings. */
export async function startWatchedHost({
  label = 'env=test',
  logName = 'app.log',
  more = '',
} = {}): Promise<WatchedHost> {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-watched-'));
  const [data, config, log] = [join(folder, 'agent'), join(folder, 'agent.yaml'), join(folder, logName)];
  writeFileSync(log, '');
  writeFileSync(config, `ownLog: false\nlogs: [{ include: ['${log}'], start: beginning }]\n${more}\n`);
  const hub = await startHubProgram();
  const { output: token } = await runProgram('hub', ['token', 'create', '--label', label, '--data', hub.data]);
  await runProgram('agent', ['enroll', '--data', data], { input: token });
  const agent = startProgram('agent', ['run', '--quiet', '--data', data, '--config', config]);
  const close = async (): Promise<void> => {
    await agent.stop();
    await hub.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const api = await signInFirst(hub);
    const host = await until('the host reports', async () => {
      const { hosts } = await api.call<{ hosts: { id: string; headline: { cpu?: number } }[] }>(
        'GET',
        '/api/v1/monitoring/overview',
      );
      return hosts.find(({ headline }) => headline.cpu !== undefined)?.id;
    });
    return { hub, api, host, log, data, agentPid: agent.child.pid, close };
  } catch (error) {
    await close();
    throw error;
  }
}
