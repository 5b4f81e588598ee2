import type { Clock } from '#sdk';

/** A range of time, milliseconds; the end is exclusive. */
export interface Span {
  from: number;
  to: number;
}

/** How a range is walked. */
export interface WalkOptions {
  clock: Clock;
  /** No further piece is begun after this long, milliseconds, and none that would end much later to judge by the one before. */
  budgetMs: number;
  direction: 'back' | 'forth';
}

/** The first piece: what is looked for lies near the end more often than not. */
const FIRST_MS = 60_000;
/** Pieces grow fourfold while they cost less than this, and shrink when they cost ten times as much. */
const CHEAP_MS = 40;

function lengthAfter(length: number, tookMs: number, leftMs: number): number {
  const grown = tookMs < CHEAP_MS ? 4 * length : length;
  const affordable = tookMs > 1 ? Math.floor((length * Math.max(0, leftMs)) / tookMs) : grown;
  return Math.max(1, Math.min(grown, affordable, tookMs > 10 * CHEAP_MS ? length / 4 : grown));
}

/**
 * Visits a range piece by piece until a visit answers false; pieces meet without gap or overlap. So the nearest matches are found in the first small
 * piece, and a range without a match costs few queries. Resolves to what is left unvisited.
 */
export async function walk(
  range: Span,
  { clock, budgetMs, direction }: WalkOptions,
  visit: (span: Span) => Promise<boolean>,
): Promise<Span> {
  const begun = clock.monotonic();
  let left = range;
  let length = FIRST_MS;
  let goOn = true;
  while (goOn && left.from < left.to && clock.monotonic() - begun < budgetMs) {
    const cut = direction === 'back' ? Math.max(left.from, left.to - length) : Math.min(left.to, left.from + length);
    const [span, rest] =
      direction === 'back'
        ? [
            { from: cut, to: left.to },
            { from: left.from, to: cut },
          ]
        : [
            { from: left.from, to: cut },
            { from: cut, to: left.to },
          ];
    const before = clock.monotonic();
    goOn = await visit(span);
    left = rest;
    const now = clock.monotonic();
    const [tookMs, leftMs] = [now - before, budgetMs - (now - begun)];
    // Crumbs are not worth a query.
    if (leftMs < tookMs / 8) break;
    length = Math.floor(lengthAfter(length, tookMs, leftMs));
  }
  return left;
}
