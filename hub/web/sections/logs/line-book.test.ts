import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineBook, type SentLine } from './line-book.ts';

const line = (timeMs: number, text: string, id?: string): SentLine => ({
  id,
  host: 'h',
  timeMs,
  level: 'info',
  source: '/var/log/a.log',
  text,
  truncated: false,
});
const texts = (book: ReturnType<typeof createLineBook>): string[] => book.lines().map(({ text }) => text);

test('a line that the search and the stream both tell of is shown once, whichever is first', () => {
  const book = createLineBook();
  book.add([line(1, 'a', '1'), line(2, 'b', '2')], 'found');
  expect(book.add([line(2, 'b'), line(3, 'c')], 'live')).toBe(1);
  expect(book.add([line(2, 'b', '2'), line(3, 'c', '3'), line(4, 'd', '4')], 'found')).toBe(1);
  expect(texts(book)).toEqual(['a', 'b', 'c', 'd']);
  expect(book.lines().map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
});

test('lines that look the same are shown as often as they were written', () => {
  const book = createLineBook();
  book.add([line(1, 'again', '1'), line(1, 'again', '2')], 'found');
  expect(book.add([line(1, 'again')], 'live')).toBe(0);
  book.settle();
  expect(book.add([line(1, 'again')], 'live')).toBe(1);
  expect(book.add([line(1, 'again', '1'), line(1, 'again', '2'), line(1, 'again', '3')], 'found')).toBe(0);
  expect(texts(book)).toHaveLength(3);
});

test('an older page goes before lines of the same time, late lines go where they belong', () => {
  const book = createLineBook();
  book.add([line(5, 'c', '3'), line(9, 'e', '5')], 'found');
  book.add([line(4, 'a', '1'), line(5, 'b', '2')], 'found', true);
  book.add([line(7, 'd')], 'live');
  expect(texts(book)).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('what was dropped can come back', () => {
  const book = createLineBook();
  book.add([line(1, 'a', '1'), line(2, 'b', '2'), line(3, 'c', '3')], 'found');
  book.keepNewest(1);
  expect(texts(book)).toEqual(['c']);
  expect(book.add([line(2, 'b', '2'), line(3, 'c', '3')], 'found', true)).toBe(1);
  expect(texts(book)).toEqual(['b', 'c']);
});

test('after a break nothing is missing and nothing is twice, wherever the break was', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 60 }), fc.nat(60), fc.nat(60), (steps, one, two) => {
      let now = 0;
      const all = steps.map((step, i) => line((now += step), `text ${step}`, String(i)));
      const [from, to] = [Math.min(one, two), Math.max(one, two)];
      const book = createLineBook();
      book.add(
        all.slice(0, from).map((each) => ({ ...each, id: undefined })),
        'live',
      );
      book.settle();
      book.add(all.slice(0, to), 'found');
      book.add(
        all.slice(to).map((each) => ({ ...each, id: undefined })),
        'live',
      );
      book.add(all, 'found');
      expect(book.lines()).toHaveLength(all.length);
    }),
  );
});
