import { expect, test } from 'vitest';
import { causeWords, eventLength, seriesWords } from './anomaly-words.ts';

const cause = { metric: 'system.memory.usage', attributes: { 'system.memory.state': 'used' }, channel: 'drift' };

test('a cause is told with what it is and what was usual, in the unit of its metric', () => {
  const told = causeWords({ ...cause, direction: 'up', value: 2 ** 31, expected: 2 ** 30 }, 'By');
  expect(told).toBe('keeps rising: 2 GiB, usually 1 GiB');
  expect(causeWords({ ...cause, channel: 'residual', direction: 'down', value: null, expected: null }, 'By')).toBe(
    'dropped',
  );
  expect(causeWords({ ...cause, channel: 'model-level', direction: 'up', value: null, expected: null }, 'By')).toBe(
    'is too high for the rest',
  );
  expect(causeWords({ ...cause, channel: 'record', direction: 'down', value: null, expected: null }, 'By')).toBe(
    'is lower than ever',
  );
  expect(causeWords({ ...cause, channel: 'of a later agent', direction: '', value: null, expected: 1 }, '1')).toBe(
    'is strange',
  );
  expect(causeWords({ ...cause, channel: 'count', direction: 'up', value: 40, expected: 0 }, '{line}')).toBe(
    'comes more often: 40, usually 0',
  );
  expect(seriesWords(cause)).toBe('system.memory.usage · used');
});

test('an event that goes on says since when', () => {
  expect(eventLength({ startMs: 0, endMs: 90_000 }, 500_000)).toBe('for 90 s');
  expect(eventLength({ startMs: 0, endMs: null }, 120_000)).toMatch(/goes on$/);
});
