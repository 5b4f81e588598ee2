import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { replay } from '../replay.ts';
import { createSpaceCollector, filesystem } from './index.ts';

test('each mount gives its space under the names of the catalogue', async () => {
  const root = mkdtempSync(join(tmpdir(), 'outrider-filesystem-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, 'proc/self'), { recursive: true });
  writeFileSync(
    join(root, 'proc/self/mountinfo'),
    '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw\n',
  );
  const look = {
    isRemote: () => false,
    stat: () => Promise.resolve({ bsize: 10, blocks: 100, bfree: 60, bavail: 50, files: 10, ffree: 5 }),
  };
  const filter = { types: new Set(['proc']), mountpoints: [] };
  const emitted: unknown[] = [];
  const seen = new Set<unknown>();
  const collector = createSpaceCollector({ root, clock: createManualClock(), filter, look });
  for (let run = 0; run < 2; run++) {
    emitted.length = 0;
    await collector.collect((name, value, attributes) => {
      emitted.push([name, attributes?.['system.filesystem.state'], value]);
      seen.add(attributes);
    });
  }
  expect(emitted).toEqual([
    ['system.filesystem.usage', 'used', 400],
    ['system.filesystem.usage', 'free', 500],
    ['system.filesystem.usage', 'reserved', 100],
    ['system.filesystem.limit', undefined, 1000],
    ['system.filesystem.utilization', undefined, 40 / 90],
    ['system.filesystem.inode.utilization', undefined, 0.5],
  ]);
  expect(seen.size).toBe(4); // The same objects in both runs.
});

test("this machine's own root is asked through statfs", async () => {
  const mountinfo = '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /absent rw - ext4 /dev/sda2 rw\n';
  const [run] = await replay(filesystem, [{ 'proc/self/mountinfo': mountinfo }]);
  const mounts = Object.keys(run?.values ?? {}).map((key) => /mountpoint=(\S+)/.exec(key)?.[1]);
  expect(new Set(mounts)).toEqual(new Set(['/']));
});

test('a machine without a list of mounts is a failure with a reason', async () => {
  const [run] = await replay(filesystem, [{ x: '' }]);
  expect(run?.fault).toBe('/proc/self/mountinfo cannot be read');
});
