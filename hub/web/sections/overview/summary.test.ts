import { expect, test } from 'vitest';
import { summaryOf, type HostInShort } from './summary.ts';

const host = (name: string, state: HostInShort['state'], verdict = 'Healthy.'): HostInShort => ({
  name,
  state,
  verdict,
});

test('all is well', () => {
  expect(summaryOf([host('a', 'healthy')])).toEqual({ state: 'healthy', sentence: 'Nothing is wrong: a is well.' });
  expect(summaryOf([host('a', 'healthy'), host('b', 'healthy')]).sentence).toBe(
    'Nothing is wrong: all 2 hosts are well.',
  );
});

test('one host in trouble is named with its trouble', () => {
  expect(summaryOf([host('a', 'healthy'), host('b', 'silent', 'Silent for 3 min.')])).toEqual({
    state: 'silent',
    sentence: 'b: silent for 3 min.',
  });
  expect(summaryOf([host('b', 'strained', 'CPU 97 % busy.')]).sentence).toBe('b: CPU 97 % busy.');
});

test('several are counted, worst first', () => {
  const hosts = [
    host('a', 'strained'),
    host('b', 'silent'),
    host('c', 'alerting'),
    host('d', 'alerting'),
    host('e', 'new'),
  ];
  expect(summaryOf(hosts)).toEqual({
    state: 'alerting',
    sentence: 'Of 5 hosts 2 alert, 1 is silent, 1 is strained.',
  });
});
