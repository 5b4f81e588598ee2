import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginMark, endMark, listMarks } from '../commands/mark.ts';
import { createContexts } from './contexts.ts';
import { marksFolder, readMarks, writeMark } from './marks.ts';

const START = Date.UTC(2026, 10, 27);
const HOUR = 3_600_000;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outrider-marks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a mark explains what happens from its beginning until five minutes after its end', () => {
  const contexts = createContexts({ dataFolder: folder, bootMs: 0, startMs: START });
  expect(beginMark(folder, { kind: 'deploy', name: 'shop 4.2' }, START + 60_000)).toContain(
    'mark end deploy "shop 4.2"',
  );
  expect(contexts.at(START + 30_000)).toEqual([]);
  expect(contexts.at(START + 120_000)).toEqual([
    { kind: 'deploy', name: 'shop 4.2', fromMs: START + 60_000, toMs: undefined },
  ]);
  endMark(folder, { kind: 'deploy', name: 'shop 4.2' }, START + 180_000);
  expect(contexts.at(START + 400_000)).toHaveLength(1);
  expect(contexts.at(START + 600_000)).toEqual([]);
  expect(contexts.at(START + 50 * HOUR)).toEqual([]);
  expect(readdirSync(marksFolder(folder))).toEqual([]);
});

test('the start of the machine explains its first quarter of an hour, and only to an agent that started with it', () => {
  const at = (startMs: number) => createContexts({ dataFolder: folder, bootMs: START, startMs }).at(START + 300_000);
  expect(at(START + 60_000)).toMatchObject([{ kind: 'reboot', fromMs: START }]);
  expect(at(START + 20 * 60_000)).toEqual([]);
});

test.each(['0m', '25h', '10', 'soon', '-5m', '99999999999999s'])('a mark for %s is refused', (how) => {
  expect(() => beginMark(folder, { kind: 'backup', name: 'nightly', for: how }, START)).toThrow(
    'such as 90s, 10m or 2h',
  );
});

test('a mark in a folder that is not there is refused, and makes none', () => {
  const nowhere = join(folder, 'nowhere');
  expect(() => beginMark(nowhere, { kind: 'deploy', name: 'shop' }, 0)).toThrow(/no agent has its data there/);
  expect(existsSync(nowhere)).toBe(false);
});

test('a mark without a name is refused, and so is the end of one that is not under way', () => {
  expect(() => beginMark(folder, { kind: 'deploy', name: ' ' }, START)).toThrow('needs a name');
  expect(() => endMark(folder, { kind: 'deploy', name: 'shop' }, START)).toThrow('No deploy "shop" is under way');
});

test('of many marks those are kept that explain something, and of the others the newest', () => {
  const contexts = createContexts({ dataFolder: folder, bootMs: 0, startMs: START });
  for (let n = 0; n < 260; n++)
    writeMark(folder, { id: `job-${n}`, kind: 'ci-job', name: `job ${n}`, fromMs: START + n * 1000, toMs: START + n * 1000 + 500 }); // prettier-ignore
  beginMark(folder, { kind: 'deploy', name: 'shop 4.2' }, START + 300_000);
  const at = START + 400_000;
  const names = contexts.at(at).map(({ name }) => name);
  expect(names).toHaveLength(171); // Jobs that ended within five minutes before the window, and the deploy.
  expect(names.at(-1)).toBe('shop 4.2');
  expect(readMarks(folder)).toHaveLength(200);
  expect(endMark(folder, { kind: 'deploy', name: 'shop 4.2' }, at)).toContain('ended');
});

test('files that are no marks are left out', () => {
  beginMark(folder, { kind: 'test', name: 'load', for: '90s' }, START);
  for (const [name, text] of [
    ['a.json', '{'],
    ['b.json', '{"kind":"deploy","name":7,"fromMs":1}'],
    ['c.json', '{"kind":"party","name":"x","fromMs":1}'],
    ['d.txt', 'x'],
  ] as const)
    writeFileSync(join(marksFolder(folder), name), text);
  expect(readMarks(folder)).toMatchObject([{ kind: 'test', name: 'load', toMs: START + 90_000 }]);
  expect(listMarks(folder, false)).toContain('load');
  expect(JSON.parse(listMarks(folder, true))).toHaveLength(1);
});
