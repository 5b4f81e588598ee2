import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '#sdk';
import type { AgentSettings } from '../config.ts';
import { openSpool } from '../spool/index.ts';
import { followFile } from '../tail/followed-file.ts';
import { openSync } from 'node:fs';
import { describeFile, explainFile } from './explain.ts';

let folder = '';
let settings: AgentSettings;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-explain-'));
  mkdirSync(join(folder, 'spool'));
  settings = {
    data: folder,
    openFiles: 512,
    logs: [{ include: [join(folder, '*.log')], exclude: [join(folder, 'debug*')], start: 'saved' }],
  } as unknown as AgentSettings;
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A file that was read to its end, as the spool of a running agent has it. */
async function readFile(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, text);
  const followed = followFile(openSync(path, 'r'), { path, start: 'beginning' });
  while (followed.read() !== undefined);
  const spool = await openSpool({ folder: join(folder, 'spool'), limit: 1e9, log: silentLogger });
  const nothing = Buffer.alloc(0);
  await spool.append({
    metrics: nothing,
    logs: nothing,
    tables: new Map(),
    checkpoints: [followed.checkpoint()],
    sources: new Map(),
  });
  followed.close();
  await spool.close();
  return path;
}

test('a file that is read says by which glob, and how far', async () => {
  const path = await readFile('app.log', 'one\ntwo\n');
  appendFileSync(path, 'three\n');
  const { isRead, reasons, includedBy, offset, size } = explainFile(settings, path);
  expect([isRead, offset, size, includedBy]).toEqual([true, 8, 14, join(folder, '*.log')]);
  expect(reasons).toContain('read up to byte 8 of 14; 6 are left');
});

test.each([
  ['none.log', 'there is no such file'],
  ['no/where/app.log', 'there is no folder'],
  ['spool', 'it is no regular file'],
  ['app.txt', 'no glob names it'],
  ['debug.log', 'leaves it out'],
])('%s is not read: %s', (name, reason) => {
  for (const file of ['app.txt', 'debug.log']) writeFileSync(join(folder, file), 'text\n');
  const { text, isRead } = describeFile(settings, join(folder, name), false);
  expect(isRead).toBe(false);
  expect(text).toContain(reason);
});

test('a rotated copy, a binary file and one that was written anew are called so', async () => {
  const path = await readFile('app.log', 'one\ntwo\n');
  copyFileSync(path, `${path}.1`);
  expect(explainFile(settings, `${path}.1`)).toMatchObject({ isRead: false, copyOf: path });
  writeFileSync(path, Buffer.from('ONE\0TWO\n'));
  const { reasons } = explainFile(settings, path);
  expect(reasons.join()).toMatch(/written anew.*|zero bytes/);
  expect(JSON.parse(describeFile(settings, path, true).text)).toMatchObject({ file: path, isRead: true, offset: 8 });
});
