import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { defineCollector, textFile, type Attributes, type Clock, type Emit } from '#sdk';
import { isRemote, parseMounts, type Mount, type MountFilter } from './mounts.ts';
import { createSurvey, type Look } from './survey.ts';
import type { Space } from './space.ts';

const PSEUDO = [
  'autofs', 'binfmt_misc', 'bpf', 'cgroup', 'cgroup2', 'configfs', 'debugfs', 'devpts', 'devtmpfs', 'efivarfs', 'erofs',
  'fusectl', 'fuse.lxcfs', 'fuse.portal', 'fuse.gvfsd-fuse', 'hugetlbfs', 'iso9660', 'mqueue', 'nsfs', 'proc', 'pstore',
  'ramfs', 'rpc_pipefs', 'securityfs', 'selinuxfs', 'squashfs', 'sysfs', 'tracefs',
]; // prettier-ignore

const RUNTIME = '^/(dev|proc|sys|run|etc|snap|var/lib/(docker|containers|containerd|kubelet)/.+)(/|$)';

/** How long a file system may take to answer, in milliseconds; it is looked at again once the answer has come. */
const PATIENCE_MS = 1000;

interface Shown extends Mount {
  plain: Attributes;
  used: Attributes;
  free: Attributes;
  reserved: Attributes;
}

function shown(mount: Mount): Shown {
  const plain = {
    'system.device': mount.device,
    'system.filesystem.mountpoint': mount.mountpoint,
    'system.filesystem.type': mount.type,
  };
  const inState = (state: string): Attributes => ({ ...plain, 'system.filesystem.state': state });
  return { ...mount, plain, used: inState('used'), free: inState('free'), reserved: inState('reserved') };
}

function emitSpace(emit: Emit, mount: Shown, space: Space): void {
  emit('system.filesystem.usage', space.used, mount.used);
  emit('system.filesystem.usage', space.free, mount.free);
  emit('system.filesystem.usage', space.reserved, mount.reserved);
  emit('system.filesystem.limit', space.limit, mount.plain);
  emit('system.filesystem.utilization', space.utilization, mount.plain);
  if (space.inodeUtilization !== undefined) {
    emit('system.filesystem.inode.utilization', space.inodeUtilization, mount.plain);
  }
}

/** Gives the mounts of now, reading them anew only when the kernel's list has changed. */
function createMountList(root: string, filter: MountFilter): () => Shown[] {
  const read = textFile(join(root, 'proc/self/mountinfo'));
  let last = '';
  let mounts: Shown[] = [];
  return () => {
    const text = read();
    if (text === undefined) throw new Error('/proc/self/mountinfo cannot be read');
    if (text !== last) mounts = parseMounts(text, filter).map(shown);
    last = text;
    return mounts;
  };
}

/** A collector of space over any way to look at a mount, so that a test can let one hang. */
export function createSpaceCollector(given: { root: string; clock: Clock; filter: MountFilter; look: Look }) {
  const list = createMountList(given.root, given.filter);
  const survey = createSurvey(given.look, given.clock, PATIENCE_MS);
  return {
    async collect(emit: Emit): Promise<void> {
      const mounts = list();
      const spaces = await survey(mounts);
      mounts.forEach((mount, i) => {
        const space = spaces[i];
        if (space !== undefined) emitSpace(emit, mount, space);
      });
    },
  };
}

/** Space and inodes of mounted file systems. */
export const filesystem = defineCollector({
  name: 'filesystem',
  summary:
    'Asks each mounted file system once for its space and inodes; pseudo file systems and bind mounts are left out.',
  platforms: ['linux'],
  intervalSeconds: 1,
  config: Type.Object(
    {
      excludeTypes: Type.Array(Type.String(), {
        default: PSEUDO,
        description: 'File system types that are left out.',
      }),
      excludeMountpoints: Type.Array(Type.String({ format: 'regex' }), {
        default: [RUNTIME],
        description: 'Regular expressions; a mount point that matches one is left out.',
      }),
    },
    { additionalProperties: false },
  ),
  create({ config, root, clock }) {
    const filter = {
      types: new Set(config.excludeTypes),
      mountpoints: config.excludeMountpoints.map((pattern) => new RegExp(pattern)),
    };
    const look: Look = {
      isRemote: ({ type }) => isRemote(type),
      stat: ({ mountpoint }) => statfs(join(root, mountpoint)),
    };
    return createSpaceCollector({ root, clock, filter, look });
  },
});
