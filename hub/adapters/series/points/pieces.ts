/** Pieces of resources that got samples which coarser tiers lack. A resource is named by one text. */
export interface Pieces {
  /** Notes samples; gives the beginnings of pieces that were not open before. */
  touch(resource: string, timesMs: Iterable<number>): number[];
  /** Takes a piece that is about to be gathered: what comes from now on opens it again. */
  take(resource: string, beginMs: number): void;
  isOpen(resource: string, beginMs: number): boolean;
  /** Beginnings of a resource's open pieces within a range. */
  within(resource: string, from: number, to: number): number[];
  /** Pieces whose first sample came so long ago that a live one is over. */
  due(): [resource: string, beginsMs: number[]][];
  /** Every open piece. */
  all(): [resource: string, beginsMs: number[]][];
  forget(resource: string): void;
}

/** Length of a piece, milliseconds: whole buckets of all tiers but the hours. */
export const PIECE_MS = 300_000;
/** How long after its first sample a piece is gathered. */
const SETTLED_MS = PIECE_MS + 30_000;

/** The beginning of the piece that holds a time. */
const beginOf = (ms: number): number => Math.floor(ms / PIECE_MS) * PIECE_MS;

/** Makes the notes, empty. */
export function createPieces(monotonic: () => number): Pieces {
  const open = new Map<string, Map<number, number>>();
  return {
    touch(resource, timesMs) {
      const own = open.get(resource) ?? new Map<number, number>();
      open.set(resource, own);
      const fresh = new Set([...timesMs].map(beginOf).filter((begin) => !own.has(begin)));
      for (const begin of fresh) own.set(begin, monotonic());
      return [...fresh];
    },
    take: (resource, beginMs) => void open.get(resource)?.delete(beginMs),
    isOpen: (resource, beginMs) => open.get(resource)?.has(beginMs) === true,
    within: (resource, from, to) =>
      [...(open.get(resource)?.keys() ?? [])].filter((begin) => begin + PIECE_MS > from && begin < to),
    due() {
      const isDue = (since: number): boolean => monotonic() - since > SETTLED_MS;
      const found: [string, number[]][] = [];
      for (const [resource, own] of open) {
        if (own.size === 0) open.delete(resource);
        const begins = [...own].filter(([, since]) => isDue(since)).map(([begin]) => begin);
        if (begins.length > 0) found.push([resource, begins]);
      }
      return found;
    },
    all: () => [...open].map(([resource, own]) => [resource, [...own.keys()]]),
    forget: (resource) => void open.delete(resource),
  };
}
