import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLineProtocol } from './line-protocol.ts';

const pointsIn = (text: string) => {
  const { points, faults } = parseLineProtocol(text);
  expect(faults).toEqual([]);
  return points;
};

test('reads a measurement, tags and fields of every type', () => {
  expect(
    pointsIn('queue,host=a,zone=b depth=4,rate=-1.5e3,jobs=7i,seen=9u,up=true,down=F,note="x y" 1700000000\n'),
  ).toEqual([
    {
      measurement: 'queue',
      tags: { host: 'a', zone: 'b' },
      fields: { depth: 4, rate: -1500, jobs: 7, seen: 9, up: 1, down: 0 },
    },
  ]);
});

test('reads escapes in every place', () => {
  expect(pointsIn('my\\ queue\\,a,the\\=key=a\\,\\ b\\=c the\\ field=1,text="a \\" b, c\\\\",c:\\d=2')).toEqual([
    { measurement: 'my queue,a', tags: { 'the=key': 'a, b=c' }, fields: { 'the field': 1, 'c:\\d': 2 } },
  ]);
});

test('a text may hold a line break, and comments and empty lines are passed over', () => {
  expect(pointsIn('# nothing\n\n  a text="one\ntwo",x=1\r\nb y=2\n').map(({ fields }) => fields)).toEqual([
    { x: 1 },
    { y: 2 },
  ]);
});

test('a line that cannot be read costs only itself, and is named', () => {
  const { points, faults } = parseLineProtocol(
    'a x=1\nb\nc x=\nd,t x=1\ne x=1 soon\n,a x=1\nf x="open\ng x=3i4\nh y=2',
  );
  expect(points.map(({ measurement }) => measurement)).toEqual(['a', 'h']);
  expect(faults).toEqual([
    { line: 2, why: 'it has no field' },
    { line: 3, why: '"" is no value' },
    { line: 4, why: 'a tag has no value' },
    { line: 5, why: '"soon" is no timestamp' },
    { line: 6, why: 'it has no measurement' },
    { line: 7, why: 'a text has no end' },
    { line: 8, why: '"3i4" is no value' },
  ]);
});

const name = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => !/[\n\r\t]|^[ #]|^$/.test(text));
const escaped = (text: string): string => text.replace(/[\\,= ]/g, '\\$&');

const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0); // -0 is written 0.

test('whatever was written by the rules is read back', () => {
  const point = fc.record({
    measurement: name,
    tags: fc.dictionary(name, name, { maxKeys: 4 }),
    fields: fc.dictionary(name, number, { minKeys: 1, maxKeys: 4 }),
  });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 4 }), (points) => {
      const pairs = (all: Readonly<Record<string, unknown>>): string[] =>
        Object.entries(all).map(([key, value]) => `${escaped(key)}=${escaped(String(value))}`);
      const text = points
        .map(
          ({ measurement, tags, fields }) =>
            `${[escaped(measurement), ...pairs(tags)].join(',')} ${pairs(fields).join(',')} 17`,
        )
        .join('\n');
      const plain = points.map(({ measurement, tags, fields }) => ({
        measurement,
        tags: { ...tags },
        fields: { ...fields },
      }));
      expect(pointsIn(text)).toEqual(plain);
    }),
  );
});

test('no text stops it, and no number is anything but a number', () => {
  const piece = fc.constantFrom('a', ',', '=', ' ', '\\', '"', '\n', '1', 'i', 't', '#', '1e999');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        const { points } = parseLineProtocol(text);
        for (const { fields } of points) for (const value of Object.values(fields)) expect(value).not.toBeNaN();
      },
    ),
  );
});
