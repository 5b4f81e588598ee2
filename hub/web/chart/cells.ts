/** What one line of an answer of the hub holds: arrays of one length, steps without a sample are absent. */
export interface StepPoints {
  times: readonly number[];
  avg: readonly number[];
  min: readonly number[];
  max: readonly number[];
  last: readonly number[];
}

/** Values of one line, one a step. `undefined` is drawn through, `null` is a gap. */
export interface LineColumns {
  avg: (number | null | undefined)[];
  min: (number | null | undefined)[];
  max: (number | null | undefined)[];
}

/** Steps of one line in a ring: the step's number modulo the capacity is its slot. */
export interface Cells {
  /** Samples in each step; 0 where there is none. */
  count: Uint32Array;
  sum: Float64Array;
  min: Float64Array;
  max: Float64Array;
  last: Float64Array;
  /** Time of the newest live sample. */
  lastMs: number;
}

/** A line that pauses for longer than this many of its usual distances has a gap. */
const GAP_DISTANCES = 3.5;
/** Distances that tell what is usual. */
const DISTANCES = 40;

/** An empty ring. */
export function createCells(capacity: number): Cells {
  const floats = (): Float64Array => new Float64Array(capacity);
  return { count: new Uint32Array(capacity), sum: floats(), min: floats(), max: floats(), last: floats(), lastMs: 0 };
}

/** Replaces what a slot holds. */
export function put(cells: Cells, slot: number, value: { count: number; avg: number; min: number; max: number }): void {
  cells.count[slot] = value.count;
  cells.sum[slot] = value.avg * value.count;
  cells.min[slot] = value.min;
  cells.max[slot] = value.max;
}

/** Adds a sample to what a slot holds. */
export function merge(cells: Cells, slot: number, value: number): void {
  const before = cells.count[slot] ?? 0;
  cells.count[slot] = before + 1;
  cells.sum[slot] = (before === 0 ? 0 : (cells.sum[slot] ?? 0)) + value;
  cells.min[slot] = before === 0 ? value : Math.min(cells.min[slot] ?? value, value);
  cells.max[slot] = before === 0 ? value : Math.max(cells.max[slot] ?? value, value);
}

/** The distance in steps that is usual between filled ones, which pauses do not stretch; 1 when there is nothing to tell it by. */
export function usualDistance(filled: readonly number[]): number {
  const distances: number[] = [];
  for (let index = filled.length - 1; index > 0 && distances.length < DISTANCES; index--)
    distances.push((filled[index] ?? 0) - (filled[index - 1] ?? 0));
  distances.sort((a, b) => a - b);
  return distances[(distances.length - 1) >> 2] ?? 1;
}

/** Marks what lies between distant neighbours, and before the first and after the last, as gaps. */
function markGaps(columns: LineColumns, filled: readonly number[]): void {
  const longest = usualDistance(filled) * GAP_DISTANCES;
  const blank = (from: number, to: number): void => {
    for (let index = from; index < to; index++) columns.avg[index] = columns.min[index] = columns.max[index] = null;
  };
  let before = -1;
  for (const at of filled) {
    if (before < 0 || at - before > longest) blank(before + 1, at);
    before = at;
  }
  blank(before + 1, columns.avg.length);
}

/** Reads slots as columns; a negative slot is outside of the ring. */
export function readSlots(cells: Cells | undefined, slots: readonly number[]): LineColumns {
  const columns: LineColumns = { avg: [], min: [], max: [] };
  const filled: number[] = [];
  slots.forEach((slot, index) => {
    const count = slot < 0 ? 0 : (cells?.count[slot] ?? 0);
    if (count > 0) filled.push(index);
    columns.avg.push(count > 0 ? (cells?.sum[slot] ?? 0) / count : undefined);
    columns.min.push(count > 0 ? cells?.min[slot] : undefined);
    columns.max.push(count > 0 ? cells?.max[slot] : undefined);
  });
  markGaps(columns, filled);
  return columns;
}
