import { countIn } from '#sdk';

/** Counts of one block device since it appeared: bytes, operations, seconds. */
export interface DiskCounts {
  device: string;
  readBytes: number;
  writtenBytes: number;
  reads: number;
  writes: number;
  readSeconds: number;
  writeSeconds: number;
  /** Milliseconds in which at least one operation was under way; the kernel lets it wrap at 32 bits. */
  busyMs: number;
}

/** /proc/diskstats counts in sectors of 512 bytes, whatever the device's own are. */
const SECTOR = 512;

function parseLine(line: string): DiskCounts | undefined {
  const [, , device = '', ...fields] = line.trim().split(/\s+/);
  if (device === '' || fields.length < 11) return undefined;
  const [reads = NaN, , readSectors = NaN, readMs = NaN, writes = NaN, , writtenSectors = NaN, writeMs = NaN] =
    fields.map(countIn);
  const busyMs = countIn(fields[9]);
  const counts = {
    device,
    readBytes: readSectors * SECTOR,
    writtenBytes: writtenSectors * SECTOR,
    reads,
    writes,
    readSeconds: readMs / 1000,
    writeSeconds: writeMs / 1000,
    busyMs,
  };
  return [reads, readSectors, readMs, writes, writtenSectors, writeMs, busyMs].every(Number.isFinite)
    ? counts
    : undefined;
}

/** Every device of /proc/diskstats that has done anything; lines that cannot be read are passed over. */
export function parseDiskstats(text: string): DiskCounts[] {
  const disks: DiskCounts[] = [];
  for (const line of text.split('\n')) {
    const counts = parseLine(line);
    if (counts !== undefined && counts.reads + counts.writes > 0) disks.push(counts);
  }
  return disks;
}

/** True for a name that the kernel gives to a part of another device, judged by the name alone. */
export function looksLikePartition(device: string): boolean {
  return /^((s|h|v|xv)d[a-z]+\d+|(nvme\d+n\d+|mmcblk\d+|loop\d+|md\d+)p\d+)$/.test(device);
}

/** Share of the time between two readings in which a device was busy; `undefined` after a wrap or a reset. */
export function busyShare(beforeMs: number, afterMs: number, elapsedMs: number): number | undefined {
  if (afterMs < beforeMs || !(elapsedMs > 0)) return undefined;
  return Math.min(1, (afterMs - beforeMs) / elapsedMs);
}
