import { AGGREGATE_ATTRIBUTE } from '#proto/metrics.ts';

/** Series of one model: with its shadow it fits into one message of NATS. */
export const MOST_COLUMNS = 128;
/** Fewer do not go together with anything. */
export const FEWEST_COLUMNS = 4;
/** A series has to have a sample in this share of the times in which its host had any. */
const PRESENT = 0.8;

/** A series that a model may look at. */
export interface Column {
  name: string;
  kind: 'gauge' | 'counter';
  attributes: Record<string, string>;
}

/** What the agent says of itself is not the host's doing, and kinds of log lines come and go. */
export const mayBeFeature = ({ name, attributes }: Column): boolean =>
  !name.startsWith('outrider.') &&
  name.length <= 200 &&
  !(AGGREGATE_ATTRIBUTE in attributes) &&
  Object.entries(attributes).every(([key, value]) => key !== '' && key.length <= 200 && value.length <= 1000) &&
  Object.keys(attributes).length <= 32;

/** True when a column has samples nearly always and is not the same number all the time. `there`: rows in which the host had any sample. */
function isTelling(values: Float32Array, there: readonly number[]): boolean {
  let [count, least, greatest] = [0, Infinity, -Infinity];
  for (const row of there) {
    const value = values[row]!;
    if (!Number.isFinite(value)) continue;
    count += 1;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return count >= PRESENT * there.length && greatest - least > 1e-6 * Math.max(Math.abs(least), Math.abs(greatest));
}

/** Of a host's series those that a model looks at: present and moving, a machine's totals before their parts. `matrix` is column after column, of few rows. */
export function chooseColumns<One extends Column>(columns: readonly One[], matrix: Float32Array): One[] {
  if (columns.length === 0) return [];
  const rows = matrix.length / columns.length;
  const column = (n: number): Float32Array => matrix.subarray(n * rows, (n + 1) * rows);
  const there = Array.from({ length: rows }, (_, row) => row).filter((row) =>
    columns.some((_, n) => Number.isFinite(matrix[n * rows + row]!)),
  );
  const parts = ({ attributes }: Column): number => Object.keys(attributes).length;
  const wordOf = ({ name, attributes }: Column): string => name + JSON.stringify(attributes);
  return columns
    .filter((_, n) => there.length > 0 && isTelling(column(n), there))
    .sort((a, b) => parts(a) - parts(b) || (wordOf(a) < wordOf(b) ? -1 : 1))
    .slice(0, MOST_COLUMNS);
}
