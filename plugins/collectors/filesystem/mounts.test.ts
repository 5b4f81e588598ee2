import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isRemote, parseMounts, type MountFilter } from './mounts.ts';

const filter: MountFilter = {
  types: new Set(['proc', 'sysfs', 'cgroup2', 'devtmpfs', 'squashfs']),
  mountpoints: [/^\/(dev|run|etc)(\/|$)/],
};

const captured = (machine: string): string =>
  readFileSync(join(import.meta.dirname, 'testdata', machine, '1/proc/self/mountinfo'), 'utf8');

test('a server shows each file system once, where most of it is seen', () => {
  expect(
    parseMounts(captured('server'), filter).map(({ device, mountpoint, type }) => [device, mountpoint, type]),
  ).toEqual([
    ['vda1', '/', 'ext4'],
    ['mapper/data-root', '/data', 'xfs'],
    ['filer:/volume', '/mnt/share', 'nfs4'],
    ['tmpfs', '/tmp', 'tmpfs'],
    ['vda3', '/boot', 'ext4'],
    ['sdc', '/pool', 'btrfs'],
  ]);
});

test('a container shows its own root and its volumes, not the files of the machine', () => {
  expect(parseMounts(captured('container'), filter).map(({ mountpoint }) => mountpoint)).toEqual([
    '/',
    '/var/lib/postgresql',
  ]);
});

test('octal escapes of a path are read', () => {
  const text = '1 2 8:1 / /with\\040blank\\134 rw - ext4 /dev/sda1 rw';
  expect(parseMounts(text, filter)[0]?.mountpoint).toBe('/with blank\\');
});

test('no text makes a mount without a path or a type', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('-', '8:1', '/', '/a', 'rw', 'ext4', '/dev/sda'));
  fc.assert(
    fc.property(
      fc.array(word).map((words) => words.join(' ')),
      (text) => {
        for (const { mountpoint, type } of parseMounts(text, filter)) {
          expect(mountpoint.startsWith('/')).toBe(true);
          expect(type).toEqual(expect.any(String));
        }
      },
    ),
  );
});

test('file systems behind a network are told from local ones', () => {
  expect(['nfs', 'nfs4', 'cifs', 'fuse.sshfs', 'ceph', '9p'].every(isRemote)).toBe(true);
  expect(['ext4', 'xfs', 'btrfs', 'tmpfs', 'zfs', 'overlay'].some(isRemote)).toBe(false);
});
