import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countsOf } from './counts.ts';
import { createSequenceDetector, SEQUENCE_OPTIONS } from './detector.ts';
import { renamed, rootOf } from './renames.ts';
import { isSnapshot } from './snapshot.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const sequences = fc.array(fc.array(names, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 30 });
const renames = fc.array(fc.tuple(names, fc.constantFrom('a', 'b', 'c', 'x', 'y')), { maxLength: 5 });

test('what is known under old names is known under the new ones, whatever became of what', () => {
  fc.assert(
    fc.property(sequences, renames, (normal, pairs) => {
      const map = new Map(pairs);
      const detector = createSequenceDetector();
      detector.train(normal.map(countsOf));
      const snapshot = renamed(detector.snapshot(), map);
      expect(isSnapshot(snapshot)).toBe(true);
      const again = createSequenceDetector(SEQUENCE_OPTIONS, snapshot);
      for (const one of normal) {
        const verdict = again.score(countsOf(one.map((name) => rootOf(map, name))));
        expect(verdict.why.unseen).toEqual([]);
        // Small counts are told apart, so that sums of them are exact.
        if (one.length <= 4) expect(verdict.surprise).toBe(0);
      }
    }),
  );
});

test('without new names nothing changes but that what has faded is gone', () => {
  const detector = createSequenceDetector({ ...SEQUENCE_OPTIONS, limits: { kinds: 8, templates: 99, sequences: 64 } });
  detector.train([countsOf(['once'])]);
  for (let n = 0; n < 400; n += 1) detector.train([countsOf(['begin', 'end']), countsOf(['begin', `${n % 6}`, 'end'])]);
  const snapshot = detector.snapshot();
  expect(snapshot.habits.map(([template]) => template)).toContain('once');
  const tidy = renamed(snapshot, new Map());
  expect(tidy.habits.map(([template]) => template)).not.toContain('once');
  const again = createSequenceDetector(SEQUENCE_OPTIONS, tidy);
  expect(again.score(countsOf(['begin', 'end'])).surprise).toBe(0);
});

test('a circle of names ends', () => {
  const circle = new Map([['a', 'b'], ['b', 'a']]); // prettier-ignore
  expect(['a', 'b']).toContain(rootOf(circle, 'a'));
});
