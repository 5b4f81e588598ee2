/** One mounted file system. */
export interface Mount {
  /** The device without `/dev/`, as the disk collector names it. */
  device: string;
  mountpoint: string;
  type: string;
}

/** What is left out. */
export interface MountFilter {
  types: ReadonlySet<string>;
  mountpoints: readonly RegExp[];
}

interface Line extends Mount {
  /** Major and minor number: the same for every mount of one file system. */
  id: string;
  /** The folder of the file system that is mounted; `/` unless it is a bind mount or a subvolume. */
  root: string;
  isReadOnly: boolean;
}

/** The kernel writes blanks and backslashes of a path in octal. */
const unescape = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(parseInt(octal, 8)));

function parseLine(line: string): Line | undefined {
  const words = line.split(' ');
  const dash = words.indexOf('-', 6);
  const [, , id, root, mountpoint, options] = words;
  const [type, source] = dash < 0 ? [] : words.slice(dash + 1);
  if (id === undefined || !/^\d+:\d+$/.test(id) || root === undefined || type === undefined) return undefined;
  if (mountpoint === undefined || !mountpoint.startsWith('/') || source === undefined) return undefined;
  return {
    id,
    root: unescape(root),
    mountpoint: unescape(mountpoint),
    type,
    device: unescape(source).replace(/^\/dev\//, ''),
    isReadOnly: options?.split(',').includes('ro') ?? false,
  };
}

function isWanted({ type, mountpoint, isReadOnly }: Line, filter: MountFilter): boolean {
  if (filter.types.has(type) || filter.mountpoints.some((pattern) => pattern.test(mountpoint))) return false;
  if (type === 'overlay') return mountpoint === '/'; // Elsewhere it is a container's, on a disk that is shown anyway.
  return !(type === 'tmpfs' && isReadOnly); // Made full once and never again.
}

/** The mounts of /proc/self/mountinfo that are worth a look, each file system once: where most of it is seen, at the shortest path. */
export function parseMounts(text: string, filter: MountFilter): Mount[] {
  const byPath = new Map<string, Line>();
  for (const line of text.split('\n')) {
    const mount = parseLine(line);
    if (mount !== undefined) byPath.set(mount.mountpoint, mount); // A later mount hides an earlier one.
  }
  const byId = new Map<string, Line>();
  const rank = ({ root, mountpoint }: Line): number => root.length * 4096 + mountpoint.length;
  for (const mount of byPath.values()) {
    const known = byId.get(mount.id);
    if (isWanted(mount, filter) && (known === undefined || rank(mount) < rank(known))) byId.set(mount.id, mount);
  }
  return [...byId.values()].map(({ device, mountpoint, type }) => ({ device, mountpoint, type }));
}

/** True for file systems whose server may stop answering for ever. */
export function isRemote(type: string): boolean {
  return /^(nfs|cifs|smb|afs|ceph|9p|gluster|lustre|gfs|ocfs|ncp|virtiofs|fuse)/.test(type);
}
