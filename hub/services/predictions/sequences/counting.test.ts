import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lane, LogsSchema } from '#proto/agent/v1/index.ts';
import type { BatchReceived } from '#proto/subjects.ts';
import { createCounting, type CountedPart } from './counting.ts';
import { isPart, MOST_OF_SOURCE, MOST_SOURCES, windowOf } from './part.ts';

const WINDOW_MS = 60_000;
const T0 = 1_800_000_000_000;

interface Line {
  source: string;
  template: bigint;
  offMs: number;
}

function batch(
  seq: bigint,
  receivedMs: number,
  lines: readonly Line[],
  more: Partial<BatchReceived> = {},
): BatchReceived {
  const chunks = lines.map(({ source, template, offMs }) => ({
    source,
    lines: [{ timeMs: BigInt(receivedMs + offMs), text: 'a line', template }],
  }));
  const logs = toBinary(LogsSchema, create(LogsSchema, { chunks }));
  return {
    ...{ agent: 'a', resource: 'r', epoch: 3n, lane: Lane.LIVE, seq, receivedMs, skewMs: 0 },
    ...{ tables: [], metrics: new Uint8Array(), logs },
    ...more,
  };
}

function counted(limits = { windows: 100, templates: 10_000 }) {
  const parts: CountedPart[] = [];
  const counting = createCounting(WINDOW_MS, (part) => void parts.push(part), limits);
  return { parts, counting };
}

const windowsOf = (parts: readonly CountedPart[]) =>
  new Map(
    [...new Set(parts.map(({ startMs }) => startMs))].map((start) => [
      start,
      windowOf(
        start,
        parts.filter(({ startMs }) => startMs === start).map(({ part }) => part),
      ),
    ]),
  );

test('every line that is of its time is counted once, in its window, however often parts are written down between', () => {
  const line = fc.record({
    source: fc.constantFrom('a', 'b', '\0c'),
    // Ids whose lower halves are the same, and one that has none.
    template: fc.constantFrom(0n, 5n, 2n ** 32n + 5n, 2n ** 63n + 5n, 7n),
    offMs: fc.integer({ min: -90_000, max: 90_000 }),
  });
  const given = fc.array(fc.tuple(fc.nat(150_000), fc.array(line, { maxLength: 8 }), fc.boolean()), { maxLength: 20 });
  fc.assert(
    fc.property(given, fc.boolean(), (batches, isFull) => {
      const { parts, counting } = counted(isFull ? { windows: 2, templates: 3 } : undefined);
      const expected = new Map<string, number>();
      batches.forEach(([atMs, lines, isWritten], n) => {
        const receivedMs = T0 + atMs;
        counting.add('o', batch(BigInt(n), receivedMs, lines));
        for (const { source, template, offMs } of lines) {
          if (template === 0n || Math.abs(offMs) > 60_000) continue;
          const start = Math.floor(receivedMs / WINDOW_MS) * WINDOW_MS;
          const of = receivedMs + offMs < start ? start - WINDOW_MS : start;
          const key = `${of} ${source.replace('\0', '')} ${template.toString(16).padStart(16, '0')}`;
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
        if (isWritten) counting.end(Infinity);
      });
      counting.end(Infinity);
      const found = new Map<string, number>();
      for (const { part } of parts) expect(isPart(JSON.parse(JSON.stringify(part)))).toBe(true);
      for (const [start, { sources }] of windowsOf(parts))
        for (const [name, { counts }] of sources)
          for (const [template, count] of counts) found.set(`${start} ${name} ${template}`, count);
      expect(found).toEqual(expected);
    }),
  );
});

test('a window is whole when every batch after the last one came once, in every part of it', () => {
  const whole = (seqs: readonly number[], more: (seq: number) => Partial<BatchReceived> = () => ({})): boolean => {
    const { parts, counting } = counted();
    seqs.forEach((seq, n) => counting.add('o', batch(BigInt(seq), T0 + n * 12_000, [], more(seq))));
    counting.end(Infinity);
    const [window] = [...windowsOf(parts).values()];
    return window?.isWholeAfter({ epoch: '3', seq: 0 }) ?? false;
  };
  expect(whole([1, 2, 3, 4, 5])).toBe(true);
  expect(whole([2, 1, 4, 3, 5])).toBe(true);
  expect(whole([2, 3, 4, 5, 6])).toBe(false);
  expect(whole([1, 2, 3, 5, 6])).toBe(false);
  expect(whole([1, 2, 3, 3, 4])).toBe(false);
  expect(whole([1, 2, 3, 4])).toBe(false);
  expect(whole([1, 2, 3, 4, 5], (seq) => ({ epoch: seq > 3 ? 4n : 3n }))).toBe(false);
  expect(whole([1, 2, 3, 4, 5], (seq) => ({ lane: seq === 3 ? Lane.BACKFILL : Lane.LIVE }))).toBe(false);
  expect(whole([1, 2, 3, 4, 5], () => ({ logs: Uint8Array.of(0x0a, 99) }))).toBe(false);
});

test('what a host makes up is bounded', () => {
  const { parts, counting } = counted();
  const lines = Array.from({ length: 400 }, (_, n): Line[] => [
    { source: `${n}`, template: 1n, offMs: 0 },
    { source: '0', template: BigInt(n + 1) << 32n, offMs: 0 },
  ]).flat();
  counting.add('o', batch(1n, T0, lines));
  counting.end(Infinity);
  const sources = parts[0]?.part.sources ?? [];
  expect(sources.length).toBe(MOST_SOURCES);
  expect(Math.max(...sources.map(({ counts }) => counts.length))).toBe(MOST_OF_SOURCE);
  // Of what was left out it is known that it was.
  expect(sources.find(({ name }) => name === '0')?.strays).toBe(401 - MOST_OF_SOURCE);
  counting.add('o', batch(2n, T0, [{ source: 'x'.repeat(5000), template: 1n, offMs: 0 }]));
  counting.end(Infinity);
  expect(parts.at(-1)?.part.sources[0]?.name).toBe('x'.repeat(1024));
});
