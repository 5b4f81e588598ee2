import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DEFAULT_LINES } from '../lines/index.ts';
import { expect, test } from 'vitest';
import { systemClock } from '#sdk';
import { describeRotations, progressOn, rehearseRotations } from './test-rotation.ts';

const given = { clock: systemClock, signal: new AbortController().signal };
const setOf = (include: string[], start: 'saved' | 'end', exclude = ['/var/log/debug*', '/srv/**']) => ({
  ...{ include, exclude, start },
  ...DEFAULT_LINES,
});
const scratch = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('outrider-rehearsal-'));

test(
  'no way of rotation loses, doubles or tears a line, also of an agent that is killed or that reads from the end',
  { timeout: 240_000 },
  async () => {
    const logs = [setOf(['/var/log/*.log', '/var/log/app.log*'], 'saved'), setOf(['/var/log/syslog'], 'end')];
    const begun: string[] = [];
    const progress = { begins: (name: string, n: number, of: number) => void begun.push(`${n}/${of} ${name}`) };
    const rehearsals = await rehearseRotations({ logs, openFiles: 16 }, { ...given, progress });
    expect(rehearsals.map(({ way, killed }) => `${way} ${killed}`)).toHaveLength(16);
    expect(begun).toHaveLength(16);
    expect(begun[9]).toBe('10/16 logs.1: rename, killed');
    expect(rehearsals.filter(({ lost, doubled, torn, written }) => lost + doubled + torn > 0 || written === 0)).toEqual(
      [],
    );
    expect(rehearsals[0]?.files).toEqual([
      { file: 'logs/1/app.log', glob: '/var/log/*.log' },
      { file: 'logs/2/app.log', glob: '/var/log/app.log*' },
    ]);
    const leftOut = rehearsals.filter((one) => one.leftOut > 0);
    expect(leftOut.every(({ start, killed }) => start === 'end' && killed)).toBe(true);
  },
);

test('it says which scratch files stand for which globs, and leaves none of them behind when it is ended', async () => {
  const before = scratch();
  const ending = new AbortController();
  const written: string[] = [];
  const stream = { isTTY: false, write: (text: string) => written.push(text) > 0 };
  const progress = progressOn(stream);
  const ended: typeof progress.ended = (...all) => {
    progress.ended?.(...all);
    ending.abort();
  };
  const how = { ...given, signal: ending.signal, progress: { ...progress, ended }, json: false };
  const { text, isFine } = await describeRotations({ logs: [setOf(['/var/log/syslog'], 'saved')], openFiles: 16 }, how);
  expect(written).toEqual(['logs.0: rename: fine\n']);
  expect(text).toContain('logs.0 (start: saved)\n  logs/1/syslog stands for /var/log/syslog\n');
  expect(text).toContain('It was ended before all were rehearsed.');
  expect(isFine).toBe(false);
  expect(scratch().filter((name) => !before.includes(name))).toEqual([]);
});

test('on a terminal one line is written anew', () => {
  const written: string[] = [];
  const progress = progressOn({ isTTY: true, write: (text: string) => written.push(text) > 0 });
  progress.begins?.('logs.0: rename', 1, 8);
  expect(written).toEqual(['\rrehearsing 1 of 8: logs.0: rename …\u001b[K']);
});
