import type { Systeminformation } from 'systeminformation';
import type { Attributes, Emit } from '#sdk';

/** Gives the same attribute object for the same text each time, so that the schedule recognises a series by identity. */
export type Intern = (attributes: Attributes) => Attributes;

/** Makes an interning function; it forgets everything past a thousand objects, which costs one comparison by content. */
export function createIntern(): Intern {
  const known = new Map<string, Attributes>();
  return (attributes) => {
    const key = JSON.stringify(attributes);
    const found = known.get(key) ?? attributes;
    if (known.size >= 1000) known.clear();
    known.set(key, found);
    return found;
  };
}

/** The libraries answer null, -1 or NaN where a platform does not tell. */
const isTold = (value: number | null | undefined): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** An `emit` that passes over what a platform does not tell. */
function onlyTold(emit: Emit): (...args: [Parameters<Emit>[0], number | null | undefined, Attributes?]) => void {
  return (name, value, attributes) => {
    if (isTold(value)) emit(name, value, attributes);
  };
}

const share = (percent: number): number => Math.min(1, percent / 100);

/** Processor shares, of the whole machine and of each core. */
export function emitLoad(out: Emit, load: Systeminformation.CurrentLoadData, intern: Intern): void {
  const emit = onlyTold(out);
  const modes = (load: { [mode: string]: number }, core: Attributes): void => {
    for (const [mode, percent] of Object.entries(load)) {
      emit('system.cpu.utilization', share(percent), intern({ ...core, 'cpu.mode': mode }));
    }
  };
  emit('system.cpu.logical.count', load.cpus.length);
  emit('system.cpu.busy', share(load.currentLoad));
  const { currentLoadUser: user, currentLoadNice: nice, currentLoadSystem: system } = load;
  modes({ user, nice, system, idle: load.currentLoadIdle, interrupt: load.currentLoadIrq }, {});
  load.cpus.forEach((cpu, i) => {
    const core = intern({ 'cpu.logical_number': String(i) });
    emit('system.cpu.busy', share(cpu.load), core);
    modes({ user: cpu.loadUser, system: cpu.loadSystem, idle: cpu.loadIdle }, core);
  });
}

/** Load averages. */
export function emitLoadAverage(out: Emit, load: { load1: number; load5: number; load15: number }): void {
  const emit = onlyTold(out);
  emit('system.cpu.load_average.1m', load.load1);
  emit('system.cpu.load_average.5m', load.load5);
  emit('system.cpu.load_average.15m', load.load15);
}

/** Time since boot. */
export function emitUptime(out: Emit, milliseconds: number): void {
  onlyTold(out)('system.uptime', milliseconds / 1000);
}

/** Memory and swap. */
export function emitMemory(out: Emit, mem: Systeminformation.MemData, intern: Intern): void {
  const emit = onlyTold(out);
  const limit = mem.total;
  if (!isTold(limit) || limit === 0) return;
  const free = Math.min(isTold(mem.free) ? mem.free : 0, limit);
  const buffers = Math.min(isTold(mem.buffers) ? mem.buffers : 0, limit - free);
  const cache = isTold(mem.buffcache) ? mem.buffcache - buffers : 0;
  const cached = Math.min(Math.max(0, cache), limit - free - buffers);
  const states = { used: limit - free - buffers - cached, free, buffers, cached };
  for (const [state, bytes] of Object.entries(states)) {
    const attributes = intern({ 'system.memory.state': state });
    emit('system.memory.usage', bytes, attributes);
    emit('system.memory.utilization', bytes / limit, attributes);
  }
  emit('system.memory.limit', limit);
  if (!isTold(mem.swaptotal) || mem.swaptotal === 0) return;
  for (const [state, bytes] of Object.entries({ used: mem.swapused, free: mem.swapfree })) {
    const attributes = intern({ 'system.paging.state': state });
    emit('system.paging.usage', bytes, attributes);
    if (isTold(bytes)) emit('system.paging.utilization', Math.min(1, bytes / mem.swaptotal), attributes);
  }
}

