import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '#sdk';
import { findProgram, runProgram, type ProgramCall } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'outrider-programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const call = (script: string, over: Partial<ProgramCall> = {}): ProgramCall => ({
  command: ['/bin/sh', '-c', script],
  timeoutMs: 20_000,
  mostBytes: 1000,
  signal: new AbortController().signal,
  clock: systemClock,
  ...over,
});

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');

const pidIn = async (path: string): Promise<number> => {
  while (!existsSync(path) || !/\d+\n/.test(readFileSync(path, 'utf8'))) await systemClock.sleep(10);
  return Number(readFileSync(path, 'utf8'));
};

const ended = async (pid: number): Promise<true> => {
  while (isAlive(pid)) await systemClock.sleep(10);
  return true;
};

test('gives the output, the code and the last complaint', async () => {
  const answer = await runProgram(call('echo one; echo a >&2; echo b >&2; exit 3'));
  expect(answer).toEqual({ code: 3, output: 'one\n', complaint: 'b' });
});

test('a program sees nothing of the agent’s environment, and what it is given', async () => {
  const { output } = await runProgram(call('env', { env: { QUEUE: 'q1' } }));
  const names = output.split('\n').map((line) => line.split('=')[0] ?? '');
  expect(names.filter((name) => !['PATH', 'LANG', 'LC_ALL', 'QUEUE', 'PWD', 'SHLVL', '_', ''].includes(name))).toEqual(
    [],
  );
  expect(output).toContain('QUEUE=q1');
});

test('a program that runs too long ends, with all that it started', async () => {
  const path = join(folder, 'late');
  const late = runProgram(call(`sleep 600 & echo $! > ${path}; wait`, { timeoutMs: 300 }));
  await expect(late).rejects.toThrow('/bin/sh did not end within 0.3 s');
  expect(await ended(await pidIn(path))).toBe(true);
});

test('a program that prints too much ends', async () => {
  await expect(runProgram(call('yes'))).rejects.toThrow('/bin/sh printed more than 1000 bytes');
});

test('the signal ends it', async () => {
  const path = join(folder, 'aborted');
  const abort = new AbortController();
  const running = runProgram(call(`echo $$ > ${path}; exec sleep 600`, { signal: abort.signal }));
  const pid = await pidIn(path);
  abort.abort();
  await expect(running).rejects.toThrow('was stopped');
  expect(isAlive(pid)).toBe(false);
  await expect(runProgram(call('true', { signal: abort.signal }))).rejects.toThrow('was not run');
});

test('what a program leaves behind in its group ends with it', async () => {
  const path = join(folder, 'left');
  const { output } = await runProgram(call(`sleep 600 & echo $! > ${path}; echo done`));
  expect(output).toBe('done\n');
  expect(await ended(await pidIn(path))).toBe(true);
});

test('what left its group and holds the pipe is not waited for', async () => {
  const path = join(folder, 'gone');
  const { output } = await runProgram(
    call(`setsid sh -c 'echo $$ > ${path}; exec sleep 600' & while [ ! -s ${path} ]; do sleep 0.01; done; echo done`),
  );
  expect(output).toBe('done\n');
  process.kill(await pidIn(path));
});

test('a program that is not there is said so', async () => {
  await expect(runProgram(call('', { command: [join(folder, 'none')] }))).rejects.toThrow('cannot be run');
});

test('a program is found in the folders of the system only', () => {
  const root = join(folder, 'root');
  mkdirSync(join(root, 'usr/sbin'), { recursive: true });
  writeFileSync(join(root, 'usr/sbin/probe'), '');
  writeFileSync(join(root, 'other'), '');
  expect(findProgram(root, 'probe')).toBe(join(root, 'usr/sbin/probe'));
  expect(findProgram(root, 'other')).toBeUndefined();
});
