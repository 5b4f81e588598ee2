import fc from 'fast-check';
import { BlockList } from 'node:net';
import { expect, test } from 'vitest';
import { addressBytes, inRange, isAllowed, parseRange, specialUse } from './address-ranges.ts';

test.each([
  '127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '10.1.2.3', '100.64.0.1', '100.127.255.255', '169.254.169.254',
  '172.16.0.1', '172.31.255.255', '192.168.1.1', '192.0.2.7', '198.18.0.1', '224.0.0.1', '255.255.255.255',
  '::', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:169.254.169.254', '64:ff9b::10.0.0.1', '2002:7f00:1::',
  '2002:a00:1::1', 'fe80::1', 'fe80::1%eth0', 'fc00::1', 'fdff::1', 'ff02::1', '2001::1', '2001:db8::1', '::7f00:1', '100::1',
  'no-address', '',
])('%s is not of the public Internet', (address) => {
  expect(specialUse(address)).toBeTypeOf('string');
}); // prettier-ignore

test.each([
  '1.1.1.1', '8.8.8.8', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '169.253.255.255', '192.167.0.1',
  '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001:82a::200e', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8',
])('%s is of the public Internet', (address) => {
  expect(specialUse(address)).toBeUndefined();
}); // prettier-ignore

test.each([
  '10.0.0.0/33',
  '10.0.0/8',
  'fd00::/129',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
  '10.0.0.0/',
  'x',
  'fe80::1%eth0/10',
])('%s is no range', (text) => {
  expect(parseRange(text)).toBeUndefined();
});

test('a range that is allowed also holds the forms of IPv6 that carry its addresses', () => {
  const ranges = ['10.1.0.0/16', 'fd12::/16'].map((text) => parseRange(text)).filter((range) => range !== undefined);
  expect(isAllowed('10.1.2.3', ranges)).toBe(true);
  expect(isAllowed('::ffff:10.1.2.3', ranges)).toBe(true);
  expect(isAllowed('fd12::1', ranges)).toBe(true);
  expect(isAllowed('10.2.0.1', ranges)).toBe(false);
  expect(isAllowed('fd13::1', ranges)).toBe(false);
});

const v4 = fc.ipV4();
const v6 = fc.ipV6();

test('any address and range of IPv4 is held as the system holds it', () => {
  fc.assert(
    fc.property(v4, v4, fc.integer({ min: 0, max: 32 }), (address, base, bits) => {
      const list = new BlockList();
      list.addSubnet(base, bits, 'ipv4');
      const range = parseRange(`${base}/${bits}`);
      expect(range && inRange(addressBytes(address) ?? new Uint8Array(), range)).toBe(list.check(address, 'ipv4'));
    }),
  );
});

test('any address of IPv6 is read as the system reads it', () => {
  fc.assert(
    fc.property(v6, (address) => {
      const bytes = addressBytes(address);
      expect(bytes?.length).toBe(16);
      const words = Array.from({ length: 8 }, (_, i) =>
        (((bytes?.[2 * i] ?? 0) << 8) | (bytes?.[2 * i + 1] ?? 0)).toString(16),
      );
      const list = new BlockList();
      list.addAddress(words.join(':'), 'ipv6');
      expect(list.check(address, 'ipv6')).toBe(true);
    }),
  );
});

test('no address that carries a private one is public', () => {
  fc.assert(
    fc.property(v4, (address) => {
      expect(specialUse(`::ffff:${address}`)).toBe(specialUse(address));
      expect(specialUse(`64:ff9b::${address}`)).toBe(specialUse(address));
    }),
  );
});
