import { expect, test } from 'vitest';
import { createTail, fits, type TailLine } from './tail.ts';

const line: TailLine = {
  resource: 'r',
  source: '/var/log/app.log',
  timeMs: 1,
  level: 4,
  text: 'Disk FULL on /data',
  truncated: false,
};

test.each([
  [{}, true],
  [{ resources: ['r'] }, true],
  [{ resources: ['s'] }, false],
  [{ levels: [4 as const] }, true],
  [{ levels: [2 as const] }, false],
  [{ levels: [] }, true],
  [{ text: 'disk full' }, true],
  [{ text: 'disk empty' }, false],
  [{ without: ['/DATA'] }, false],
  [{ without: [''] }, true],
  [{ source: '/var/log/other.log' }, false],
])('a line fits %j: %s', (filter, expected) => expect(fits(filter, line)).toBe(expected));

test('watchers hear of their own org only, until they stop', () => {
  const tail = createTail();
  const heard: string[] = [];
  const stop = tail.watch('a', {}, (lines) => heard.push(...lines.map(({ text }) => text)));
  tail.publish('b', [line]);
  tail.publish('a', [line]);
  stop();
  tail.publish('a', [line]);
  expect(heard).toEqual(['Disk FULL on /data']);
});
