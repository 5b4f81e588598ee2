import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, readStatus } from '../status.ts';

/** Where a service of this machine keeps its data. */
const SERVICE_DATA = '/var/lib/outrider-agent';

/** What this user can learn of the agent of a data folder. */
export interface AgentState {
  /** `closed`: this user may not look into its data. */
  state: 'running' | 'stopped' | 'never' | 'closed';
  /** What that means for an explanation, and what to do, in one sentence. */
  words: string;
  /** Files that the running agent follows. */
  follows: readonly string[];
  /** True where the agent is another user than who asks: what one may read says nothing of the other. */
  isOther: boolean;
}

function nameOf(uid: number): string {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((row) => row.split(':')[2] === String(uid));
    return line?.split(':')[0] ?? String(uid);
  } catch {
    return String(uid); // Not every system has that file.
  }
}

/** Who owns a folder; undefined where there is none. */
function ownerOf(folder: string): number | undefined {
  try {
    return statSync(folder).uid;
  } catch {
    return undefined; // There is none, or a folder above is closed.
  }
}

function isClosed(folder: string): boolean {
  try {
    readdirSync(folder);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES';
  }
}

/** The command that asks the same with more rights. */
export function sudoCommand(data: string, file: string): string {
  return `sudo outrider-agent explain ${data === SERVICE_DATA ? '' : `--data ${data} `}${file}`;
}

/** Looks at the agent of a data folder; never fails. */
export function agentState(data: string, file: string, nowMs: number): AgentState {
  const owner = ownerOf(data);
  const isOther =
    owner !== undefined && process.getuid !== undefined && owner !== process.getuid() && process.getuid() !== 0;
  const nothing = { follows: [], isOther };
  if (isClosed(data) || isClosed(join(data, 'spool'))) {
    const user = owner === undefined ? 'another user' : nameOf(owner);
    const words = `the agent’s data in ${data} belong to ${user} and are closed to you, so what it follows is not known; for all of it: ${sudoCommand(data, file)}`;
    return { ...nothing, state: 'closed', words };
  }
  const status = readStatus(data);
  if (status === undefined) {
    const other = data !== SERVICE_DATA && ownerOf(SERVICE_DATA) !== undefined;
    const next = other
      ? `the agent of this machine keeps its data in ${SERVICE_DATA}; to ask about that one: ${sudoCommand(SERVICE_DATA, file)}`
      : `to start it: outrider-agent run --data ${data}`;
    return { ...nothing, state: 'never', words: `no agent has run with the data folder ${data}: ${next}` };
  }
  if (isRunning(status, nowMs))
    return { state: 'running', words: 'the agent is running', follows: status.files, isOther };
  const at = new Date(status.writtenMs).toISOString();
  const words = `the agent is not running (it was last seen at ${at}): this is from the settings and the places that it saved`;
  return { ...nothing, state: 'stopped', words };
}
