import { countIn } from '#sdk';

/** Memory in bytes; what the kernel does not tell is `undefined`. */
export interface Memory {
  limit: number;
  /** These four add up to the limit. */
  used: number;
  free: number;
  buffers: number;
  cached: number;
  available: number;
}

/** Swap in bytes. */
export interface Swap {
  limit: number;
  used: number;
  free: number;
}

/** Values by name of a file with one `Name: 12 kB` or `name 12` a line, for the names that are asked for. */
export function parseTable(text: string, names: ReadonlySet<string>): Map<string, number> {
  const values = new Map<string, number>();
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    const gap = text.indexOf(' ', start);
    if (gap > start && gap < end) {
      const name = text.slice(start, text[gap - 1] === ':' ? gap - 1 : gap);
      if (names.has(name)) {
        const [digits, unit] = text.slice(gap, end).trim().split(' ');
        const value = countIn(digits) * (unit === 'kB' ? 1024 : 1);
        if (Number.isFinite(value)) values.set(name, value);
      }
    }
    start = end + 1;
  }
  return values;
}

const MEMINFO = new Set([
  'MemTotal', 'MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SReclaimable', 'Shmem', 'SwapTotal', 'SwapFree',
]); // prettier-ignore

/** Memory and swap from /proc/meminfo; each `undefined` when its totals are missing, swap also on a machine without any. */
export function parseMeminfo(text: string): { memory: Memory | undefined; swap: Swap | undefined } {
  const values = parseTable(text, MEMINFO);
  return { memory: memoryOf(values), swap: swapOf(values) };
}

function memoryOf(values: ReadonlyMap<string, number>): Memory | undefined {
  const limit = values.get('MemTotal');
  const told = values.get('MemFree');
  if (limit === undefined || told === undefined || limit === 0) return undefined;
  const free = Math.min(told, limit);
  const buffers = Math.min(values.get('Buffers') ?? 0, limit - free);
  const cache = (values.get('Cached') ?? 0) + (values.get('SReclaimable') ?? 0);
  const cached = Math.min(cache, limit - free - buffers);
  // Kernels before 3.14 do not tell what is available: free memory and caches, less what shared memory holds of them.
  const estimate = Math.max(0, free + buffers + cached - (values.get('Shmem') ?? 0));
  const available = Math.min(values.get('MemAvailable') ?? estimate, limit);
  return { limit, used: limit - free - buffers - cached, free, buffers, cached, available };
}

function swapOf(values: ReadonlyMap<string, number>): Swap | undefined {
  const limit = values.get('SwapTotal') ?? 0;
  if (limit === 0) return undefined;
  const free = Math.min(values.get('SwapFree') ?? 0, limit);
  return { limit, used: limit - free, free };
}
