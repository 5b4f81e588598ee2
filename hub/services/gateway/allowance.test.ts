import fc from 'fast-check';
import { expect, test } from 'vitest';
import { networkOf } from './allowance.ts';

test('an IPv4 address counts for itself, however it is written', () => {
  expect(networkOf('192.0.2.7')).toBe('192.0.2.7');
  expect(networkOf('::ffff:192.0.2.7')).toBe('192.0.2.7');
});

test('all addresses of an IPv6 network count as one', () => {
  expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0::/64');
  expect(networkOf('2001:db8::')).toBe('2001:db8:0:0::/64');
  expect(networkOf('2001:0db8:0000:0000:ffff::1')).toBe('2001:db8:0:0::/64');
  expect(networkOf('::1')).toBe('0:0:0:0::/64');
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  const group = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const text = groups.map((value) => value.toString(16));
      expect(networkOf(text.join(':'))).toBe(`${text.slice(0, 4).join(':')}::/64`);
      expect(networkOf(`${text.slice(0, 4).join(':')}::${text[7]}`)).toBe(`${text.slice(0, 4).join(':')}::/64`);
    }),
  );
});
