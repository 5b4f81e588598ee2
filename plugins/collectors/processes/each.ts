import { readdirSync, readFileSync, statSync } from 'node:fs';
import { countIn, type Attributes, type Emit } from '#sdk';
import type { PidStat } from './pid-stat.ts';

/** Runs between two admissions, and between two looks at the files and I/O of one process: both cost more than a run may. */
const TURN = 10;

/** Bytes that a process had moved, from /proc/PID/io. */
export function parseIo(text: string): { read: number; written: number } | undefined {
  const read = countIn(/^read_bytes: (\d+)$/m.exec(text)?.[1]);
  const written = countIn(/^write_bytes: (\d+)$/m.exec(text)?.[1]);
  return Number.isFinite(read + written) ? { read, written } : undefined;
}

/** A process with series of its own. */
interface Shown {
  pid: number;
  stat: PidStat;
  ticks: number;
  plain: Attributes;
  read: Attributes;
  write: Attributes;
  run: number;
  /** False once the kernel refused to tell: it will again. */
  isOpen: boolean;
}

/** What a list of single processes is made from. */
export interface EachOptions {
  /** `/proc`. */
  folder: string;
  /** Processes with series of their own, at most. */
  most: number;
  identify(pid: number, name: string): Attributes;
  pageSize: number;
  ticksPerSecond: number;
}

/** Keeps series of single processes. */
export interface Each {
  /** Takes a process of this run; false when it has no series of its own and is to be added up with its like. */
  add(pid: number, stat: PidStat, ticks: number): boolean;
  /** Emits the run and ends it. */
  emit(emit: Emit, elapsedMs: number): void;
}

function openFiles(folder: string): number | undefined {
  try {
    const { size } = statSync(`${folder}/fd`); // Linux 6.2 and newer tell the count as the size.
    return size > 0 ? size : readdirSync(`${folder}/fd`).length;
  } catch {
    return undefined;
  }
}

function movedBytes(folder: string): ReturnType<typeof parseIo> {
  try {
    return parseIo(readFileSync(`${folder}/io`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Files and I/O, which the kernel tells of one's own processes only, and of all to root. */
function emitInside(emit: Emit, shown: Shown, folder: string): void {
  const files = openFiles(folder);
  const moved = movedBytes(folder);
  if (files !== undefined) emit('process.unix.file_descriptor.count', files, shown.plain);
  if (moved !== undefined) {
    emit('process.disk.io', moved.read, shown.read);
    emit('process.disk.io', moved.written, shown.write);
  }
  shown.isOpen = files !== undefined || moved !== undefined;
}

/**
 * Makes an empty list. A process gets series of its own when it was there at the first run, or has lived for ten: what
 * comes and goes faster would make a table of series anew each second. Kernel threads never do.
 */
export function createEach({ folder, most, identify, pageSize, ticksPerSecond }: EachOptions): Each {
  const shown = new Map<number, Shown>();
  const waiting = new Map<number, { startTicks: number; since: number; run: number }>();
  let run = 0;

  const admit = (pid: number, stat: PidStat, ticks: number): boolean => {
    const plain = identify(pid, stat.name);
    const [read, write] = ['read', 'write'].map((direction) => ({ ...plain, 'disk.io.direction': direction }));
    if (read === undefined || write === undefined) return false;
    shown.set(pid, { pid, stat, ticks, plain, read, write, run, isOpen: true });
    waiting.delete(pid);
    return true;
  };
  /** Whether a process without series may have them now. */
  const isDue = (pid: number, { startTicks }: PidStat): boolean => {
    if (run === 0) return true;
    let entry = waiting.get(pid);
    if (entry === undefined || entry.startTicks !== startTicks)
      waiting.set(pid, (entry = { startTicks, since: run, run }));
    entry.run = run;
    return run % TURN === 0 && run - entry.since >= TURN;
  };
  const isSame = (one: Shown, stat: PidStat): boolean =>
    one.stat.startTicks === stat.startTicks && one.stat.name === stat.name;

  return {
    add(pid, stat, ticks) {
      if (stat.isKernelThread) return false;
      const one = shown.get(pid);
      if (one !== undefined && isSame(one, stat)) {
        Object.assign(one, { stat, ticks, run });
        return true;
      }
      shown.delete(pid); // Another process of its number, or another program in it.
      return isDue(pid, stat) && shown.size < most && admit(pid, stat, ticks);
    },
    emit(emit, elapsedMs) {
      for (const [pid, one] of shown) {
        const { stat, ticks, plain } = one;
        if (one.run !== run) {
          shown.delete(pid);
          continue;
        }
        if (elapsedMs > 0) emit('process.cpu.utilization', ticks / ticksPerSecond / (elapsedMs / 1000), plain);
        emit('process.memory.usage', stat.residentPages * pageSize, plain);
        emit('process.thread.count', stat.threads, plain);
        if (one.isOpen && (pid + run) % TURN === 0) emitInside(emit, one, `${folder}/${pid}`);
      }
      for (const [pid, entry] of waiting) if (entry.run !== run) waiting.delete(pid);
      run++;
    },
  };
}
