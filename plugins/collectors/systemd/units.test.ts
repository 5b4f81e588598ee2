import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globPattern, parseUnits } from './units.ts';

test('reads a block for each unit, in any order of properties', () => {
  const text =
    'NRestarts=3\nId=web.service\nActiveState=active\nControlGroup=/system.slice/web.service\nCPUUsageNSec=1500000000\n\nId=a.timer\nActiveState=inactive\nMemoryCurrent=[not set]\n';
  expect(parseUnits(text)).toEqual([
    {
      name: 'web.service', state: 'active', isEnabled: false, restarts: 3, group: '/system.slice/web.service',
      cpuSeconds: 1.5, memory: undefined, tasks: undefined,
    },
    {
      name: 'a.timer', state: 'inactive', isEnabled: false, restarts: undefined, group: undefined,
      cpuSeconds: undefined, memory: undefined, tasks: undefined,
    },
  ]); // prettier-ignore
});

test('what systemd does not know is no number, and no path leads out of the control groups', () => {
  const [unit] = parseUnits(
    'Id=x.service\nActiveState=active\nMemoryCurrent=18446744073709551615\nControlGroup=/../../etc',
  );
  expect([unit?.memory, unit?.group]).toEqual([undefined, undefined]);
});

test('patterns match as systemd’s do', () => {
  const matched = (glob: string): string[] =>
    ['web.service', 'web@1.service', 'db.service', 'db.socket'].filter((name) => globPattern(glob).test(name));
  expect(matched('*.service')).toEqual(['web.service', 'web@1.service', 'db.service']);
  expect(matched('web@?.service')).toEqual(['web@1.service']);
  expect(matched('[dx]b.*')).toEqual(['db.service', 'db.socket']);
  expect(matched('[!w]*.socket')).toEqual(['db.socket']);
  expect(matched('web.service.')).toEqual([]);
});

test('no text stops it, and no number is anything but a number', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      for (const { memory, restarts } of parseUnits(`Id=a\nActiveState=b\nMemoryCurrent=${text}\nNRestarts=${text}`))
        for (const value of [memory, restarts]) expect(value === undefined || Number.isFinite(value)).toBe(true);
    }),
  );
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/[[*?\\]/.test(text)),
      (text) => void expect(globPattern(text).test(text)).toBe(true),
    ),
  );
});
