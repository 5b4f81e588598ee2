import { expect, test } from 'vitest';
import { gateWords, metricName, moveWords, questionOf, useOf } from './words.ts';

const named = (version: string) => ({ version, sinceMs: 1, by: 'ada' });
const move = (version: string | null, before: string | null, alias: 'champion' | 'shadow' = 'champion') => ({
  ...{ alias, version, before, atMs: 1, by: 'ada', reason: 'moved by hand' },
});
const told = (of: object) => [{ version: 'v2', alias: 'champion', inUse: false, problem: '', ...of }];

test('what the agent says of a model is told, and what it does not say too', () => {
  expect(useOf(told({ inUse: true }), 'champion', 'v2', true)).toEqual({ tone: 'good', words: 'in use by the agent' });
  expect(useOf(told({ problem: 'its digest does not fit' }), 'champion', 'v2', true)).toEqual({
    tone: 'critical',
    words: 'the agent does not use it: its digest does not fit',
  });
  expect(useOf(told({ version: 'v1', inUse: true }), 'champion', 'v2', true).words).toBe('on its way to the agent');
  expect(useOf(told({ inUse: true }), 'shadow', 'v2', true).words).toBe('on its way to the agent');
  expect(useOf([], 'champion', 'v2', false).words).toMatch(/connected again/);
  expect(useOf(told({ inUse: true }), 'champion', 'v2', false)).toMatchObject({ tone: 'quiet' });
});

test('a question says what will happen to the model that stands there now', () => {
  const now = { champion: named('v1'), shadow: named('v2'), before: 'v0' };
  const promote = questionOf({ does: 'name', alias: 'champion', version: 'v2' }, now);
  expect(promote.text).toMatch(/v1 no longer judges.*There is no shadow then/);
  expect(questionOf({ does: 'name', alias: 'shadow', version: 'v3' }, now).text).toMatch(/v2 is shadow no more/);
  expect(questionOf({ does: 'name', alias: 'shadow', version: null }, now).title).toBe('Take the shadow away?');
  expect(questionOf({ does: 'name', alias: 'champion', version: null }, now).text).toMatch(/no longer judges by v1/);
  expect(questionOf({ does: 'roll-back' }, now)).toMatchObject({ title: 'Roll back to v0?', verb: 'Roll back' });
  expect(questionOf({ does: 'remove', version: 'v0' }, now).text).toMatch(/cannot be undone/);
});

test('gates, moves and figures are told in words', () => {
  const check = (passed: boolean) => ({ name: 'rows', value: 1, limit: 2, passed, words: '' });
  expect(gateWords({ passed: false, checks: [check(true), check(false)] })).toBe('1 of 2 checks failed');
  expect(gateWords({ passed: true, checks: [check(true)] })).toBe('passed');
  expect(moveWords(move('v2', 'v1'))).toBe('v2 became champion, before it v1');
  expect(moveWords(move(null, 'v1', 'shadow'))).toBe('v1 is shadow no more');
  expect([metricName('linear_validation'), metricName('some_other')]).toEqual([
    'The same by components alone',
    'Some other',
  ]);
});
