import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { PushedDocument } from '../../../../proto/agent/v1/pushed.ts';
import { draftOf, readCanaries, readDraft, type Draft } from './draft.ts';

const EMPTY = draftOf({});
const faultsOf = (change: Partial<Draft>) => readDraft({ ...EMPTY, ...change }).faults;

const FULL: PushedDocument = {
  log: { level: 'warn' },
  collectors: { cpu: { interval: 5 }, 'file-descriptors': { interval: 2.5 } },
  drop: [{ rule: 'health', pattern: 'GET /health', below: 'warn' }, { rule: 'chatter', below: 'info' }],
  redact: { email: true, ip: true, patterns: [{ name: 'customer', pattern: 'c-\\d+', ignoreCase: true }] },
}; // prettier-ignore

test('a document that is opened and left as it is comes out the same', () => {
  for (const document of [{}, FULL, { redact: { ip: true as const } }])
    expect(readDraft(draftOf(document)).document).toEqual(document);
});

test('what comes out is what the hub takes, with blanks and commas as people type them', () => {
  const { document } = readDraft({ ...EMPTY, collectors: [{ name: ' cpu ', interval: ' 2,5 ' }] });
  expect(document).toEqual({ collectors: { cpu: { interval: 2.5 } } });
  expect(Value.Check(PushedDocument, document)).toBe(true);
});

test.each([
  ['a level that there is none of', { level: 'loud' }, 'log.level'],
  ['no name of a collector', { collectors: [{ name: 'CPU', interval: '1' }] }, 'collectors.0.name'],
  ['a hidden name', { collectors: [{ name: '__proto__', interval: '1' }] }, 'collectors.0.name'],
  ['no number', { collectors: [{ name: 'cpu', interval: 'x' }] }, 'collectors.0.interval'],
  ['nothing in the place of a number', { collectors: [{ name: 'cpu', interval: '' }] }, 'collectors.0.interval'],
  ['an interval that is too short', { collectors: [{ name: 'cpu', interval: '0.5' }] }, 'collectors.0.interval'],
  ['an interval that is too long', { collectors: [{ name: 'cpu', interval: '3601' }] }, 'collectors.0.interval'],
  ['a rule without a name', { drop: [{ rule: '', pattern: 'x', below: '' }] }, 'drop.0.rule'],
  ['a rule that says nothing', { drop: [{ rule: 'x', pattern: '', below: '' }] }, 'drop.0.pattern'],
  ['a pattern that is none', { drop: [{ rule: 'x', pattern: '(', below: '' }] }, 'drop.0.pattern'],
  ['a long pattern', { drop: [{ rule: 'x', pattern: 'a'.repeat(501), below: '' }] }, 'drop.0.pattern'],
  ['too many rules', { drop: Array.from({ length: 21 }, () => ({ rule: 'x', pattern: 'x', below: '' })) }, 'drop'],
  ['an empty pattern', { patterns: [{ name: 'x', pattern: '', ignoreCase: false }] }, 'redact.patterns.0.pattern'],
  ['no name', { patterns: [{ name: 'a b', pattern: 'x', ignoreCase: false }] }, 'redact.patterns.0.name'],
])('%s is said beside its field, and nothing comes out', (_what, change, place) => {
  expect(Object.keys(faultsOf(change) ?? {})).toEqual([place]);
});

test('a collector that runs programs is refused with the reason, and one name stands once', () => {
  expect(faultsOf({ collectors: [{ name: 'exec', interval: '1' }] })?.['collectors.0.name']).toMatch(/runs programs/);
  const twice = [{ name: 'cpu', interval: '1' }, { name: 'cpu', interval: '2' }]; // prettier-ignore
  expect(Object.keys(faultsOf({ collectors: twice }) ?? {})).toEqual(['collectors.1.name']);
});

test('an interval is looked at also where its name is wrong or stands there twice', () => {
  const places = (collectors: Draft['collectors']) => Object.keys(faultsOf({ collectors }) ?? {}).sort();
  const both = (n: number): string[] => [`collectors.${n}.interval`, `collectors.${n}.name`];
  expect(places([{ name: '', interval: '' }])).toEqual(both(0));
  expect(places([{ name: 'exec', interval: '0' }])).toEqual(both(0));
  expect(places([{ name: 'cpu', interval: '' }, { name: 'cpu', interval: '1' }])).toEqual([
    'collectors.0.interval',
    'collectors.1.name',
  ]); // prettier-ignore
});

test('every fault is told at once, each in its own place', () => {
  const drop = Array.from({ length: 12 }, (_, n) => ({ rule: `no ${n}`, pattern: 'x', below: '' }));
  expect(Object.keys(faultsOf({ drop }) ?? {})).toHaveLength(12);
});

test('the number of agents that try it first is a whole one', () => {
  expect([readCanaries('0'), readCanaries(' 12 ')]).toEqual([{ canaries: 0 }, { canaries: 12 }]);
  for (const text of ['', '-1', '1.5', 'all', '1001']) expect(readCanaries(text).fault).toBeDefined();
});