/** Space of file systems. */
export function emitSpace(out: Emit, sizes: readonly Systeminformation.FsSizeData[], intern: Intern): void {
  const emit = onlyTold(out);
  for (const { fs, type, mount, size, used, available } of sizes) {
    if (!isTold(size) || size === 0 || !isTold(used)) continue;
    const plain = {
      'system.device': fs.replace(/^\/dev\//, ''),
      'system.filesystem.mountpoint': mount,
      'system.filesystem.type': type,
    };
    const free = isTold(available) ? available : Math.max(0, size - used);
    emit('system.filesystem.usage', used, intern({ ...plain, 'system.filesystem.state': 'used' }));
    emit('system.filesystem.usage', free, intern({ ...plain, 'system.filesystem.state': 'free' }));
    emit('system.filesystem.limit', size, intern(plain));
    if (used + free > 0) emit('system.filesystem.utilization', used / (used + free), intern(plain));
  }
}

/** Work of all disks together: these platforms do not tell it for each. */
export function emitDisks(
  out: Emit,
  operations: Systeminformation.DisksIoData | null,
  bytes: Systeminformation.FsStatsData | null,
  intern: Intern,
): void {
  const emit = onlyTold(out);
  const read = intern({ 'disk.io.direction': 'read' });
  const write = intern({ 'disk.io.direction': 'write' });
  emit('system.disk.io', bytes?.rx, read);
  emit('system.disk.io', bytes?.wx, write);
  emit('system.disk.operations', operations?.rIO, read);
  emit('system.disk.operations', operations?.wIO, write);
}

/** Counts of one interface, from either library. */
export interface Traffic {
  name: string;
  receive: Counts;
  transmit: Counts;
}

interface Counts {
  bytes: number;
  errors: number;
  dropped: number;
  packets?: number;
}

/** Traffic of interfaces other than the loopback. */
export function emitTraffic(out: Emit, interfaces: readonly Traffic[], intern: Intern): void {
  const emit = onlyTold(out);
  for (const traffic of interfaces) {
    if (/^lo\d*$/.test(traffic.name)) continue;
    for (const direction of ['receive', 'transmit'] as const) {
      const attributes = intern({ 'network.interface.name': traffic.name, 'network.io.direction': direction });
      const { bytes, packets, dropped, errors } = traffic[direction];
      emit('system.network.io', bytes, attributes);
      emit('system.network.packet.count', packets, attributes);
      emit('system.network.packet.dropped', dropped, attributes);
      emit('system.network.errors', errors, attributes);
    }
  }
}

/** Processes by state, and the executables that use most processor time and memory. `cores` is what 100 % stands for. */
export function emitProcesses(
  out: Emit,
  { all, running, sleeping, blocked, list }: Systeminformation.ProcessesData,
  { cores, top }: { cores: number; top: number },
  intern: Intern,
): void {
  const emit = onlyTold(out);
  const states = { running, sleeping, blocked, other: Math.max(0, all - running - sleeping - blocked) };
  for (const [state, count] of Object.entries(states)) {
    emit('system.process.count', count, intern({ 'process.state': state }));
  }
  const groups = new Map<string, { cpu: number; memory: number }>();
  for (const { name, cpu, memRss } of list) {
    const group = groups.get(name) ?? { cpu: 0, memory: 0 };
    group.cpu += isTold(cpu) ? (cpu / 100) * cores : 0;
    group.memory += isTold(memRss) ? memRss * 1024 : 0;
    groups.set(name, group);
  }
  const by = (key: 'cpu' | 'memory') => [...groups].sort((a, b) => b[1][key] - a[1][key]).slice(0, top);
  for (const [name, group] of new Map([...by('memory'), ...by('cpu')])) {
    const attributes = intern({ 'process.executable.name': name });
    emit('process.cpu.utilization', group.cpu, attributes);
    emit('process.memory.usage', group.memory, attributes);
  }
}
