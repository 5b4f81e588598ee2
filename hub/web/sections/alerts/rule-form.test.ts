import { expect, test } from 'vitest';
import { faultsOf } from './faults.ts';
import type { Rule } from './queries.ts';
import { bodyOf, formOf, sameRule, unitOf } from './rule-form.ts';

const rule: Rule = {
  id: '1', name: 'Memory low', resource: null, metric: 'system.linux.memory.available', filter: {}, operator: 'lt', threshold: 512 * 1024 ** 2,
  clear: null, forSeconds: 300, keepFiringSeconds: 60, severity: 'critical', channels: ['mail'], enabled: true, builtIn: null, unit: 'By', firing: 2, warnings: [],
}; // prettier-ignore

test('a rule that is shown and saved unchanged stays as it was', () => {
  const form = formOf(rule);
  expect(form).toMatchObject({ threshold: '512', clear: '', forTime: '5 min' });
  expect(bodyOf(form, rule.unit).body).toEqual(sameRule(rule));
});

test('a new rule needs a name and a number, in units of people', () => {
  const form = formOf(undefined);
  expect(bodyOf(form, '1').faults).toEqual({ name: 'Give it a name' });
  expect(bodyOf({ ...form, name: 'CPU' }, '1').body).toMatchObject({
    threshold: 0.9,
    forSeconds: 300,
    filter: { 'cpu.logical_number': '' },
  });
  expect(bodyOf({ ...form, name: 'CPU', threshold: 'much', forTime: 'long' }, '1').faults).toEqual({
    threshold: 'A number is needed',
    forSeconds: 'A time such as 5 min',
  });
});

test('counters count per second, and a known rule knows its unit', () => {
  expect(unitOf('system.disk.io', undefined)).toBe('By/s');
  expect(unitOf('app.queue.depth', undefined)).toBe('');
  expect(unitOf('outrider.host.silence', { metric: 'outrider.host.silence', unit: 's' })).toBe('s');
});

test('faults of the hub stand beside the field that they name', () => {
  const error = (faults: string[] | undefined, detail = 'No.') =>
    Object.assign(new Error(detail), { facts: { detail, ...(faults && { faults }) } });
  const known = ['name', 'threshold', 'host'];
  expect(faultsOf(error(['body/threshold must be number', 'host: must be given again']), known)).toEqual({
    fields: { threshold: 'Must be number', host: 'Must be given again' },
    rest: undefined,
  });
  expect(faultsOf(error(['body must have required property name']), known).fields).toEqual({ name: 'Is missing' });
  expect(faultsOf(error(undefined, 'It cannot work.'), known)).toEqual({ fields: {}, rest: 'It cannot work.' });
  expect(faultsOf(new Error('down'), known).rest).toBe('down');
});
