import { expect, test } from 'vitest';
import type { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { changesOf, linesOf, summaryOf } from './document-words.ts';

const ONE: PushedDocument = {
  log: { level: 'warn' },
  collectors: { memory: { interval: 60 }, cpu: { interval: 5 } },
  drop: [
    { rule: 'health', pattern: 'GET /health', below: 'warn' },
    { rule: 'health', below: 'info' },
  ],
  redact: { email: true, patterns: [{ name: 'customer', pattern: 'c-\\d+', ignoreCase: true }] },
};

test('a document is told line by line, two rules of one name as two', () => {
  expect(linesOf(ONE).map(({ name, value }) => `${name}: ${value}`)).toEqual([
    'Agent’s own log: from warn on',
    'Collector cpu: every 5 s',
    'Collector memory: every 60 s',
    'Leave out: health: lines that match /GET /health/ and are below warn',
    'Leave out: health: lines that are below info',
    'Replace: e-mail addresses: in every line',
    'Replace: customer: what matches /c-\\d+/, in capitals or not',
  ]);
  expect(new Set(linesOf(ONE).map(({ key }) => key)).size).toBe(7);
});

test('only what is different is shown, with both sides', () => {
  expect(changesOf(ONE, ONE)).toEqual([]);
  const next = { ...ONE, collectors: { cpu: { interval: 1 } }, redact: { email: true as const, ip: true as const } };
  expect(changesOf(ONE, next).map(({ key, before, after }) => [key, before, after])).toEqual([
    ['collectors.cpu', 'every 5 s', 'every 1 s'],
    ['collectors.memory', 'every 60 s', undefined],
    ['redact.patterns.customer', 'what matches /c-\\d+/, in capitals or not', undefined],
    ['redact.ip', undefined, 'in every line'],
  ]);
});

test('a pattern that is named like a kind of its own is another line', () => {
  const lines = linesOf({ redact: { email: true, patterns: [{ name: 'email', pattern: 'x' }] } });
  expect(
    changesOf({ redact: { email: true } }, { redact: { patterns: [{ name: 'email', pattern: 'x' }] } }),
  ).toHaveLength(2);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(2);
});

test('a document is told in a few words, also an empty one', () => {
  expect(summaryOf(ONE)).toBe('own log from warn, 2 intervals, 2 rules that leave lines out, 2 kinds replaced');
  expect(summaryOf({})).toBe('nothing: agents have their own settings');
});
