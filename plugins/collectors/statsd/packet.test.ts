import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePacket } from './packet.ts';

test('reads lines of every type, rates, tags and packed values', () => {
  const text =
    'hits:3|c|@0.5|#env:prod,canary\n\nload:-2|g\ntime:1.5:2e1|ms\nsize:9|h\nspan:9|d|T17|c:x\nusers:anna|s\n';
  const { samples, malformed } = parsePacket(text);
  expect(malformed).toBe(0);
  expect(samples.map(({ name, type, values }) => [name, type, ...values])).toEqual([
    ['hits', 'counter', '3'],
    ['load', 'gauge', '-2'],
    ['time', 'timer', '1.5', '2e1'],
    ['size', 'timer', '9'],
    ['span', 'timer', '9'],
    ['users', 'set', 'anna'],
  ]);
  expect(samples[0]).toMatchObject({ rate: 0.5, attributes: { canary: 'true', env: 'prod' } });
});

test('what cannot be read is counted and costs only its line', () => {
  const bad = [
    'x',
    'x:|c',
    ':1|c',
    'x:1',
    'x:1|q',
    'x:1e|g',
    'x:1|c|@0',
    'x:1|c|@2',
    'x:nan|g',
    'a b\u0000:1|c',
    'x:0x1|c',
  ];
  expect(parsePacket([...bad, 'y:1|c'].join('\n'))).toMatchObject({ malformed: bad.length, samples: [{ name: 'y' }] });
  expect(parsePacket('_e{3,4}:abc|text\n_sc|disk|0')).toEqual({ samples: [], malformed: 0, unsupported: 2 });
});

test('no packet makes a value that is not a number, nor a name without bound', () => {
  const piece = fc.constantFrom('a', ':', '|', '1', 'c', 'g', 'ms', '@', '#', ',', '+', '-', '.', 'e9', '\n', 's');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        for (const { name, type, values, rate } of parsePacket(text).samples) {
          expect(name.length).toBeLessThanOrEqual(200);
          expect(rate > 0 && rate <= 1).toBe(true);
          if (type !== 'set') for (const one of values) expect(Number(one)).not.toBeNaN();
        }
      },
    ),
  );
});
