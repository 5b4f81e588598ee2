/** What /proc/PID/stat tells of one process. */
export interface PidStat {
  /** The executable's name, at most 15 bytes of it. */
  name: string;
  /** The kernel's letter for what it is doing. */
  state: string;
  /** Ticks of processor time, of all its threads, since it started. */
  ticks: number;
  /** Tick since boot at which it started: with the process id it names one process for ever. */
  startTicks: number;
  residentPages: number;
  threads: number;
  isKernelThread: boolean;
}

const KERNEL_THREAD = 0x0020_0000;

/** Reads /proc/PID/stat. The name may hold blanks and brackets, so that the last bracket is the one that counts. */
export function parsePidStat(text: string): PidStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2, close + 400).split(' ');
  const state = fields[0] ?? '';
  const ticks = Number(fields[11]) + Number(fields[12]);
  const startTicks = Number(fields[19]);
  const residentPages = Number(fields[21]);
  const threads = Number(fields[17]);
  const isRead =
    ticks >= 0 &&
    startTicks >= 0 &&
    residentPages >= 0 &&
    threads >= 0 &&
    ticks + startTicks + residentPages + threads < Infinity;
  if (!isRead || state.length !== 1) return undefined;
  const isKernelThread = (Number(fields[6]) & KERNEL_THREAD) !== 0;
  return { name: text.slice(open + 1, close), state, ticks, startTicks, residentPages, threads, isKernelThread };
}

/** The name under which a process is added up: kernel threads of one kind count as one, in brackets. */
export function groupOf({ name, isKernelThread }: PidStat): string {
  if (!isKernelThread) return name;
  const end = name.search(/[/:]/);
  return `[${end < 0 ? name : name.slice(0, end)}]`;
}

/** Page size in bytes and ticks a second, from /proc/self/auxv; the usual ones when it cannot be read. */
export function parseAuxv(bytes: Uint8Array): { pageSize: number; ticksPerSecond: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = { pageSize: 4096, ticksPerSecond: 100 };
  for (let at = 0; at + 16 <= bytes.byteLength; at += 16) {
    const value = Number(view.getBigUint64(at + 8, true));
    if (!(value > 0 && value <= 1 << 20)) continue;
    const key = view.getBigUint64(at, true);
    if (key === 6n) found.pageSize = value;
    if (key === 17n) found.ticksPerSecond = value;
  }
  return found;
}
