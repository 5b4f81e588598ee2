import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEach, parseIo } from './each.ts';
import { commandLine, groupPath, parseUsers } from './identity.ts';
import type { PidStat } from './pid-stat.ts';

const stat = (over: Partial<PidStat> = {}): PidStat => ({
  name: 'a', ticks: 0, startTicks: 1, state: 'S', parent: 1, residentPages: 10, threads: 2, isKernelThread: false, ...over,
}); // prettier-ignore

function create(most = 10, folder = '/nowhere') {
  const identified: number[] = [];
  const each = createEach({
    folder,
    most,
    identify: (pid, name) => (identified.push(pid), { pid: String(pid), name }),
    pageSize: 4096,
    ticksPerSecond: 100,
  });
  /** One run: who has series of its own, and what they tell. */
  const run = (pids: Readonly<Record<number, PidStat>>, ticks = 50) => {
    const alone = Object.entries(pids).flatMap(([pid, one]) =>
      each.add(Number(pid), one, ticks) ? [Number(pid)] : [],
    );
    const told: Record<string, number> = {};
    each.emit((metric, value, of) => void (told[`${String(metric)} ${of?.['pid']}`] = value), 1000);
    return { alone, told };
  };
  return { run, identified };
}

test('a process tells its own use', () => {
  const { run } = create();
  expect(run({ 7: stat() }).told).toEqual({
    'process.cpu.utilization 7': 0.5,
    'process.memory.usage 7': 40_960,
    'process.thread.count 7': 2,
  });
});

test('what comes later has series of its own once it has lived for ten runs, and is asked who it is only then', () => {
  const { run, identified } = create();
  run({ 1: stat() });
  const first = Array.from({ length: 21 }, () => run({ 1: stat(), 2: stat() }).alone).findIndex((alone) =>
    alone.includes(2),
  );
  expect(first).toBe(19);
  for (let n = 0; n < 20; n++) run({ 1: stat(), [100 + n]: stat() });
  expect(identified).toEqual([1, 2]);
});

test('another process of the same number, or another program in it, begins anew', () => {
  const { run, identified } = create();
  run({ 1: stat(), 2: stat() });
  expect(run({ 1: stat({ startTicks: 9 }), 2: stat({ name: 'b' }) }).alone).toEqual([]);
  for (let n = 0; n < 20; n++) run({ 1: stat({ startTicks: 9 }), 2: stat({ name: 'b' }) });
  expect(identified).toEqual([1, 2, 1, 2]);
});

test('kernel threads, and processes beyond the limit, have no series of their own', () => {
  const { run } = create(2);
  expect(run({ 1: stat(), 2: stat({ isKernelThread: true }), 3: stat(), 4: stat() }).alone).toEqual([1, 3]);
  expect(run({ 4: stat() }).alone).toEqual([]);
});

test('open files and I/O of a real process are told each tenth run', () => {
  const { run } = create(10, '/proc');
  const names = new Set<string>();
  let files = 0;
  for (let n = 0; n < 10; n++) {
    const { told } = run({ [process.pid]: stat() });
    Object.keys(told).forEach((name) => names.add(name.split(' ')[0] ?? ''));
    files = Math.max(files, told[`process.unix.file_descriptor.count ${process.pid}`] ?? 0);
  }
  expect(names).toContain('process.unix.file_descriptor.count');
  expect(Math.abs(files - readdirSync('/proc/self/fd').length)).toBeLessThan(10);
});

test('a command line is one line without secrets, however long it is', () => {
  const redact = (text: string): string => text.replace(/hunter\d+/g, '***');
  expect(commandLine('psql\0--password\0hunter2\0a\nb\0', redact)).toBe('psql --password *** a b');
  expect(commandLine(`${'x'.repeat(250)} hunter222222\0`, redact)).toBe(`${'x'.repeat(250)} ***`);
  fc.assert(fc.property(fc.string(), (text) => void expect(commandLine(text, redact).length).toBeLessThanOrEqual(256)));
});

test('the group is that of the unified hierarchy, else systemd’s', () => {
  expect(groupPath('0::/system.slice/a.service\n')).toBe('/system.slice/a.service');
  expect(groupPath('5:memory:/x\n1:name=systemd:/system.slice/b.service\n0::/\n')).toBe('/system.slice/b.service');
  expect([groupPath('0::/\n'), groupPath('')]).toEqual([undefined, undefined]);
});

test('users and bytes are read, and nothing else is', () => {
  expect([...parseUsers('root:x:0:0\nbad\nb:x:1z:\n:x:3:\nc:x:5:5')]).toEqual([
    [0, 'root'],
    [5, 'c'],
  ]);
  expect(parseIo('read_bytes: 1\nwrite_bytes: 2\n')).toEqual({ read: 1, written: 2 });
  expect(parseIo('')).toBeUndefined();
});
