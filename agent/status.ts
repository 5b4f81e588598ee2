import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Link } from './link/link.ts';
import type { Pipeline } from './pipeline/pipeline.ts';
import type { Spool } from './spool/index.ts';

/** What the running agent writes down for `outrider-agent status`. */
export interface Status {
  running: boolean;
  pid: number;
  agentId: string;
  hub: string;
  connected: boolean;
  reason: string;
  writtenMs: number;
  lastAckMs: number | null;
  spoolBytes: number;
  linesRead: number;
  linesSpooled: number;
  blocksDropped: number;
  skewMs: number;
  files: readonly string[];
}

/** Gathers the status of a running agent. */
export function statusOf(given: {
  running: boolean;
  nowMs: number;
  agentId: string;
  spool: Spool;
  link: Link;
  pipeline: Pipeline;
  files(): readonly string[];
}): Status {
  const { connected, reason, hub, lastAckMs, skewMs } = given.link.state();
  return {
    running: given.running,
    pid: process.pid,
    agentId: given.agentId,
    hub,
    connected,
    reason,
    writtenMs: given.nowMs,
    lastAckMs: lastAckMs ?? null,
    spoolBytes: given.spool.bytes(),
    ...given.pipeline.ledger(),
    skewMs,
    files: given.files(),
  };
}

/** Reads the status that an agent left; undefined when none ever ran with this data folder. */
export function readStatus(dataFolder: string): Status | undefined {
  const file = join(dataFolder, 'status.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Status) : undefined;
}
