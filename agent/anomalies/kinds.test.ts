import { expect, test } from 'vitest';
import { AnomalyKind } from '#proto/agent/v1/index.ts';
import type { Kind } from '../templates/index.ts';
import { createKindEvents } from './kinds.ts';

const START = Date.UTC(2026, 10, 27);
const HOUR = 3_600_000;

/** A kind as the miner tells of it; whatever else it has is nobody's business here. */
const kindOf = (number: number, lines: number, lastMs: number, more: Partial<Kind> = {}): Kind =>
  ({
    number,
    id: number.toString(16).padStart(16, '0'),
    isNew: true,
    source: '/var/log/app.log',
    lines,
    firstMs: START,
    lastMs,
    ...more,
  }) as Kind;

function begin() {
  let ids = 0;
  return createKindEvents(START, () => `event-${++ids}`);
}

test('in the first hour every kind of line is usual; after it a new one is told once, however wide it becomes', () => {
  const events = begin();
  expect(events.look([kindOf(1, 5, START)], START + 1000)).toEqual([]);
  const later = START + 2 * HOUR;
  const told = events.look([kindOf(1, 9, later), kindOf(2, 1, later, { firstMs: later })], later);
  expect(told).toMatchObject([
    { kind: AnomalyKind.TEMPLATE_NEW, template: '0000000000000002', source: '/var/log/app.log', revision: 1 },
  ]);
  const wider = kindOf(2, 3, later + 10_000, { id: 'feed000000000000' });
  expect(events.look([kindOf(1, 9, later), wider], later + 10_000)).toEqual([]);
});

test('a kind that an earlier run knew is not new', () => {
  const events = begin();
  expect(events.look([kindOf(1, 1, START + 3 * HOUR, { isNew: false })], START + 3 * HOUR)).toEqual([]);
});

test('a kind that comes after a day is rare', () => {
  const events = begin();
  events.look([kindOf(1, 3, START)], START);
  const later = START + 30 * HOUR;
  expect(events.look([kindOf(1, 4, later)], later)).toMatchObject([{ kind: AnomalyKind.TEMPLATE_RARE }]);
});

test('a kind that came each minute and no longer does has vanished, until it is back', () => {
  const events = begin();
  const last = START + 10 * HOUR;
  events.look([kindOf(1, 600, last)], last);
  expect(events.look([kindOf(1, 600, last)], last + 14 * 60_000)).toEqual([]);
  const [gone] = events.look([kindOf(1, 600, last)], last + 31 * 60_000);
  expect(gone).toMatchObject({ kind: AnomalyKind.TEMPLATE_VANISHED, startMs: last, endMs: undefined, revision: 1 });
  expect(events.look([kindOf(1, 600, last)], last + 32 * 60_000)).toEqual([]);
  const back = last + 40 * 60_000;
  expect(events.look([kindOf(1, 601, back)], back)).toMatchObject([{ id: gone?.id, endMs: back, revision: 2 }]);
});

test('what has vanished ends with the agent, and when its kind is forgotten', () => {
  const events = begin();
  const last = START + 10 * HOUR;
  const two = [kindOf(1, 600, last), kindOf(2, 600, last)];
  events.look(two, last);
  const later = last + 31 * 60_000;
  const gone = events.look(two, later);
  expect(gone).toHaveLength(2);
  expect(events.look(two.slice(1), later + 1)).toMatchObject([{ id: gone[0]?.id, revision: 2, endMs: later + 1 }]);
  expect(events.stop(later + 2)).toMatchObject([{ id: gone[1]?.id, revision: 2, endMs: later + 2 }]);
});

test('a program that has changed all its lines is told of twenty times an hour at most', () => {
  const events = begin();
  const later = START + 5 * HOUR;
  const kinds = Array.from({ length: 300 }, (_, n) => kindOf(n + 1, 1, later, { firstMs: later }));
  expect(events.look(kinds, later)).toHaveLength(20);
});
