/** What statfs(2) tells; blocks of `bsize` bytes. */
export interface StatFs {
  bsize: number;
  blocks: number;
  bfree: number;
  bavail: number;
  files: number;
  ffree: number;
}

/** Space of a file system in bytes, and shares of it. */
export interface Space {
  limit: number;
  used: number;
  free: number;
  reserved: number;
  /** Used as a share of what an ordinary user can use, as df prints it. */
  utilization: number;
  /** `undefined` where inodes are made as needed. */
  inodeUtilization: number | undefined;
}

/** Space from statfs; `undefined` for a file system without any, or with numbers that cannot be. */
export function spaceOf(stat: StatFs): Space | undefined {
  const { bsize, blocks } = stat;
  if (![bsize, blocks, stat.bfree, stat.bavail].every((value) => Number.isFinite(value) && value >= 0))
    return undefined;
  if (bsize * blocks === 0) return undefined;
  const bfree = Math.min(stat.bfree, blocks);
  const bavail = Math.min(stat.bavail, bfree);
  const used = blocks - bfree;
  const hasInodes = stat.files > 0 && stat.ffree >= 0 && Number.isFinite(stat.files);
  return {
    limit: blocks * bsize,
    used: used * bsize,
    free: bavail * bsize,
    reserved: (bfree - bavail) * bsize,
    utilization: used + bavail === 0 ? 1 : used / (used + bavail),
    inodeUtilization: hasInodes ? Math.max(0, stat.files - stat.ffree) / stat.files : undefined,
  };
}
