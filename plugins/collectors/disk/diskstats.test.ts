import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { busyShare, looksLikePartition, parseDiskstats } from './diskstats.ts';
import { disk } from './index.ts';

const line = (device: string, reads: number, busyMs = 0): string =>
  `   8       0 ${device} ${reads} 0 ${reads * 8} 10 0 0 0 0 0 ${busyMs} 10\n`;

test('sectors are 512 bytes and times are seconds', () => {
  const text = '   8  0 sda 120 1 240 4500 80 2 160 9200 0 600 13700 0 0 0 0\n';
  expect(parseDiskstats(text)).toEqual([
    {
      device: 'sda', reads: 120, writes: 80, readBytes: 122_880, writtenBytes: 81_920,
      readSeconds: 4.5, writeSeconds: 9.2, busyMs: 600,
    },
  ]); // prettier-ignore
});

test('damaged lines and devices that never did anything are passed over', () => {
  const text = `${line('sda', 1)}8 0 sdb 1 2\n8 0 sdc x 0 8 1 1 0 8 1 0 1 1\n${line('sdd', 0)}${line('sde', 2)}`;
  expect(parseDiskstats(text).map(({ device }) => device)).toEqual(['sda', 'sde']);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.nat().map(String))), (words) => {
      for (const { device, ...counts } of parseDiskstats(words.join(' '))) {
        expect(device).not.toBe('');
        expect(Object.values(counts).every((value) => Number.isFinite(value) && value >= 0)).toBe(true);
      }
    }),
  );
});

test('a partition is told by its name where there is no /sys', () => {
  const parts = ['sda1', 'vdb12', 'xvda1', 'nvme0n1p3', 'mmcblk0p1', 'md0p1'];
  const whole = ['sda', 'vdb', 'xvda', 'nvme0n1', 'mmcblk0', 'md0', 'dm-3', 'zram0', 'sdaa'];
  expect(parts.filter(looksLikePartition)).toEqual(parts);
  expect(whole.filter(looksLikePartition)).toEqual([]);
});

test('a share lies between zero and one, and a wrapped counter has none', () => {
  expect(busyShare(100, 350, 1000)).toBe(0.25);
  expect(busyShare(4_294_967_290, 250, 1000)).toBeUndefined();
  expect(busyShare(0, 5000, 1000)).toBe(1);
  expect(busyShare(0, 5, 0)).toBeUndefined();
});

test('a disk that goes and comes back starts anew', async () => {
  const states = [line('sda', 5, 900), line('sdb', 5, 0), line('sda', 6, 1000), line('sda', 6, 1500)];
  const runs = await replay(
    disk,
    states.map((text) => ({ 'proc/diskstats': text })),
  );
  expect(runs.map(({ values }) => values['system.disk.utilization system.device=sda'])).toEqual([
    undefined, undefined, undefined, 0.5,
  ]); // prettier-ignore
});
