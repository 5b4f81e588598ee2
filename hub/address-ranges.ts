import { isIPv4, isIPv6 } from 'node:net';

/** A range of addresses: the bytes of its first one and how many bits count. */
export interface AddressRange {
  bytes: Uint8Array;
  bits: number;
}

/** Ranges of IPv4 that are not the public Internet (IANA special-purpose registry, RFC 6890), with what they are. */
const SPECIAL_V4: readonly [cidr: string, what: string][] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'shared by a provider'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local, where clouds keep their metadata'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.0.2.0/24', 'for documentation'],
  ['192.88.99.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'for benchmarks'],
  ['198.51.100.0/24', 'for documentation'],
  ['203.0.113.0/24', 'for documentation'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
];

/** Ranges of IPv6 inside the public 2000::/3 that are not public; everything outside of it is refused anyway. */
const SPECIAL_V6: readonly [cidr: string, what: string][] = [
  ['::/128', 'no address'],
  ['::1/128', 'loopback'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['ff00::/8', 'multicast'],
  ['2001::/23', 'reserved'],
  ['2001:db8::/32', 'for documentation'],
  ['3fff::/20', 'for documentation'],
];

/** Forms of IPv6 that carry an address of IPv4, with the byte at which it stands: mapped, NAT64, 6to4. */
const CARRIERS: readonly [cidr: string, at: number][] = [
  ['::ffff:0:0/96', 12],
  ['64:ff9b::/96', 12],
  ['2002::/16', 2],
];

function bytesOfV4(text: string): number[] {
  return text.split('.').map(Number);
}

function bytesOfV6(text: string): number[] {
  const [, head = text, v4] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? [];
  const tail = v4 === undefined ? [] : bytesOfV4(v4);
  const groups = v4 === undefined ? head : head.replace(/([^:]):$/, '$1');
  const [left = '', right] = groups.split('::');
  const words = (part: string): number[] =>
    part
      .split(':')
      .filter((word) => word !== '')
      .flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 255]);
  const before = words(left);
  const after = [...words(right ?? ''), ...tail];
  if (right === undefined) return [...before, ...after];
  return [...before, ...new Array<number>(16 - before.length - after.length).fill(0), ...after];
}

/** The bytes of an address: 4 or 16; undefined when the text is none. A zone (`%eth0`) is ignored. */
export function addressBytes(text: string): Uint8Array | undefined {
  const bare = text.replace(/%.*$/, '');
  if (isIPv4(bare)) return Uint8Array.from(bytesOfV4(bare));
  if (isIPv6(bare)) return Uint8Array.from(bytesOfV6(bare));
  return undefined;
}

/** Reads `10.0.0.0/8`, `fd00::/8` or a single address; undefined when it is none. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', size, ...rest] = text.trim().split('/');
  const bytes = addressBytes(address);
  if (bytes === undefined || address.includes('%') || rest.length > 0) return undefined;
  const most = bytes.length * 8;
  if (size === undefined) return { bytes, bits: most };
  const bits = /^\d{1,3}$/.test(size) ? Number(size) : Infinity;
  return bits <= most ? { bytes, bits } : undefined;
}

/** Why a text is no range, for the person who set it; undefined when it is one. */
export const rangeFault = (text: string): string | undefined =>
  parseRange(text) === undefined
    ? `egress.allow: "${text}" is no range of addresses such as 10.0.0.0/8 or fd00::/8`
    : undefined;

/** True when an address lies in a range. */
export function inRange(address: Uint8Array, { bytes, bits }: AddressRange): boolean {
  if (address.length !== bytes.length) return false;
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 255 : (255 << (8 - (bits - bit))) & 255;
    const [a, b] = [address[bit >> 3] ?? 0, bytes[bit >> 3] ?? 0];
    if ((a & mask) !== (b & mask)) return false;
  }
  return true;
}

const known = (table: readonly [string, string][]): { range: AddressRange; what: string }[] =>
  table.flatMap(([cidr, what]) => {
    const range = parseRange(cidr);
    return range === undefined ? [] : [{ range, what }];
  });
const SPECIAL = [...known(SPECIAL_V4), ...known(SPECIAL_V6)];
const CARRIED = CARRIERS.flatMap(([cidr, at]) => {
  const range = parseRange(cidr);
  return range === undefined ? [] : [{ range, at }];
});
const PUBLIC_V6: AddressRange = { bytes: Uint8Array.from([0x20, ...new Array<number>(15).fill(0)]), bits: 3 };

/** The IPv4 address that an IPv6 address carries, else the address itself. */
function unwrapped(address: Uint8Array): Uint8Array {
  const carrier = CARRIED.find(({ range }) => inRange(address, range));
  return carrier === undefined ? address : address.slice(carrier.at, carrier.at + 4);
}

/** Why an address is not of the public Internet: one word or two; undefined when it is public. */
export function specialUse(text: string): string | undefined {
  const bytes = addressBytes(text);
  if (bytes === undefined) return 'not an address';
  const address = unwrapped(bytes);
  const special = SPECIAL.find(({ range }) => inRange(address, range));
  if (special !== undefined) return special.what;
  return address.length === 16 && !inRange(address, PUBLIC_V6) ? 'reserved' : undefined;
}

/** True when one of the ranges holds the address, as it is written or as the IPv4 address that it carries. */
export function isAllowed(text: string, ranges: readonly AddressRange[]): boolean {
  const bytes = addressBytes(text);
  if (bytes === undefined) return false;
  return ranges.some((range) => inRange(bytes, range) || inRange(unwrapped(bytes), range));
}
