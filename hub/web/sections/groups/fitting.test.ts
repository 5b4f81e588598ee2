import { expect, test } from 'vitest';
import { completions, fitting, fittingWords, labelsInUse, onlyOnPage, someOf, type LabelledAgent } from './fitting.ts';

const AGENTS: LabelledAgent[] = [
  { id: '1', hostname: 'web-1', labels: { role: 'web', env: 'prod' } },
  { id: '2', hostname: 'db-1', labels: { role: 'db' } },
];
const names = (labels: Record<string, string>): string[] => fitting(AGENTS, labels).map(({ hostname }) => hostname);

test('an agent fits by all of the labels that it joined with, and by its host’s name', () => {
  expect([names({}), names({ role: 'web', env: 'prod' }), names({ role: 'web', env: 'test' })]).toEqual([
    ['web-1', 'db-1'],
    ['web-1'],
    [],
  ]);
  expect(names({ hostname: 'db-1' })).toEqual(['db-1']);
});

test('a label that a host has on its page only is told, and no other', () => {
  const hosts: { id: string; labels: Record<string, string> }[] = [
    { id: '1', labels: { role: 'web', tier: 'front' } },
    { id: '2', labels: { role: 'web' } },
  ];
  expect(onlyOnPage(AGENTS, { role: 'web' }, hosts)).toEqual(['db-1']);
  expect(onlyOnPage(AGENTS, { tier: 'front', env: 'prod' }, hosts)).toEqual(['web-1']);
  expect(onlyOnPage(AGENTS, { tier: 'back' }, hosts)).toEqual([]);
  expect(onlyOnPage(AGENTS, {}, hosts)).toEqual([]);
});

test('how many agents fit is said in words that fit one and many', () => {
  expect(fittingWords(1, 1, {})).toBe('The one agent that there is fits');
  expect(fittingWords(3, 3, {})).toBe('All 3 agents fit');
  expect(fittingWords(1, 1, { a: 'b' })).toBe('1 of 1 agent has it');
  expect(fittingWords(0, 4, { a: 'b', c: 'd' })).toBe('0 of 4 agents have them');
});

test('labels that are known are offered after those that stand there', () => {
  const known = labelsInUse(AGENTS);
  expect(known).toEqual(['env=prod', 'role=db', 'role=web']);
  expect(completions('', known)).toEqual(known);
  expect(completions('env=prod, ro', known)).toEqual(['env=prod role=db', 'env=prod role=web']);
});

test('of many names a few are said, and how many more there are', () => {
  expect([someOf(['a', 'b'], 5), someOf(['a', 'b', 'c'], 2), someOf(['a', 'b'], 2, 9)]).toEqual([
    'a, b',
    'a, b and 1 more',
    'a, b and 7 more',
  ]);
});
