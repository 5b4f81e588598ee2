import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder, socketPath, writeFileDurably } from './data-folder.ts';

let folder = '';
let other: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-data-'));
});
afterEach(() => {
  other?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

test('a folder is made for its owner alone and given back', () => {
  const path = join(folder, 'deep', 'data');
  const data = openDataFolder(path, 'hub', 1);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, 'deep')).mode & 0o001).toBe(0o001);
  data.close();
  openDataFolder(path, 'hub', 1).close();
});

test.skipIf(process.platform !== 'linux')('a place where the kernel allows no folder is refused', () => {
  expect(() => openDataFolder('/proc/nowhere/data', 'hub', 1)).toThrow('choose another folder with --data');
});

test('a second owner is told which process to stop', () => {
  const data = openDataFolder(folder, 'hub', 1);
  expect(() => openDataFolder(folder, 'hub', 1)).toThrow(
    new RegExp(`in use by process ${process.pid}.*Stop that hub first`),
  );
  data.close();
});

test('the lock of a process that is gone is taken over', async () => {
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const { pid } = other;
  writeFileSync(join(folder, 'lock'), `${pid} \n`);
  expect(() => openDataFolder(folder, 'hub', 1)).toThrow(`process ${pid}`);
  other.kill('SIGKILL');
  await new Promise((resolve) => other?.once('exit', resolve));
  openDataFolder(folder, 'hub', 1).close();
});

test('a lock whose process id now belongs to somebody else is taken over', () => {
  writeFileSync(join(folder, 'lock'), `${process.pid} 1\n`);
  openDataFolder(folder, 'hub', 1).close();
});

test('a folder of a newer format is refused and left alone', () => {
  writeFileSync(join(folder, 'format'), '2\n');
  expect(() => openDataFolder(folder, 'hub', 1)).toThrow('Install the newer version again');
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});

test('a folder that cannot be written gets one sentence that says what to do', () => {
  const file = join(folder, 'file');
  writeFileSync(file, '');
  expect(() => openDataFolder(join(file, 'data'), 'hub', 1)).toThrow(
    /cannot be written .* choose another folder with --data/,
  );
});

test('a file that is written durably is whole and private', () => {
  const path = join(folder, 'state.json');
  writeFileDurably(path, 'one');
  writeFileDurably(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a socket of a deep folder lies where its path is short enough', () => {
  expect(socketPath(folder, 'hub')).toBe(join(folder, 'hub.sock'));
  const deep = socketPath(join(folder, 'x'.repeat(120)), 'hub');
  expect(Buffer.byteLength(deep)).toBeLessThan(104);
});
