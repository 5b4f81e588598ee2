import { create } from '@bufbuild/protobuf';
import { LogsSchema } from '#proto/agent/v1/index.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patternsOf, stepsOf } from './patterns.ts';
import { idOfText, parametersOf, standsFor, templateId, templatesOf } from './templates.ts';

const idOf = (text: string): bigint => BigInt(`0x${idOfText(text) ?? ''}`);

test('parameters are cut out of a text by bytes, whatever characters it has', () => {
  const piece = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.string({ unit: 'grapheme', maxLength: 6 }));
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
      const text = pieces.map((two) => two.join('')).join('');
      const spans = pieces.flatMap((two) => two.map((part) => Buffer.byteLength(part)));
      expect(parametersOf(text, spans)).toEqual(pieces.map(([, parameter]) => parameter));
    }),
  );
});

test('spans that no honest agent sends give no parameters, and never more than a line may have', () => {
  expect(parametersOf('took 10 ms', [5, 2])).toEqual(['10']);
  for (const spans of [[], [5], [5, 6], [11, 0], [4_294_967_295, 4_294_967_295], [0, 4_294_967_295]])
    expect(parametersOf('took 10 ms', spans), String(spans)).toBeUndefined();
  expect(parametersOf('ü', [1, 1])).toBeUndefined();
  expect(parametersOf('ü', [0, 1])).toBeUndefined();
  expect(parametersOf('x'.repeat(500), Array<number>(130).fill(1))).toBeUndefined();
  expect(parametersOf('x'.repeat(5000), [0, 5000])).toBeUndefined();
  fc.assert(
    fc.property(fc.string(), fc.array(fc.nat(20)), (text, spans) => {
      const found = parametersOf(text, spans);
      if (found !== undefined) expect(found.every((one) => text.includes(one))).toBe(true);
    }),
  );
});

test('a template is kept under the id of its text and no other, with the times of its lines', () => {
  const [took, lost] = ['took <num> ms', 'lost <*>'];
  const logs = create(LogsSchema, {
    templates: [
      { id: idOf(took), text: took, merged: [7n, 0n, idOf(took)] },
      { id: 8n, text: 'not of this id' },
      { id: 0n, text: lost },
      { id: idOf(''), text: '' },
    ],
  });
  const line = { level: 2 as const, source: '/a', text: 'x', truncated: false };
  const lines = [
    { ...line, timeMs: 30, template: idOfText(took) },
    { ...line, timeMs: 10, template: idOfText(took) },
    { ...line, timeMs: 20, template: idOfText(lost) },
    { ...line, timeMs: 20 },
  ];
  expect(templatesOf(logs, lines)).toEqual([
    { id: idOfText(took), text: took, merged: ['0000000000000007'], firstMs: 10, lastMs: 30 },
    { id: idOfText(lost), text: undefined, merged: [], firstMs: 20, lastMs: 20 },
  ]);
});

test('a batch tells of no more templates than it may', () => {
  const templates = Array.from({ length: 5000 }, (_, n) => {
    const text = `kind ${n}`;
    return { id: idOf(text), text, merged: Array.from({ length: 50 }, (__, m) => BigInt(1 + m)) };
  });
  const lines = Array.from({ length: 20_000 }, (_, n) => ({
    ...{ level: 2 as const, source: '/a', text: 'x', truncated: false, timeMs: 1 },
    template: templateId(BigInt(n + 1)),
  }));
  const told = templatesOf(create(LogsSchema, { templates }), lines);
  expect(told.length).toBeLessThanOrEqual(4000);
  expect(told.reduce((sum, { merged }) => sum + merged.length, 0)).toBeLessThanOrEqual(2000);
});

test('what took a template in stands for it, over any number of steps, and a circle has one end', () => {
  const head = standsFor(new Map(Object.entries({ a: 'b', b: 'c', x: 'z', z: 'y', y: 'z', s: 's' })));
  expect(['a', 'b', 'c', 'q'].map(head)).toEqual(['c', 'c', 'c', 'q']);
  expect(['x', 'y', 'z', 's'].map(head)).toEqual(['y', 'y', 'y', 's']);
});

test('a sparkline has at most 60 steps and holds every line once', () => {
  fc.assert(
    fc.property(
      fc.nat(1e9),
      fc.integer({ min: 1, max: 1e10 }),
      fc.array(fc.nat(999), { minLength: 1, maxLength: 50 }),
      (from, length, places) => {
        const steps = stepsOf(from, from + length);
        const times = places.map((place) => from + Math.floor((place / 1000) * length));
        const found = times.map((timeMs, n) => ({
          template: n % 2 === 0 ? 'a' : 'b',
          counts: [0, 0, 1, 0, 0, 0] as const,
          ...{ firstMs: timeMs, lastMs: timeMs, example: '' },
          steps: [{ timeMs: Math.floor(timeMs / steps.step) * steps.step, count: 1 }],
        }));
        const [one, ...others] = patternsOf(found, { head: () => 'a', templates: new Map() }, steps);
        expect(others).toEqual([]);
        expect(one?.sparkline.length).toBeLessThanOrEqual(60);
        expect(one?.sparkline.reduce((sum, count) => sum + count, 0)).toBe(times.length);
        expect(one).toMatchObject({ count: times.length, share: 1, firstMs: Math.min(...times) });
      },
    ),
  );
});
