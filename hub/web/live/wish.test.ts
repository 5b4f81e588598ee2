import { expect, test } from 'vitest';
import { pathOf } from './wish.ts';

test('what all parts want is asked for once, in an order that does not depend on theirs', () => {
  const wishes = [{ resources: ['b', 'a'], names: ['y'] }, { resources: ['a'], names: ['x', 'y'] }, { hosts: true }];
  const path = '/api/v1/monitoring/stream?resource=a&resource=b&name=x&name=y&hosts=true';
  expect(pathOf(wishes)).toBe(path);
  expect(pathOf([...wishes].reverse())).toBe(path);
});

test('one who wants everything of a host gets it, whatever others want', () => {
  expect(pathOf([{ resources: ['a'] }, { resources: ['b'], names: ['x'] }])).toBe(
    '/api/v1/monitoring/stream?resource=a&resource=b',
  );
});

test('who wants nothing hears of alerts all the same', () => {
  expect(pathOf([])).toBe('/api/v1/monitoring/stream?');
});
