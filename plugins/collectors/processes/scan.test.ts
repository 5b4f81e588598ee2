import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { createScan, type Scan } from './scan.ts';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const work of undo.splice(0)) work();
});

function scanOf(folder: string): Scan {
  const scan = createScan(folder);
  undo.push(() => scan.close());
  return scan;
}

async function child(): Promise<ChildProcess & { pid: number }> {
  const started = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); process.stdout.write("up")']);
  undo.push(() => started.kill('SIGKILL'));
  await once(started.stdout, 'data');
  return started as ChildProcess & { pid: number };
}

function pidsOf(scan: Scan, forks: number): number[] {
  const pids: number[] = [];
  scan.run(forks, (pid) => pids.push(pid));
  return pids;
}

const isLinux = process.platform === 'linux';

test.runIf(isLinux)('a process that has ended is told no more, though its file was kept open', async () => {
  const scan = scanOf('/proc');
  const one = await child();
  expect(pidsOf(scan, 1)).toContain(one.pid);
  expect(pidsOf(scan, 1)).toContain(one.pid);
  one.kill('SIGKILL');
  await once(one, 'exit');
  expect(pidsOf(scan, 1)).not.toContain(one.pid);
  expect(pidsOf(scan, 1)).toContain(process.pid);
});

test.runIf(isLinux)('new processes are looked for once there was a fork, and now and then in any case', async () => {
  const scan = scanOf('/proc');
  pidsOf(scan, 1);
  const one = await child();
  expect(pidsOf(scan, 1)).not.toContain(one.pid);
  expect(pidsOf(scan, 2)).toContain(one.pid);
  const other = await child();
  expect(Array.from({ length: 30 }, () => pidsOf(scan, 2)).at(-1)).toContain(other.pid);
});

test.runIf(isLinux)('where nobody knows of forks, each run looks for new processes', async () => {
  const scan = scanOf('/proc');
  pidsOf(scan, NaN);
  const one = await child();
  expect(pidsOf(scan, NaN)).toContain(one.pid);
});

test.runIf(isLinux)('every file is closed at the end', () => {
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const scan = createScan('/proc');
  pidsOf(scan, 1);
  expect(open()).toBeGreaterThan(before);
  scan.close();
  expect(open()).toBe(before);
});

test('a copy of the kernel’s folder is read anew in each run', () => {
  const root = mkdtempSync(join(tmpdir(), 'outrider-scan-'));
  undo.push(() => rmSync(root, { recursive: true, force: true }));
  const lay = (pid: number, ticks: number): void => {
    mkdirSync(join(root, String(pid)), { recursive: true });
    const text = `${pid} (a) S 1 1 1 0 -1 4194304 1 0 0 0 ${ticks} 0 0 0 20 0 1 0 950 1000 77 1\n`;
    writeFileSync(join(root, String(pid), 'stat'), text);
  };
  const scan = scanOf(root);
  const told = (): [number, number][] => {
    const ticks: [number, number][] = [];
    scan.run(1, (pid, stat) => ticks.push([pid, stat.ticks]));
    return ticks;
  };
  lay(1, 5);
  expect(told()).toEqual([[1, 5]]);
  lay(1, 7);
  lay(2, 1);
  expect(told()).toEqual([
    [1, 7],
    [2, 1],
  ]);
});
