import { problems } from '../errors.ts';
import { readIdentity } from '../link/identity.ts';
import { readStatus, type Status } from '../status.ts';

/** A status older than this was left by an agent that was killed, milliseconds. */
const STALE_MS = 30_000;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const ago = (ms: number | null, nowMs: number): string =>
  ms === null ? 'never' : `${Math.max(0, Math.round((nowMs - ms) / 1000))} s ago`;
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function table(status: Status, running: boolean, nowMs: number): string {
  const link = !running
    ? 'the agent is not running'
    : status.connected
      ? 'connected'
      : `not connected: ${status.reason}`;
  const rows: [string, string][] = [
    ['agent', status.agentId],
    ['hub', status.hub],
    ['link', link],
    ['acknowledged', ago(status.lastAckMs, nowMs)],
    ['spool', megabytes(status.spoolBytes)],
    ['lines', `${status.linesRead} read, ${status.linesSpooled} spooled`],
    ['samples', status.blocksDropped === 0 ? 'none dropped' : `${status.blocksDropped} runs of collectors dropped`],
    ['clock', `${(status.skewMs / 1000).toFixed(3)} s off the hub’s`],
    ...status.files.map((file, n): [string, string] => [n === 0 ? 'files' : '', file]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(13)} ${value}\n`).join('');
}

/** Says how the agent of a data folder is, as a table or as JSON. */
export function printStatus(dataFolder: string, json: boolean, nowMs: number): string {
  const identity = readIdentity(dataFolder);
  if (identity === undefined)
    throw problems.notEnrolled(`${dataFolder} holds no identity. Run outrider-agent enroll first.`);
  const status = readStatus(dataFolder);
  const running = status?.running === true && isAlive(status.pid) && nowMs - status.writtenMs < STALE_MS;
  if (json)
    return `${JSON.stringify({ agentId: identity.agentId, hub: identity.link, ...status, running }, null, 2)}\n`;
  if (status === undefined)
    return `agent         ${identity.agentId}\nhub           ${identity.link}\nlink          the agent has not run yet\n`;
  return table(status, running, nowMs);
}
