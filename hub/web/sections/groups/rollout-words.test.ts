import { expect, test } from 'vitest';
import {
  figuresOf,
  heldOf,
  inForceWords,
  nowWords,
  reachWords,
  stageWords,
  stateName,
  undoOf,
  type RevisionFacts,
} from './rollout-words.ts';

const revision = (number: number, stage: RevisionFacts['stage'], restores: number | null = null): RevisionFacts => ({
  ...{ revision: number, stage, restores, canaries: 1, haltedBecause: '' },
  settings: { collectors: { cpu: { interval: number } } },
});

test('an undo brings back what everyone had before, steps over what it undid, and ends at nothing', () => {
  expect(undoOf([])).toBeUndefined();
  expect(undoOf([revision(1, 'all')])).toEqual({ revision: 1, restores: 0, settings: {} });
  expect(undoOf([revision(3, 'first'), revision(2, 'halted'), revision(1, 'all')])?.restores).toBe(1);
  const undone = [revision(4, 'all', 2), revision(3, 'all'), revision(2, 'all'), revision(1, 'all')];
  expect(undoOf(undone)).toMatchObject({ revision: 4, restores: 1 });
  expect(undoOf([revision(2, 'all', 0), revision(1, 'all')])).toBeUndefined();
});

test('new settings are held against the newest ones, or against the last good ones where those were halted', () => {
  expect(heldOf([])).toBeUndefined();
  expect(heldOf([revision(2, 'first'), revision(1, 'all')])?.revision).toBe(2);
  expect(heldOf([revision(3, 'halted'), revision(2, 'halted'), revision(1, 'all')])?.revision).toBe(1);
  expect(heldOf([revision(1, 'halted')])).toBeUndefined();
});

test.each([
  [0, 1, /No agent is in the group/],
  [1, 1, /^It goes to one agent, which tries it first\.$/],
  [1, 0, /^It goes to one agent at once\.$/],
  [7, 1, /^It goes to one agent first, and to the other 6 when that one is well with it\.$/],
  [7, 2, /^It goes to 2 agents first, and to the other 5 when all of those are well with it\.$/],
  [7, 9, /all of which try it first/],
])('who gets it is said for %d agents of which %d try it first', (size, canaries, words) => {
  expect(reachWords(size, canaries)).toMatch(words);
});

test('how far an agent is, is said for those who are away and where nothing was pushed, too', () => {
  expect(stateName({ state: 'pending', connected: false }, true)).toBe('offline');
  expect(stateName({ state: 'pending', connected: true }, true)).toBe('sending');
  expect(stateName({ state: 'applied', connected: false }, true)).toBe('healthy');
  expect(stateName({ state: 'waiting', connected: true }, false)).toBe('own');
  expect(stateName({ state: 'elsewhere', connected: true }, false)).toBe('elsewhere');
});

test('nobody is said to wait, and nobody to be ill, once a revision was halted', () => {
  const names = ['rolled back', 'kept', 'kept'] as const;
  expect(figuresOf(names, true).map(([name, count]) => [name, count])).toEqual([
    ['Rolled back or refused', 1],
    ['Keep what they had', 2],
  ]);
  expect(figuresOf(['healthy', 'trying', 'kept'], true).slice(2).map(([name, count]) => `${name} ${count}`)).toEqual([
    'Have it, healthy 1',
    'Still trying it 1',
  ]); // prettier-ignore
  expect(figuresOf(['healthy', 'waiting', 'elsewhere'], false).map(([, count]) => count)).toEqual([1, 0, 1, 0, 0]);
});

test('what is in force is told with whom it was pushed to, where that is another group', () => {
  const group = { id: 'g', name: 'web' };
  const words = (state: 'kept' | 'trying', inForce: Parameters<typeof inForceWords>[0]['inForce']): string =>
    inForceWords({ state, inForce }, 'g');
  expect(words('kept', null)).toBe('its own settings');
  expect(words('kept', { revision: 4, group })).toBe('revision 4');
  expect(words('trying', { revision: 5, group })).toBe('revision 5, on trial');
  expect(words('kept', { revision: 3, group: { id: 'all', name: 'everyone' } })).toBe('revision 3 of everyone');
  expect(words('kept', { revision: 2, group: null })).toBe('revision 2 of a removed group');
});

test('whom a push reaches is told with what they have now', () => {
  const kind = { revision: 4, group: { id: 'all', name: 'everyone' }, agents: 7, hosts: ['a', 'b', 'c', 'd', 'e'] };
  expect(nowWords(kind, 'g')).toBe('7 agents (a, b, c, d, e and 2 more) have revision 4 of everyone');
  expect(nowWords({ ...kind, agents: 1, hosts: ['a'] }, 'all')).toBe('One agent (a) has revision 4 of this group');
  expect(nowWords({ revision: null, group: null, agents: 1, hosts: ['a'] }, 'g')).toBe(
    'One agent (a) has nothing that was pushed',
  );
});

test('a halted revision says why, with one full stop', () => {
  const halted = { ...revision(2, 'halted'), haltedBecause: 'A newer revision took its place.' };
  expect(stageWords(halted)).toMatch(/any more: A newer revision took its place\.$/);
});
