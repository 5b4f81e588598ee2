import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Emit } from '#sdk';
import { countCpus, groupReader, readLegacy, readUnified, type Usage } from '../control-groups/index.ts';
import { isContainerPath, parseMembership } from './membership.ts';

type ReadUsage = () => Usage;

/** The agent's own container, or `undefined` on a bare machine. */
function findContainer(root: string): ReadUsage | undefined {
  const { unified, controllers } = parseMembership(textFile(join(root, 'proc/self/cgroup'))() ?? '');
  const mounted = join(root, 'sys/fs/cgroup');
  // Inside a container the group is often mounted as the root, while its path still is the machine's.
  const within = (folder: string, path: string): string =>
    existsSync(join(folder, path)) ? join(folder, path) : folder;
  if (unified !== undefined && isContainerPath(unified)) {
    const folder = within(mounted, unified);
    if (existsSync(join(folder, 'memory.max'))) {
      const read = groupReader(() => folder);
      return () => readUnified(read);
    }
  }
  const memory = controllers.get('memory');
  if (memory === undefined || !isContainerPath(memory)) return undefined;
  const folder = within(join(mounted, 'memory'), memory);
  const isBare = memory === '/' && existsSync(join(folder, 'release_agent')); // Only the machine's root has this file.
  if (isBare || !existsSync(join(folder, 'memory.limit_in_bytes'))) return undefined;
  const read = groupReader((controller) => within(join(mounted, controller), controllers.get(controller) ?? '/'));
  return () => readLegacy(read);
}

function emitMemory(emit: Emit, { memory, memoryLimit }: Usage): void {
  if (memory === undefined) return;
  emit('container.memory.usage', memory);
  if (memoryLimit !== undefined && memoryLimit > 0) emit('container.memory.utilization', memory / memoryLimit);
}

/** Processor and memory of the container in which the agent runs. */
export const cgroup = defineCollector({
  name: 'cgroup',
  summary:
    'Reads processor and memory of the container in which the agent runs, from control groups of either version.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object({}, { additionalProperties: false }),
  create({ root, clock }) {
    let container: ReadUsage | undefined;
    let cores: number | undefined;
    let hasLooked = false;
    let last: { cpuSeconds: number | undefined; at: number } | undefined;
    return {
      collect(emit) {
        if (!hasLooked) {
          container = findContainer(root);
          cores = countCpus(textFile(join(root, 'sys/devices/system/cpu/online'))() ?? '');
          hasLooked = true;
        }
        if (container === undefined) return;
        const usage = container();
        const at = clock.monotonic();
        emitMemory(emit, usage);
        if (usage.throttledSeconds !== undefined) emit('container.cpu.throttled', usage.throttledSeconds);
        const used = (usage.cpuSeconds ?? NaN) - (last?.cpuSeconds ?? NaN);
        const may = (usage.cpuLimit ?? cores ?? NaN) * ((at - (last?.at ?? at)) / 1000);
        if (used >= 0 && may > 0) emit('container.cpu.utilization', used / may);
        last = { cpuSeconds: usage.cpuSeconds, at };
      },
    };
  },
});
