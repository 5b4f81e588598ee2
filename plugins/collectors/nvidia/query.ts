/** What nvidia-smi is asked for, in the order in which it answers. The name comes last, because only it may hold a comma. */
const FIELDS = [
  'uuid',
  'utilization.gpu',
  'utilization.encoder',
  'utilization.decoder',
  'memory.used',
  'memory.total',
  'temperature.gpu',
  'power.draw',
  'power.limit',
  'fan.speed',
  'clocks.gr',
  'clocks.mem',
  'ecc.errors.corrected.volatile.total',
  'ecc.errors.uncorrected.volatile.total',
  'name',
] as const;

type Field = (typeof FIELDS)[number];

/** The argument that asks for the fields. */
export const QUERY = `--query-gpu=${FIELDS.join(',')}`;

/** One GPU; a number that it does not tell is `undefined`. Shares are percents, memory is in MiB, clocks are in MHz. */
export interface Gpu {
  uuid: string;
  name: string;
  value(field: Exclude<Field, 'uuid' | 'name'>): number | undefined;
}

/** Reads a number; `[N/A]`, `[Not Supported]` and the like are none. */
function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}

function parseLine(line: string): Gpu | undefined {
  const cells = line.split(',').map((cell) => cell.trim());
  const uuid = cells[0] ?? '';
  if (cells.length < FIELDS.length || !uuid.startsWith('GPU-')) return undefined;
  return {
    uuid,
    name: cells.slice(FIELDS.length - 1).join(', '),
    value: (field) => numberIn(cells[FIELDS.indexOf(field)]),
  };
}

/** Reads the answer to `QUERY` in the format `csv,noheader,nounits`: a line for each GPU. */
export function parseGpus(text: string): Gpu[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}
