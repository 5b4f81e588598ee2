import { countIn } from '#sdk';

/** A file of a control group by name, or `undefined` when the group does not have it. */
export type ReadGroupFile = (controller: string, file: string) => string | undefined;

/** What a container has used and may use. */
export interface Usage {
  cpuSeconds: number | undefined;
  throttledSeconds: number | undefined;
  /** Cores; `undefined` without a limit. */
  cpuLimit: number | undefined;
  /** Bytes that cannot be dropped at once: what is charged, less file cache that nothing has touched lately. */
  memory: number | undefined;
  memoryLimit: number | undefined;
}

/** What a group did and holds beside that. */
export interface Activity {
  /** Threads that are alive, and how many may be. */
  threads: number | undefined;
  threadLimit: number | undefined;
  /** Processes that were killed because the group was out of memory. */
  oomKills: number | undefined;
  readBytes: number | undefined;
  writtenBytes: number | undefined;
}

/** The count that follows a key at the start of a line. */
function countAt(text: string | undefined, key: string): number | undefined {
  return finite(countIn(new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1]));
}

const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
const only = (text: string | undefined): number | undefined => finite(countIn(text?.trim()));

function workingSet(charged: number | undefined, inactiveFile: number | undefined): number | undefined {
  return charged === undefined ? undefined : Math.max(0, charged - (inactiveFile ?? 0));
}

const scaled = (value: number | undefined, by: number): number | undefined =>
  value === undefined ? undefined : value / by;

/** Reads a group of the unified hierarchy (version 2). */
export function readUnified(read: ReadGroupFile): Usage {
  const stat = read('', 'cpu.stat');
  const [quota, period] = (read('', 'cpu.max') ?? '').trim().split(' ').map(countIn);
  return {
    cpuSeconds: scaled(countAt(stat, 'usage_usec'), 1e6),
    throttledSeconds: scaled(countAt(stat, 'throttled_usec'), 1e6),
    cpuLimit: share(quota, period),
    memory: workingSet(only(read('', 'memory.current')), countAt(read('', 'memory.stat'), 'inactive_file')),
    memoryLimit: only(read('', 'memory.max')),
  };
}

/** The sum of all counts that follow a key, such as those of each device. */
function sumOf(text: string | undefined, key: RegExp): number | undefined {
  if (text === undefined) return undefined;
  let sum = 0;
  for (const [, count] of text.matchAll(key)) sum += Number(count);
  return sum;
}

/** Reads what else a group of the unified hierarchy tells. */
export function readUnifiedActivity(read: ReadGroupFile): Activity {
  const io = read('', 'io.stat');
  return {
    threads: only(read('', 'pids.current')),
    threadLimit: only(read('', 'pids.max')),
    oomKills: countAt(read('', 'memory.events'), 'oom_kill'),
    readBytes: sumOf(io, /\brbytes=(\d{1,20})/g),
    writtenBytes: sumOf(io, /\bwbytes=(\d{1,20})/g),
  };
}

/** Reads what else a group of the old hierarchies tells. */
export function readLegacyActivity(read: ReadGroupFile): Activity {
  const io = read('blkio', 'blkio.throttle.io_service_bytes');
  return {
    threads: only(read('pids', 'pids.current')),
    threadLimit: only(read('pids', 'pids.max')),
    oomKills: countAt(read('memory', 'memory.oom_control'), 'oom_kill'),
    readBytes: sumOf(io, /^\d+:\d+ Read (\d{1,20})$/gm),
    writtenBytes: sumOf(io, /^\d+:\d+ Write (\d{1,20})$/gm),
  };
}

/** An absent limit of version 1 is the largest number of pages. */
const NO_LIMIT = 2 ** 60;

/** Reads a group of the old hierarchies (version 1). */
export function readLegacy(read: ReadGroupFile): Usage {
  const quota = only(read('cpu', 'cpu.cfs_quota_us')); // -1 without a limit.
  const limit = only(read('memory', 'memory.limit_in_bytes'));
  const inactive = countAt(read('memory', 'memory.stat'), 'total_inactive_file');
  return {
    cpuSeconds: scaled(only(read('cpuacct', 'cpuacct.usage')), 1e9),
    throttledSeconds: scaled(countAt(read('cpu', 'cpu.stat'), 'throttled_time'), 1e9),
    cpuLimit: share(quota, only(read('cpu', 'cpu.cfs_period_us'))),
    memory: workingSet(only(read('memory', 'memory.usage_in_bytes')), inactive),
    memoryLimit: limit !== undefined && limit < NO_LIMIT ? limit : undefined,
  };
}

function share(quota: number | undefined, period: number | undefined): number | undefined {
  const cores = (quota ?? NaN) / (period ?? NaN);
  return cores > 0 && Number.isFinite(cores) ? cores : undefined;
}

/** How many CPUs a list such as `0-3,8` names. */
export function countCpus(list: string): number | undefined {
  let count = 0;
  for (const part of list.trim().split(',')) {
    const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
    if (first === undefined) return undefined;
    count += Math.max(0, Number(last ?? first) - Number(first) + 1);
  }
  return count;
}
