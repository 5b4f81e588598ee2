import fc from 'fast-check';
import { expect, test } from 'vitest';
import { conditionOf, outcomeWords, readSeconds, readValue, typedSeconds, typedValue, verdictOf } from './words.ts';

const seen = { atMs: 1, by: 'ada', note: '' };

test('the verdict counts by severity and says whether somebody looks after it', () => {
  expect(verdictOf([])).toBe('Nothing fires now');
  expect(verdictOf([{ severity: 'critical', acknowledged: null, silenced: false }])).toBe('1 critical alert fires');
  expect(
    verdictOf([
      { severity: 'warning', acknowledged: seen, silenced: false },
      { severity: 'critical', acknowledged: null, silenced: false },
    ]),
  ).toBe('2 alerts fire: 1 critical, 1 warning, 1 in hand');
  expect(verdictOf([{ severity: 'info', acknowledged: null, silenced: true }])).toBe('1 info alert fires, all in hand');
});

test('a condition is a sentence with units', () => {
  const rule = {
    metric: 'm', operator: 'gt', threshold: 0.9, unit: '1', forSeconds: 300, builtIn: null,
  } as const; // prettier-ignore
  expect(conditionOf(rule)).toEqual({ metric: 'm', words: 'above 90 % for 5 min' });
  const size = { operator: 'lt', threshold: 1024 ** 3, unit: 'By', forSeconds: 0 } as const;
  expect(conditionOf({ ...rule, ...size }).words).toBe('below 1 GiB');
  expect(conditionOf({ ...rule, threshold: 7, unit: '' }).words).toBe('above 7 for 5 min');
  expect(outcomeWords({ state: 'resolved', outcome: 'recovered' })).toBe('Recovered');
});

test('the rules that everyone has say in words what they wait for', () => {
  const said = (
    builtIn: NonNullable<Parameters<typeof conditionOf>[0]['builtIn']>,
    threshold: number,
    unit: string,
    forSeconds: number,
  ): string => {
    const { metric, words } = conditionOf({ metric: 'm', operator: 'gte', threshold, unit, forSeconds, builtIn });
    expect(metric).toBe('');
    return words;
  };
  expect(said('disk-filling', 14_400, 's', 240)).toBe('a disk would be full within 4 h');
  expect(said('memory-exhausted', 0.04, '1', 60)).toBe('available memory is below 4 % of all for 60 s');
  expect(said('host-silent', 60, 's', 0)).toBe('nothing arrives for 60 s');
  expect(said('clock-skew', 5, 's', 60)).toBe('a clock is more than 5 s off for 60 s');
  expect(said('lines-lost', 0, '{line}/s', 0)).toBe('log lines are lost');
  expect(said('collector-failing', 1, '1', 300)).toBe('a collector fails for 5 min');
  expect(said('disk-full', 0.95, '1', 60)).toBe('a disk is 95 % full or more for 60 s');
});

test('thresholds are typed in units of people', () => {
  expect(readValue('90', '1')).toBe(0.9);
  expect(readValue('90 %', '1')).toBe(0.9);
  expect(readValue('512', 'By')).toBe(512 * 1024 ** 2);
  expect(readValue('', '1')).toBeUndefined();
  expect(readValue('lots', '1')).toBeUndefined();
  expect(typedValue(0.07, '1')).toBe('7');
  fc.assert(
    fc.property(
      fc.integer({ min: -10_000, max: 10_000 }),
      fc.constantFrom('1', 'By', 's', '{thread}', ''),
      (typed, unit) => {
        expect(typedValue(readValue(String(typed), unit) ?? NaN, unit)).toBe(String(typed));
      },
    ),
  );
});

test('lengths of time are read as they are written', () => {
  expect([readSeconds('90'), readSeconds('5m'), readSeconds('2 h'), readSeconds(''), readSeconds('soon')]).toEqual([
    90, 300, 7200, 0, undefined,
  ]); // prettier-ignore
  fc.assert(fc.property(fc.nat(86_400), (seconds) => readSeconds(typedSeconds(seconds)) === seconds));
});
