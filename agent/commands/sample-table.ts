import { problems } from '../errors.ts';
import type { CsvRow } from './csv.ts';
import { timeOf } from './time-text.ts';

/** Texts that say that there is no value. */
const MISSING = /^(|nan|na|n\/a|null|none|-?inf|-?infinity)$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,4})?$/i;

/** The number of a field; NaN where it says that there is none. */
export function valueOf(text: string, row: CsvRow, column: string): number {
  const plain = text.trim();
  if (NUMBER.test(plain)) return Number(plain);
  if (MISSING.test(plain)) return NaN;
  throw problems.badTable(`Line ${row.line}, column ${column}: ${JSON.stringify(plain.slice(0, 40))} is no number.`);
}

/** Refuses a row that has not as many fields as the first one. */
export function demandWidth({ fields, line }: CsvRow, width: number, name: string): void {
  if (fields.length === width) return;
  if (fields.some((field) => field.includes('\0')))
    throw problems.badTable(`Line ${line} of ${name} holds a zero byte: this is no CSV file.`);
  throw problems.badTable(`Line ${line} of ${name} has ${fields.length} fields, not ${width}.`);
}

/** The time of a row, as it was given and in milliseconds since 1970. */
export function timeIn({ fields, line }: CsvRow): { timestamp: string; timeMs: number } {
  const timestamp = fields[0]!.trim();
  const timeMs = timeOf(timestamp);
  if (Number.isNaN(timeMs))
    throw problems.badTable(
      `Line ${line}: ${JSON.stringify(timestamp.slice(0, 40))} is no time. Write 2026-05-01T12:00:00Z, or seconds since 1970.`,
    );
  return { timestamp, timeMs };
}

/** Names of the columns: those of the header, else the ones that a file without a header is taken to have. */
export function namesOf({ fields }: CsvRow): { names: string[]; isHeader: boolean } {
  const isHeader = Number.isNaN(timeOf(fields[0] ?? ''));
  if (isHeader) return { names: fields.map((name) => name.trim()), isHeader };
  return { names: fields.map((_, n) => (n === 0 ? 'timestamp' : n === 1 ? 'value' : `value_${n}`)), isHeader };
}

/** Watches that time goes on, and says at the end where it did not: what comes too late is judged as if it came at the time of the row before it. */
export function createOrder(name: string, note: ((text: string) => void) | undefined) {
  let [latest, back, first] = [-Infinity, 0, 0];
  return {
    look(timeMs: number, line: number): void {
      if (timeMs < latest && back++ === 0) first = line;
      latest = Math.max(latest, timeMs);
    },
    tell(): void {
      if (back > 0) note?.(`${name}: ${back} rows go back in time, the first on line ${first}; sort it by time to have them judged where they belong\n`); // prettier-ignore
    },
  };
}

/** Refuses columns that cannot be told apart. */
export function demandNames(names: readonly string[], name: string): void {
  const twice = names.find((one, n) => names.indexOf(one) !== n);
  if (twice !== undefined) throw problems.badTable(`${name} has two columns ${JSON.stringify(twice)}.`);
}

export const short = (n: number): string => String(Number(n.toPrecision(6)));
