import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replay } from '../replay.ts';
import { cgroup } from './index.ts';
import { isContainerPath, parseMembership } from './membership.ts';
import { countCpus, readLegacy, readUnified } from '../control-groups/index.ts';

test('reads the groups of both versions', () => {
  const found = parseMembership('9:name=systemd:/\n2:cpu,cpuacct:/docker/a:b\nbad line\n0::/user.slice\n');
  expect(found.unified).toBe('/user.slice');
  expect([...found.controllers]).toEqual([
    ['name=systemd', '/'],
    ['cpu', '/docker/a:b'],
    ['cpuacct', '/docker/a:b'],
  ]);
});

test('containers are told from services and sessions', () => {
  const id = 'a'.repeat(64);
  const containers = [
    '/',
    `/docker/${id}`,
    `/system.slice/docker-${id}.scope`,
    `/kubepods/burstable/pod1/${id}`,
    '/machine.slice/libpod-1.scope',
  ];
  expect(containers.filter(isContainerPath)).toEqual(containers);
  expect(['/system.slice/ssh.service', '/user.slice/user-0.slice/session-1.scope'].filter(isContainerPath)).toEqual([]);
});

test('a group without limits has none', () => {
  const files: Record<string, string> = { 'cpu.max': 'max 100000\n', 'memory.max': 'max\n', 'memory.current': '5\n' };
  const usage = readUnified((_controller, file) => files[file]);
  expect(usage).toMatchObject({ cpuLimit: undefined, memoryLimit: undefined, memory: 5, cpuSeconds: undefined });
});

test('no text makes a number that is not finite', () => {
  const text = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('usage_usec 5', '0 0', '-1', '1 0'));
  fc.assert(
    fc.property(text, text, (a, b) => {
      const read = (_controller: string, file: string): string => (file.length % 2 === 0 ? a : b);
      for (const value of [...Object.values(readUnified(read)), ...Object.values(readLegacy(read))]) {
        expect(value === undefined || (Number.isFinite(value) && value >= 0)).toBe(true);
      }
    }),
  );
});

test('counts the CPUs of a list', () => {
  expect(['0\n', '0-3', '0-3,8,10-11'].map(countCpus)).toEqual([1, 4, 7]);
  expect(['', 'x', '1-', '-1'].map(countCpus)).toEqual([undefined, undefined, undefined, undefined]);
});

test.each([
  ['version 2', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.stat': 'usage_usec 1\n' }],
  [
    'version 1',
    {
      'proc/self/cgroup': '4:memory:/\n',
      'sys/fs/cgroup/memory/release_agent': '',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '1',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '1',
    },
  ],
])('the root group of a bare machine is no container: %s', async (_version, files) => {
  expect(await replay(cgroup, [files])).toEqual([{ values: {} }]);
});
