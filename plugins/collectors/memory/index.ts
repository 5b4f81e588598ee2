import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Emit } from '#sdk';
import { parseMeminfo, parseTable, type Memory, type Swap } from './meminfo.ts';

const USED = { 'system.memory.state': 'used' };
const FREE = { 'system.memory.state': 'free' };
const BUFFERS = { 'system.memory.state': 'buffers' };
const CACHED = { 'system.memory.state': 'cached' };
const SWAP_USED = { 'system.paging.state': 'used' };
const SWAP_FREE = { 'system.paging.state': 'free' };
const SWAP_IN = { 'system.paging.direction': 'in' };
const SWAP_OUT = { 'system.paging.direction': 'out' };
const MINOR = { 'system.paging.type': 'minor' };
const MAJOR = { 'system.paging.type': 'major' };

const VMSTAT = new Set(['pswpin', 'pswpout', 'pgfault', 'pgmajfault']);

function emitMemory(emit: Emit, memory: Memory): void {
  const states = [
    [memory.used, USED],
    [memory.free, FREE],
    [memory.buffers, BUFFERS],
    [memory.cached, CACHED],
  ] as const;
  for (const [bytes, attributes] of states) emit('system.memory.usage', bytes, attributes);
  for (const [bytes, attributes] of states) emit('system.memory.utilization', bytes / memory.limit, attributes);
  emit('system.memory.limit', memory.limit);
  emit('system.linux.memory.available', memory.available);
}

function emitSwap(emit: Emit, swap: Swap): void {
  emit('system.paging.usage', swap.used, SWAP_USED);
  emit('system.paging.usage', swap.free, SWAP_FREE);
  emit('system.paging.utilization', swap.used / swap.limit, SWAP_USED);
  emit('system.paging.utilization', swap.free / swap.limit, SWAP_FREE);
}

function emitPaging(emit: Emit, vmstat: string): void {
  const values = parseTable(vmstat, VMSTAT);
  const [swappedIn, swappedOut, faults, major] = [...VMSTAT].map((name) => values.get(name));
  if (swappedIn !== undefined) emit('system.paging.operations', swappedIn, SWAP_IN);
  if (swappedOut !== undefined) emit('system.paging.operations', swappedOut, SWAP_OUT);
  if (major !== undefined) emit('system.paging.faults', major, MAJOR);
  if (faults !== undefined) emit('system.paging.faults', Math.max(0, faults - (major ?? 0)), MINOR);
}

/** Memory, swap and paging from /proc/meminfo and /proc/vmstat. */
export const memory = defineCollector({
  name: 'memory',
  summary: 'Reads memory and swap from /proc/meminfo and paging from /proc/vmstat.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root }) {
    const readMeminfo = textFile(join(root, 'proc/meminfo'));
    const readVmstat = textFile(join(root, 'proc/vmstat'));
    return {
      collect(emit) {
        const found = parseMeminfo(readMeminfo() ?? '');
        if (found.swap !== undefined) emitSwap(emit, found.swap);
        emitPaging(emit, readVmstat() ?? '');
        if (found.memory === undefined) throw new Error('/proc/meminfo tells no total');
        emitMemory(emit, found.memory);
      },
    };
  },
});
