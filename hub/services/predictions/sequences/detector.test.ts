import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countsOf, stepOf, type Counts } from './counts.ts';
import { createSequenceDetector, SEQUENCE_OPTIONS, type SequenceDetector } from './detector.ts';
import { isSnapshot } from './snapshot.ts';
import { combined } from './surprise.ts';

const sequence = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { minLength: 1, maxLength: 60 });
const sequences = fc.array(sequence, { minLength: 1, maxLength: 40 });

function trained(normal: readonly (readonly string[])[], options = SEQUENCE_OPTIONS): SequenceDetector {
  const detector = createSequenceDetector(options);
  detector.train(normal.map(countsOf));
  return detector;
}

/** Requests: always begun and ended, some reads, now and then a retry. The numbers are those of a linear congruential generator. */
function requests(count: number, seed: number): string[][] {
  let state = seed;
  const draw = (n: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * n);
  };
  return Array.from({ length: count }, () => [
    'begin',
    ...Array.from({ length: 1 + draw(3) }, () => 'read'),
    ...Array.from({ length: draw(20) === 0 ? 1 + draw(3) : 0 }, () => 'retry'),
    'end',
  ]);
}

describe('a detector of sequences', () => {
  test('says 0 to what it has learned, in whichever order, and never leaves 0 … 1', () => {
    fc.assert(
      fc.property(sequences, sequence, (normal, other) => {
        const detector = trained(normal);
        for (const one of normal) expect(detector.score(countsOf(one.toReversed())).score).toBe(0);
        const { score, pValue, surprise } = detector.score(countsOf(other));
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(1);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(score >= 0.5).toBe(surprise >= detector.threshold());
      }),
    );
  });

  test('what it knows survives as JSON', () => {
    fc.assert(
      fc.property(sequences, sequence, (normal, other) => {
        const detector = trained(normal);
        const snapshot: unknown = JSON.parse(JSON.stringify(detector.snapshot()));
        expect(isSnapshot(snapshot)).toBe(true);
        const again = createSequenceDetector(SEQUENCE_OPTIONS, snapshot as ReturnType<SequenceDetector['snapshot']>);
        expect(again.score(countsOf(other))).toEqual(detector.score(countsOf(other)));
        expect(again.threshold()).toBe(detector.threshold());
      }),
    );
  });

  test('alerts on at most as many other normal sequences as it is meant to', () => {
    for (const seed of [1, 2, 3]) {
      const detector = trained(requests(2000, seed));
      const others = requests(5000, seed + 100);
      const alerts = others.filter((one) => detector.score(countsOf(one)).score >= 0.5).length;
      expect(alerts / others.length).toBeLessThanOrEqual(SEQUENCE_OPTIONS.falsePositives);
    }
  });

  test('alerts on what is new, missing or too often, and says why', () => {
    const detector = trained(requests(2000, 1));
    const fresh = detector.score(countsOf(['begin', 'read', 'panic', 'end']));
    expect(fresh.score).toBeGreaterThan(0.5);
    expect(fresh.why.unseen).toEqual(['panic']);
    const cut = detector.score(countsOf(['begin', 'read']));
    expect(cut.score).toBeGreaterThan(0.5);
    expect(cut.why.counts[0]).toMatchObject({ template: 'end', count: 0, expected: 1 });
    const many = detector.score(countsOf(['begin', ...Array<string>(90).fill('read'), 'end']));
    expect(many.score).toBeGreaterThan(0.5);
    expect(many.why.counts[0]).toMatchObject({ template: 'read', count: 90 });
    expect(many.why.length).toEqual({ lines: 92, normal: { least: 3, most: 8 } });
    expect(many.pValue).toBeLessThan(SEQUENCE_OPTIONS.falsePositives);
  });

  test('one odd sequence among the normal ones does not blind it', () => {
    const odd = Array.from({ length: 40 }, (_, number) => `odd ${number}`);
    const detector = trained([...requests(20, 1), odd]);
    expect(detector.score(countsOf(['begin', 'panic', 'alarm', 'end'])).score).toBeGreaterThan(0.5);
  });

  test('many normal sequences that differ from all others raise its threshold', () => {
    const each = Array.from({ length: 400 }, (_, number) => ['begin', `job ${number}`, `user ${number}`, 'end']);
    const detector = trained([...requests(400, 1), ...each]);
    expect(detector.threshold()).toBeGreaterThan(-Math.log(SEQUENCE_OPTIONS.falsePositives));
    expect(detector.score(countsOf(['begin', 'job 7777', 'user 7777', 'end'])).score).toBeLessThanOrEqual(0.5);
  });

  test('remembers no more kinds and templates than it may, the frequent ones', () => {
    const limits = { kinds: 32, templates: 50, sequences: 1_000_000 };
    const detector = createSequenceDetector({ ...SEQUENCE_OPTIONS, limits });
    for (let number = 0; number < 1000; number += 1)
      detector.train([countsOf(['begin', 'end']), countsOf(['begin', `x ${number}`])]);
    const { kinds, habits } = detector.snapshot();
    expect(kinds.length).toBeLessThanOrEqual(32);
    expect(habits.length).toBeLessThanOrEqual(50);
    expect(detector.score(countsOf(['begin', 'end'])).score).toBe(0);
  });

  test('knows nothing before it has learned', () => {
    const { score, why } = createSequenceDetector().score(countsOf(['a']));
    expect(score).toBeLessThan(0.5);
    expect(why).toEqual({ unseen: ['a'], counts: [], length: { lines: 1, normal: undefined } });
    expect(createSequenceDetector().score(new Map()).score).toBeLessThan(0.5);
  });
});

