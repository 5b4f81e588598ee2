import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldsOf } from './fields.ts';

test('JSON becomes fields with dotted names', () => {
  expect(fieldsOf('{"msg":"say \\"hi\\"","user":{"id":42},"tags":["a"],"none":null}')).toEqual([
    { name: 'msg', value: 'say "hi"', needle: 'say \\"hi\\"' },
    { name: 'user.id', value: '42', needle: '42' },
    { name: 'tags.0', value: 'a', needle: 'a' },
    { name: 'none', value: 'null', needle: 'null' },
  ]);
});

test('JSON behind a prefix and pairs are read, prose is not', () => {
  expect(fieldsOf('2026-01-31 INFO {"a":1}').map(({ name }) => name)).toEqual(['a']);
  expect(fieldsOf('level=info msg="cache refreshed" took=14ms').map(({ value }) => value)).toEqual([
    'info', 'cache refreshed', '14ms',
  ]); // prettier-ignore
  expect(fieldsOf('set x=1 and be done')).toEqual([]);
  expect(fieldsOf('{broken}')).toEqual([]);
});

test('any text is survived, and what is searched for stands in it', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const written = JSON.stringify(JSON.parse(text));
      for (const { needle } of fieldsOf(written)) expect(written).toContain(needle);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => Array.isArray(fieldsOf(text))));
});
