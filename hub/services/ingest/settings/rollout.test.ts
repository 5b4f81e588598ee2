import { describe, expect, test } from 'vitest';
import { groupOf, planRollout, type GroupLine, type RolloutAgent, type SettingsGroup, type Stage } from './rollout.ts';

const GROUP = { id: 'g', name: 'web', labels: { role: 'web' } };
const agent = (id: string, has?: Partial<NonNullable<RolloutAgent['has']>>, connected = true): RolloutAgent => ({
  id,
  hostname: id,
  labels: { role: 'web' },
  connected,
  has: has === undefined ? undefined : { group: 'g', revision: 1, state: 'applied', code: '', proven: null, ...has },
});
const line = (stage: Stage, canaries = 1): Map<string, GroupLine> =>
  new Map([['g', { newest: { revision: 2, canaries, stage, restores: null }, good: 1 }]]);
const plan = (agents: RolloutAgent[], lines: Map<string, GroupLine>) => {
  const { agents: changes, widened } = planRollout(agents, [GROUP], lines);
  return { changes: Object.fromEntries(changes.map(({ id, revision }) => [id, revision])), widened };
};

test('an agent is in the group with the most of its labels, its host’s name among them', () => {
  const groups: SettingsGroup[] = [
    { id: 'all', name: 'all', labels: {} },
    { id: 'b', name: 'b', labels: { role: 'web' } },
    { id: 'a', name: 'a', labels: { role: 'web' } },
    { id: 'one', name: 'one', labels: { role: 'web', hostname: 'web-1' } },
  ];
  const of = (hostname: string, labels: Record<string, string>) =>
    groupOf({ hostname, labels }, groups, () => true)?.id;
  expect([of('web-1', { role: 'web' }), of('web-2', { role: 'web' }), of('db-1', { role: 'db' })]).toEqual([
    'one',
    'a',
    'all',
  ]);
});

test('a group that nothing was pushed to takes no agent from one that has something', () => {
  const groups: SettingsGroup[] = [{ id: 'all', name: 'all', labels: {} }, GROUP];
  const pushed = new Map<string, GroupLine>([
    ['all', { newest: { revision: 1, canaries: 0, stage: 'all', restores: null }, good: null }],
  ]);
  expect(planRollout([agent('a', { group: 'all' })], groups, pushed).agents).toEqual([]);
  expect(planRollout([agent('a', { group: null, revision: null })], groups, new Map()).agents).toEqual([
    { id: 'a', group: 'g', revision: null },
  ]);
});

test('as many connected agents as asked for try a revision first; the others keep what they have', () => {
  const agents = [agent('a', {}, false), agent('b', {}), agent('c', {}), agent('d', {})];
  expect(plan(agents, line('first', 2)).changes).toEqual({ b: 2, c: 2 });
  expect(plan([agent('a'), agent('b')], line('first')).changes).toEqual({ a: 2, b: 1 });
});

test('everyone gets it once all that try it are well', () => {
  const others = [agent('c', {}), agent('d', {}, false)];
  const trying = [agent('a', { revision: 2, state: 'trying' }), agent('b', { revision: 2 })];
  expect(plan([...trying, ...others], line('first', 2))).toEqual({ changes: {}, widened: [] });
  const well = [agent('a', { revision: 2 }), agent('b', { revision: 2 })];
  expect(plan([...well, ...others], line('first', 2))).toEqual({ changes: { c: 2, d: 2 }, widened: [2] });
});

test('an agent that takes nothing from the hub tries for nobody: another one does', () => {
  const deaf = agent('a', { revision: 2, state: 'refused', code: 'pushed.not-accepted' });
  expect(plan([deaf, agent('b', {})], line('first')).changes).toEqual({ b: 2 });
});

test('a halted revision is handed out to nobody; whoever has it is left alone', () => {
  const agents = [
    agent('a', { revision: 2, state: 'rolled-back', proven: 1 }),
    agent('b', { revision: 2 }),
    agent('c', { revision: 2, state: 'pending' }),
    agent('d', {}),
    agent('e'),
  ];
  expect(plan(agents, line('halted')).changes).toEqual({ c: 1, e: 1 });
});

test('an agent of no group has nothing', () => {
  const lost = { ...agent('a', {}), labels: {} };
  expect(plan([lost], line('all')).changes).toEqual({ a: null });
});

describe('a narrower group', () => {
  const ALL: SettingsGroup = { id: 'all', name: 'all', labels: {} };
  const everyone = { newest: { revision: 1, canaries: 0, stage: 'all' as const, restores: null }, good: 1 };
  const broad = { group: 'all', revision: 1, proven: 1 };
  /** What agents are to have while the narrower group is at a stage of its first revision. */
  const during = (agents: RolloutAgent[], stage: Stage, restores: number | null = null) => {
    const narrow = { newest: { revision: 2, canaries: 1, stage, restores }, good: null };
    const lines = new Map<string, GroupLine>([['all', everyone], ['g', narrow]]); // prettier-ignore
    return planRollout(agents, [ALL, GROUP], lines);
  };

  test('takes nothing from agents that do not try its first revision: they keep the broader one’s until all get it', () => {
    const agents = [agent('a', broad), agent('b', broad), agent('c', broad, false), agent('d')];
    expect(during(agents, 'first').agents).toEqual([
      { id: 'a', group: 'g', revision: 2 },
      { id: 'b', group: 'g', revision: 1 },
      { id: 'c', group: 'g', revision: 1 },
      { id: 'd', group: 'g', revision: 1 },
    ]);
    const later = [agent('a', { revision: 2, proven: 2 }), agent('b', { ...broad, group: 'g' })];
    expect(during(later, 'first')).toEqual({ agents: [{ id: 'b', group: 'g', revision: 2 }], widened: [2] });
  });

  test('gives them back to the broader one when it was halted or takes everything back', () => {
    const pending = agent('b', { revision: 2, state: 'pending', proven: 1 });
    expect(during([pending], 'halted').agents).toEqual([{ id: 'b', group: 'g', revision: 1 }]);
    expect(during([agent('a', { revision: 2, proven: 2 })], 'all', 0).agents).toEqual([
      { id: 'a', group: 'all', revision: 1 },
    ]);
  });

  test('whose revision an agent was not well with leaves it to what comes to the broader one later', () => {
    const failed = agent('a', { revision: 2, state: 'rolled-back', proven: 1 });
    expect(during([failed], 'halted').agents).toEqual([]);
    expect(during([agent('a', { revision: 2, state: 'rolled-back' })], 'halted').agents).toEqual([
      { id: 'a', group: 'g', revision: 1 },
    ]);
  });
});
