import { expect, test } from 'vitest';
import { exclude, include, narrows, onlyPattern, toggled, withoutPattern } from './filter.ts';
import { readLogsSearch } from './search.ts';

test('a value is included by the words of the search', () => {
  expect(include({ field: 'level', value: 'warn' })).toEqual({ level: ['warn'] });
  expect(include({ field: 'host', value: 'h1' })).toEqual({ host: ['h1'], source: undefined });
  expect(include({ field: 'text', value: 'timeout' })).toEqual({ q: 'timeout' });
  expect(include({ field: 'attribute', value: 'k8s.pod.name:web-1' })).toEqual({ attribute: ['k8s.pod.name:web-1'] });
});

test('a value is excluded by naming the others, or the reason says why it cannot be', () => {
  expect(exclude({ field: 'level', value: 'debug' }, {}, [])).toEqual({
    level: ['fatal', 'error', 'warn', 'info', 'unknown'],
  });
  expect(exclude({ field: 'host', value: 'a' }, {}, ['a', 'b'])).toEqual({ host: ['b'] });
  expect(exclude({ field: 'host', value: 'a' }, { host: ['a'] }, ['a', 'b'])).toContain('No other');
  expect(exclude({ field: 'text', value: 'x' }, { not: ['y', 'x'] }, [])).toEqual({ not: ['y', 'x'] });
  expect(typeof exclude({ field: 'source', value: '/a' }, {}, [])).toBe('string');
});

test('lists of the search are toggled and vanish when empty', () => {
  expect(toggled(undefined, 'a')).toEqual(['a']);
  expect(toggled(['a'], 'a')).toBeUndefined();
  expect(narrows({})).toBe(false);
  expect(narrows({ q: 'a' })).toBe(true);
  expect(narrows({ attribute: ['k8s.pod.name:web-1'] })).toBe(true);
  expect(narrows({ line: '1-1' })).toBe(false);
});

test('a pattern is shown alone or left out, never both', () => {
  const [a, b] = ['00000000000000aa', '00000000000000bb'] as const;
  expect(onlyPattern(a, { notTemplate: [a, b] })).toEqual({ template: [a], notTemplate: [b], view: undefined });
  expect(onlyPattern(a, { notTemplate: [a] }).notTemplate).toBeUndefined();
  expect(withoutPattern(a, { template: [a, b], notTemplate: [a] })).toEqual({ template: [b], notTemplate: [a] });
  expect(narrows({ notTemplate: [a] })).toBe(true);
  expect(narrows({ view: 'patterns' })).toBe(false);
  expect(readLogsSearch({ template: [a, 'x', a], notTemplate: 'no', view: 'other' })).toMatchObject({
    ...{ template: [a], notTemplate: undefined, view: undefined },
  });
  expect(readLogsSearch({ view: 'patterns' }).view).toBe('patterns');
});
