import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { memory } from './index.ts';
import { parseMeminfo, parseTable } from './meminfo.ts';

const name = fc.constantFrom(
  'MemTotal',
  'MemFree',
  'MemAvailable',
  'Buffers',
  'Cached',
  'SReclaimable',
  'SwapTotal',
  'SwapFree',
);
const value = fc.oneof(fc.nat().map(String), fc.string(), fc.constantFrom('-1', '0x10', '1e999', 'NaN', ''));
const meminfo = fc
  .array(fc.tuple(name, value, fc.constantFrom(' kB', '', ' MB')))
  .map((lines) => lines.map(([key, text, unit]) => `${key}:   ${text}${unit}`).join('\n'));

test('the states add up to the limit, whatever the kernel says', () => {
  fc.assert(
    fc.property(meminfo, (text) => {
      const { memory: found, swap } = parseMeminfo(text);
      if (found !== undefined) {
        const states = [found.used, found.free, found.buffers, found.cached];
        expect(states.every((bytes) => bytes >= 0 && bytes <= found.limit)).toBe(true);
        expect(states.reduce((sum, bytes) => sum + bytes, 0)).toBeCloseTo(found.limit, -1);
        expect(found.available).toBeLessThanOrEqual(found.limit);
      }
      if (swap !== undefined) expect(swap.used + swap.free).toBe(swap.limit);
    }),
  );
});

test('a line that cannot be read loses no other line', () => {
  const text = 'MemTotal: 1000 kB\n\u0000garbage\nMemFree: 400 kB\nBuffers: many kB\nCached: 100 kB';
  const { memory: found } = parseMeminfo(text);
  expect(found).toMatchObject({ limit: 1_024_000, free: 409_600, buffers: 0, cached: 102_400, used: 512_000 });
});

test('counts of /proc/vmstat are found by their whole name', () => {
  const text = 'pgfault_x 1\nxpgfault 2\npgfault 3\npgmajfault 4';
  expect([...parseTable(text, new Set(['pgfault']))]).toEqual([['pgfault', 3]]);
});

test('a machine without swap has no series of swap, and one without totals is a failure', async () => {
  const [swapless, broken] = await replay(memory, [
    { 'proc/meminfo': 'MemTotal: 10 kB\nMemFree: 4 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n' },
    { 'proc/meminfo': 'MemFree: 4 kB\nSwapTotal: 8 kB\nSwapFree: 6 kB\n', 'proc/vmstat': 'pswpin 3\n' },
  ]);
  expect(Object.keys(swapless?.values ?? {}).filter((key) => key.includes('paging'))).toEqual([]);
  expect(broken?.fault).toBe('/proc/meminfo tells no total');
  expect(broken?.values['system.paging.operations system.paging.direction=in']).toBe(3);
  expect(broken?.values['system.paging.usage system.paging.state=used']).toBe(2048);
});
