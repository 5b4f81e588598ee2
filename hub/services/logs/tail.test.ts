import { expect, test } from 'vitest';
import { createManualClock } from '#kit/manual-clock.ts';
import { createTail, fits, type TailLine } from './tail.ts';

const line: TailLine = {
  resource: 'r',
  source: '/var/log/app.log',
  timeMs: 1,
  level: 4,
  text: 'Disk FULL on /data',
  truncated: false,
  attributes: { 'k8s.pod.name': 'web-1', 'log.iostream': 'stderr' },
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
  [{ attributes: [{ name: 'k8s.pod.name', value: 'web-1' }] }, true],
  [{ attributes: [{ name: 'k8s.pod.name', value: 'web-2' }] }, false],
  [{ attributes: ['web-1', 'web-2'].map((value) => ({ name: 'k8s.pod.name', value })) }, true],
  [{ attributes: [{ name: 'k8s.pod.name', value: 'web-1' }, { name: 'log.iostream', value: 'stdout' }] }, false], // prettier-ignore
  [{ attributes: [{ name: 'toString', value: 'web-1' }] }, false],
])('a line fits %j: %s', (filter, expected) => expect(fits(filter, line)).toBe(expected));

test('watchers hear of their own org only, until they stop', () => {
  const tail = createTail(createManualClock());
  const heard: string[] = [];
  const stop = tail.watch('a', {}, (lines) => heard.push(...lines.map(({ text }) => text)));
  tail.publish('b', [line]);
  tail.publish('a', [line]);
  stop();
  tail.publish('a', [line]);
  expect(heard).toEqual(['Disk FULL on /data']);
});

test('lines of the last half minute are remembered, those of the own org that fit, and not more than eight million characters', async () => {
  const clock = createManualClock();
  const tail = createTail(clock);
  const begun = clock.now();
  const texts = (ms: number): string[] => tail.since('a', { without: ['noise'] }, ms).map(({ text }) => text);
  tail.publish('a', [{ ...line, text: 'old' }]);
  await clock.advance(20_000);
  tail.publish('a', [
    { ...line, text: 'new' },
    { ...line, text: 'noise' },
  ]);
  tail.publish('b', [{ ...line, text: 'of another' }]);
  expect(texts(begun)).toEqual(['old', 'new']);
  expect(texts(begun + 1)).toEqual(['new']);
  await clock.advance(20_000);
  tail.publish('a', [{ ...line, text: 'newest' }]);
  expect(texts(begun)).toEqual(['new', 'newest']);
  tail.publish('a', [{ ...line, text: 'x'.repeat(7_999_990) }]);
  expect(texts(begun).map((text) => text.length)).toEqual([6, 7_999_990]);
});
