/** Which column rows are ordered by, and whether the largest comes first. */
export interface Order {
  column: string;
  down: boolean;
}

/** What a row is ordered by in a column; nothing goes last, whichever way. */
export type Rank = number | string | null | undefined;

/** Reads `name` or `-name`, as an address has it. */
export function readOrder(text: string | undefined): Order | undefined {
  if (text === undefined || text === '' || text === '-') return undefined;
  return text.startsWith('-') ? { column: text.slice(1), down: true } : { column: text, down: false };
}

/** The order as an address has it. */
export const writeOrder = ({ column, down }: Order): string => `${down ? '-' : ''}${column}`;

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

function compare(a: Rank, b: Rank): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return words.compare(String(a), String(b));
}

const nothing = (rank: Rank): boolean => rank === null || rank === undefined || rank === '' || Number.isNaN(rank);

/** The rows in order; those of equal rank stay as they were. */
export function ordered<Row>(rows: readonly Row[], rank: (row: Row) => Rank, down: boolean): Row[] {
  const ranked = rows.map((row) => ({ row, at: rank(row) }));
  const some = ranked.filter(({ at }) => !nothing(at));
  const none = ranked.filter(({ at }) => nothing(at));
  some.sort((a, b) => (down ? compare(b.at, a.at) : compare(a.at, b.at)));
  return [...some, ...none].map(({ row }) => row);
}

/** True when a text holds each of the words, in any case. */
export function holds(text: string, wanted: string): boolean {
  const within = text.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => within.includes(word));
}
