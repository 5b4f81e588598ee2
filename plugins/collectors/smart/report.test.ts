import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseReport, parseScan } from './report.ts';

const reported = (report: object) => {
  const found = parseReport(JSON.stringify(report));
  if (found === 'asleep') throw new Error('asleep');
  return found;
};

test('counts that hold three numbers give the lowest one', () => {
  const table = [{ id: 188, raw: { value: 4_295_032_833 } }];
  expect(reported({ ata_smart_attributes: { table } }).attributes).toEqual({ command_timeouts: 1 });
});

test('what is left of a disk’s life is told alike by all kinds of disks', () => {
  const wear = (value: number) => ({ ata_smart_attributes: { table: [{ id: 177, value, raw: { value: 1 } }] } });
  expect(reported(wear(7)).enduranceLeft).toBe(0.07);
  expect(reported(wear(253)).enduranceLeft).toBe(1);
  expect(reported({ nvme_smart_health_information_log: { percentage_used: 130 } }).enduranceLeft).toBe(0);
  expect(reported({ scsi_percentage_used_endurance_indicator: 4 }).enduranceLeft).toBe(0.96);
});

test('a disk without a report has no number', () => {
  const none = reported({});
  expect([none.attributes, none.errors]).toEqual([{}, {}]);
  expect(Object.values(none).filter((value) => typeof value === 'number')).toEqual([]);
});

test('a disk that is ill is told, one that cannot be opened is a fault in smartctl’s words', () => {
  expect(reported({ smartctl: { exit_status: 8 }, smart_status: { passed: false } }).passed).toBe(false);
  const messages = [{ string: 'open device failed: Permission denied', severity: 'error' }];
  expect(() => reported({ smartctl: { exit_status: 2, messages } })).toThrow('Permission denied');
  expect(() => reported({ smartctl: { exit_status: 1 } })).toThrow('smartctl ended with 1');
});

test('any text is a report, a list or a fault, and never a number that is not finite', () => {
  const text = fc.oneof(fc.json(), fc.string(), fc.constant('{"devices":[{"name":"/dev/sda","type":"sat"}]}'));
  fc.assert(
    fc.property(text, (one) => {
      for (const parse of [parseReport, parseScan])
        try {
          expect(JSON.stringify(parse(one))).not.toContain('null');
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
    }),
  );
});
