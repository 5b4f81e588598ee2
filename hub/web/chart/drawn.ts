import type { Columns, LineColumns } from './buffer.ts';

type Value = number | null | undefined;

/** What a plot gets: one column each for what is drawn, and the ends of all values. */
export interface Drawn {
  data: [number[], ...Value[][]];
  low: number;
  most: number;
}

function reach(columns: readonly (readonly Value[])[]): { low: number; most: number } {
  let low = Infinity;
  let most = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null || value === undefined) continue;
      if (value < low) low = value;
      if (value > most) most = value;
    }
  }
  return { low, most };
}

/** A value on top of what lies below it. Where nothing is known of any line there is a gap; where one alone is missing, it adds nothing. */
function atop(below: Value, value: Value): Value {
  if (typeof value === 'number') return value + (below ?? 0);
  if (typeof below === 'number') return below;
  return value === undefined || below === undefined ? undefined : null;
}

/** Areas that stand on each other, the sum of all first, so that each is painted over those above it. */
export function stacked({ times, lines }: Columns): Drawn {
  const sums: Value[][] = [];
  lines.forEach(({ avg }, line) => {
    const below = sums[line - 1];
    sums.push(below === undefined ? avg : avg.map((value, index) => atop(below[index], value)));
  });
  return { data: [times, ...sums.reverse()], ...reach(sums.slice(0, 1)), low: 0 };
}

/** Lines beside each other; with `bands` each is followed by its highest and lowest values. */
export function beside({ times, lines }: Columns, bands: boolean): Drawn {
  const columns = lines.flatMap(({ avg, min, max }) => (bands ? [avg, max, min] : [avg]));
  return { data: [times, ...columns], ...reach(columns) };
}

/** What a legend says of a line. */
export interface LineFigures {
  min: number | undefined;
  avg: number | undefined;
  max: number | undefined;
}

/** The least, the mean and the most of a line. */
export function figuresOf({ avg, min, max }: LineColumns): LineFigures {
  let sum = 0;
  let count = 0;
  for (const value of avg) {
    if (typeof value !== 'number') continue;
    sum += value;
    count += 1;
  }
  if (count === 0) return { min: undefined, avg: undefined, max: undefined };
  return { min: reach([min]).low, avg: sum / count, max: reach([max]).most };
}
