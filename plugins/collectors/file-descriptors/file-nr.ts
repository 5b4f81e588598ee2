import { countIn } from '#sdk';

/** Open file handles of the machine and how many there may be, from /proc/sys/fs/file-nr. */
export function parseFileNr(text: string): { open: number; limit: number } | undefined {
  const [allocated, unused, limit] = text.trim().split(/\s+/).map(countIn);
  if (allocated === undefined || unused === undefined || limit === undefined) return undefined;
  const open = Math.max(0, allocated - unused);
  return Number.isFinite(open) && limit > 0 ? { open, limit } : undefined;
}
