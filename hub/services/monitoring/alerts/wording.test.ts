import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, quantity } from './quantity.ts';
import { BUILT_IN_KINDS } from './rule.ts';
import { wording, type Told } from './wording.ts';

const DISK: Told = {
  state: 'firing',
  builtIn: 'disk-full',
  ruleName: 'Disk nearly full',
  resourceName: 'web-1',
  metric: 'system.filesystem.utilization',
  attributes: { 'system.filesystem.mountpoint': '/data' },
  operator: 'gte',
  threshold: 0.95,
  unit: '1',
  value: 0.9612,
  peak: 0.982,
  startedMs: 1_700_000_000_000,
  firedMs: 1_700_000_120_000,
  resolvedMs: undefined,
  outcome: undefined,
};
const RESOLVED = { ...DISK, state: 'resolved', value: 0.71, resolvedMs: 1_700_000_780_000 } as const;

test.each([
  [1.4 * 1024 ** 3, 'By', '1.4 GiB'],
  [512, 'By', '512 B'],
  [0, 'By', '0 B'],
  [1_500_000, 'By/s', '1.43 MiB/s'],
  [0.12, '1', '12 %'],
  [0.9612, '1', '96.1 %'],
  [0.0032, 's', '3.2 ms'],
  [0.0000041, 's', '4.1 µs'],
  [45, 's', '45 s'],
  [59.7, 's', '1 min'],
  [90, 's', '1 min 30 s'],
  [7800, 's', '2 h 10 min'],
  [0.5, 's/s', '50 % of the time'],
  [1, '{process}', '1 process'],
  [2400, '{process}', '2,400 processes'],
  [12.34, '{file_descriptor}', '12.3 file descriptors'],
  [300, '{operation}/s', '300 operations/s'],
  [21.5, 'Cel', '21.5 Cel'],
  [7, '', '7'],
  [Infinity, 'By', 'no value'],
])('%d in %s is written as %s', (value, unit, text) => {
  expect(quantity(value, unit)).toBe(text);
});

test('no length of time has sixty of the lower unit', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (seconds) => {
      expect(duration(seconds)).not.toMatch(/\b60 (s|min)\b|\b24 h\b/);
    }),
  );
});

test('a full disk is told with its place, its value and how long', () => {
  const { title, text } = wording(DISK);
  expect(title).toBe('Disk /data on web-1 is 96.1 % full');
  expect(text).toContain('Value 96.1 %, threshold 95 %, for 2 min.');
});

test('an alert that is over says how long it lasted and how bad it was', () => {
  const { title, text } = wording({ ...RESOLVED, outcome: 'recovered' });
  expect(title).toBe('Disk /data on web-1 is back to 71 % full');
  expect(text).toBe('It lasted 13 min. The worst value was 98.2 %, the threshold is 95 %. Rule: Disk nearly full.');
});

test('an alert that was closed without a good value does not claim that all is well', () => {
  const { title, text } = wording({ ...RESOLVED, outcome: 'gone' });
  expect(title).toBe('Closed: Disk /data on web-1 (it is no longer reported)');
  expect(text).toContain('no longer reported');
});

test('an alert that was closed says what was closed and why, not that it burns', () => {
  const load = { ...RESOLVED, builtIn: null, metric: 'system.cpu.load_average.1m', attributes: {}, unit: '{thread}' };
  expect(wording({ ...load, outcome: 'rule-changed' }).title).toBe(
    'Closed: Load over 1 min on web-1 (the rule was switched off or changed)',
  );
  for (const builtIn of BUILT_IN_KINDS) {
    const { title } = wording({ ...RESOLVED, builtIn, outcome: 'resource-removed' });
    expect(title).toMatch(/^Closed: .*web-1.* \(the host was removed\)$/);
    expect(title).not.toMatch(/\b(is|are|fails|will)\b/);
  }
});

test('lengths of time are told in whole seconds', () => {
  const brief = { ...DISK, firedMs: DISK.startedMs + 5980 };
  expect(wording(brief).text).toContain(', for 6 s.');
  expect(wording({ ...brief, firedMs: DISK.startedMs + 300 }).text).toContain('threshold 95 %.');
  const over = { ...RESOLVED, resolvedMs: DISK.startedMs + 12_345, outcome: 'recovered' } as const;
  expect(wording(over).text).toContain('It lasted 12 s.');
  expect(wording({ ...over, resolvedMs: DISK.startedMs + 2 }).text).toContain('It lasted 1 s.');
});

test.each([
  ['host-silent', { value: 63, unit: 's' }, 'web-1 has been silent for 1 min 3 s'],
  ['disk-filling', { value: 11_400, unit: 's', mount: '/' }, 'Disk / on web-1 will be full in 3 h 10 min'],
  ['memory-exhausted', { value: 0.021, unit: '1' }, 'Memory of web-1 is exhausted: 2.1 % left'],
  ['memory-exhausted', { value: 2400, unit: '{page}/s' }, 'web-1 swaps 2,400 pages/s in and out at once'],
  ['collector-failing', { value: 0, unit: '1', collector: 'disk' }, 'Collector disk on web-1 fails'],
  ['clock-skew', { value: 12, unit: 's' }, 'Clock of web-1 is 12 s off'],
  ['lines-lost', { value: 87.3, unit: '{line}/s' }, 'web-1 loses log lines: 87.3 lines/s'],
  ['settings-faulty', { value: 2, unit: '{fault}' }, 'The agent’s settings file on web-1 is not in force: 2 faults'],
  ['host-anomaly', { value: 0.8, unit: '1' }, 'web-1 behaves unlike its past'],
] as const)('%s reads like a sentence', (builtIn, { value, unit, ...place }, title) => {
  const attributes = {
    ...('mount' in place ? { 'system.filesystem.mountpoint': place.mount } : {}),
    ...('collector' in place ? { 'outrider.collector': place.collector } : {}),
  };
  expect(wording({ ...DISK, builtIn, attributes, value, unit }).title).toBe(title);
});

const RECEIVED = { 'network.interface.name': 'eth0', 'network.io.direction': 'receive' };
test.each([
  [
    { metric: 'system.cpu.busy', attributes: {}, unit: '1', value: 0.934, threshold: 0.9 },
    'CPU use on web-1 is 93.4 %, above 90 %',
  ],
  [
    { metric: 'system.network.io', attributes: RECEIVED, unit: 'By/s', value: 2 ** 20, threshold: 2 ** 19 },
    'Network eth0 receive on web-1 is 1 MiB/s, above 512 KiB/s',
  ],
  [
    { metric: 'shop.queue', attributes: { queue: 'mail' }, unit: '', value: 12, threshold: 10 },
    'shop.queue (queue=mail) on web-1 is 12, above 10',
  ],
] as const)('a rule on $0.metric names what it watches', (told, title) => {
  expect(wording({ ...DISK, builtIn: null, operator: 'gt', ...told }).title).toBe(title);
});
