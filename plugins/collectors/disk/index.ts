import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Attributes, type Emit } from '#sdk';
import { busyShare, looksLikePartition, parseDiskstats, type DiskCounts } from './diskstats.ts';

/** What is kept of a device between two runs. */
interface Disk {
  shown: boolean;
  plain: Attributes;
  read: Attributes;
  write: Attributes;
  busyMs: number | undefined;
}

/** The name under which file systems speak of a device: that of the mapping for device mapper, so that the two can be joined. */
function nameOf(root: string, device: string): string {
  const mapped = device.startsWith('dm-') ? textFile(join(root, 'sys/block', device, 'dm/name'))()?.trim() : undefined;
  return mapped === undefined || mapped === '' ? device : `mapper/${mapped}`;
}

function inspect(root: string, device: string, exclude: readonly RegExp[]): Disk {
  const blocks = join(root, 'sys/block');
  const isWhole = existsSync(blocks) ? existsSync(join(blocks, device)) : !looksLikePartition(device);
  const plain = { 'system.device': nameOf(root, device) };
  return {
    shown: isWhole && !exclude.some((pattern) => pattern.test(device)),
    plain,
    read: { ...plain, 'disk.io.direction': 'read' },
    write: { ...plain, 'disk.io.direction': 'write' },
    busyMs: undefined,
  };
}

function emitDisk(emit: Emit, disk: Disk, counts: DiskCounts, elapsedMs: number): void {
  emit('system.disk.io', counts.readBytes, disk.read);
  emit('system.disk.io', counts.writtenBytes, disk.write);
  emit('system.disk.operations', counts.reads, disk.read);
  emit('system.disk.operations', counts.writes, disk.write);
  emit('system.disk.operation_time', counts.readSeconds, disk.read);
  emit('system.disk.operation_time', counts.writeSeconds, disk.write);
  emit('system.disk.io_time', counts.busyMs / 1000, disk.plain);
  const share = disk.busyMs === undefined ? undefined : busyShare(disk.busyMs, counts.busyMs, elapsedMs);
  if (share !== undefined) emit('system.disk.utilization', share, disk.plain);
}

/** Work of whole disks and device mappings from /proc/diskstats. */
export const disk = defineCollector({
  name: 'disk',
  summary:
    'Reads what whole disks and device mappings moved, from /proc/diskstats; idle and partial ones are left out.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object(
    {
      exclude: Type.Array(Type.String({ format: 'regex' }), {
        default: ['^(loop|ram|fd|sr)[0-9]+$'],
        description: 'Regular expressions; a device whose kernel name matches one is left out.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, root, clock }) {
    const read = textFile(join(root, 'proc/diskstats'));
    const exclude = config.exclude.map((pattern) => new RegExp(pattern));
    let disks = new Map<string, Disk>();
    let last = clock.monotonic();
    return {
      collect(emit) {
        const text = read();
        if (text === undefined) throw new Error('/proc/diskstats cannot be read');
        const now = clock.monotonic();
        const present = new Map<string, Disk>();
        for (const counts of parseDiskstats(text)) {
          const known = disks.get(counts.device) ?? inspect(root, counts.device, exclude);
          present.set(counts.device, known);
          if (!known.shown) continue;
          emitDisk(emit, known, counts, now - last);
          known.busyMs = counts.busyMs;
        }
        disks = present;
        last = now;
      },
    };
  },
});