describe('a detector of windows', () => {
  const options = { ...SEQUENCE_OPTIONS, falsePositives: 1e-4, isWindow: true, renewal: 0.1 };
  /** What never rests: more by day than by night, all kinds together. */
  const windows = (count: number, seed: number): Counts[] => {
    let state = seed;
    const draw = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    return Array.from({ length: count }, (_, window) => {
      const load = (1.5 + Math.sin(window / 46)) * (0.7 + 0.6 * draw());
      const counts = [200, 80, 20, 5].map((mean, kind) => [`${kind}`, Math.round(mean * load * (0.8 + 0.4 * draw()))]);
      return new Map(counts.filter(([, count]) => Number(count) > 0) as [string, number][]);
    });
  };
  const learned = (count: number): SequenceDetector => {
    const detector = createSequenceDetector(options);
    detector.train(windows(count, 7));
    return detector;
  };
  const alerts = (detector: SequenceDetector, counts: Counts): boolean => detector.score(counts).score >= 0.5;

  test('hardly ever alerts on other windows like those', () => {
    for (const count of [300, 2000]) {
      const detector = learned(count);
      expect(windows(5000, 99).filter((one) => alerts(detector, one)).length).toBeLessThanOrEqual(2);
    }
  });

  test('alerts on a count far beyond what was seen, however few windows were', () => {
    const detector = learned(300);
    const [one = new Map<string, number>()] = windows(1, 5);
    expect(alerts(detector, one)).toBe(false);
    expect(alerts(detector, new Map([...one, ['panic', 100]]))).toBe(true);
    expect(alerts(detector, new Map([...one, ['1', 8000]]))).toBe(true);
    expect(alerts(detector, new Map([...one].filter(([kind]) => kind !== '0')))).toBe(true);
    // A line that was never seen is no flood.
    expect(alerts(detector, new Map([...one, ['hello', 1]]))).toBe(false);
  });

  test('keeps its threshold while it learns little, and over a restart', () => {
    const detector = learned(2000);
    const known = (one: SequenceDetector): [threshold: number, lookedUpAt: number | undefined] => [
      one.threshold(),
      one.snapshot().calibrated?.sequences,
    ];
    const before = known(detector);
    expect(before[1]).toBe(2000);
    detector.train(windows(100, 3));
    expect(known(detector)).toEqual(before);
    const again = createSequenceDetector(options, detector.snapshot());
    expect(known(again)).toEqual(before);
    again.train(windows(200, 4));
    expect(known(again)[1]).toBe(2300);
  });
});

describe('what a detector is made of', () => {
  test('a broken or hostile snapshot is none', () => {
    const snapshot = trained(requests(50, 1)).snapshot();
    const broken = (change: object): unknown => ({ ...snapshot, ...change });
    expect(isSnapshot(snapshot)).toBe(true);
    for (const change of [
      { version: 2 },
      { sequences: -1 },
      { sequences: Infinity },
      { more: 1 },
      { kinds: [[1, [0, 0], [1, 1]]] },
      { kinds: [[1, [99], [1]]] },
      { kinds: [[1, [0], []]] },
      { kinds: [[1, [0], [99]]] },
      { habits: [...snapshot.habits, snapshot.habits[0]] },
      { habits: [['x'.repeat(257), []]], kinds: [] },
    ])
      expect(isSnapshot(broken(change)), JSON.stringify(change)).toBe(false);
    expect(isSnapshot(null)).toBe(false);
  });

  test('steps rise with counts and tell small ones apart', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 8, 9].map(stepOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 6, 7]);
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (a, b) => {
        expect(stepOf(Math.min(a, b))).toBeLessThanOrEqual(stepOf(Math.max(a, b)));
      }),
    );
    expect([NaN, -1].map(stepOf)).toEqual([0, 0]);
  });

  test('several small surprises are worth less than one of their sum, and never less than none', () => {
    expect(combined(7, 1)).toBe(7);
    expect(combined(7, 2)).toBeCloseTo(7 - Math.log(8), 12);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 500, noNaN: true }), fc.nat({ max: 60 }), (sum, count) => {
        expect(combined(sum, count)).toBeGreaterThanOrEqual(0);
        expect(combined(sum, count + 1)).toBeLessThanOrEqual(combined(sum, Math.max(1, count)) + 1e-9);
      }),
    );
  });
});
