import fc from 'fast-check';
import { expect, test } from 'vitest';
import { scan } from './scan.ts';

/** The first place at which a text of so many characters shows something, byte by byte: a text that ends there is enough. */
function firstPlace(text: string, from: number): number {
  const bytes = Buffer.from(text);
  for (let end = from + 1; end <= bytes.length; end++) if (scan(bytes.subarray(0, end), from) < end) return end - 1;
  return bytes.length;
}

const part = fc.constantFrom(
  'pas', 'KEY', 'tok', 'd b', ':aa', '-be', 'eyJ', 'x', '_', ' ', '-', '.', '\n', 'é', '4', '41', '4111 1111', '1-1-1', '12345678901', 'pa', 'ke',
); // prettier-ignore
const texts = fc.array(part, { maxLength: 30 }).map((parts) => parts.join(''));

test('what is found does not depend on where the look begins, nor on what follows', () => {
  fc.assert(
    fc.property(texts, fc.nat(3), (text, from) => {
      const bytes = Buffer.from(text);
      const start = Math.min(from, bytes.length);
      const found = scan(bytes, start);
      expect(found).toBe(firstPlace(text, start));
      expect(scan(Buffer.from(` ${text}`), start + 1)).toBe(found + 1);
    }),
  );
});

test.each(['pas', 'xpas', 'aaKEY', '1:aa', 'eyJ', '4111111111111', 'x4111-1111-1111-1'])('%s is found', (text) => {
  for (const before of ['', 'x', 'xy']) {
    const bytes = Buffer.from(before + text);
    expect(scan(bytes, before.length)).toBe(bytes.length - 1);
  }
});

test.each(['411111111111', '4111x111111111', '4111 1111\n1111 1111', 'p as', 'http://a/b'])('%j is not', (text) => {
  expect(scan(Buffer.from(text), 0)).toBe(Buffer.byteLength(text));
});
