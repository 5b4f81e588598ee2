import { Readable } from 'node:stream';
import { CsvError, parse, type Info } from 'csv-parse';
import { reasonOf } from '#sdk';
import { problems } from '../errors.ts';

/** Longest row that is taken, in characters. */
const LONGEST_ROW = 1_000_000;
/** Most columns of a row. */
const MOST_COLUMNS = 10_000;

/** One row with the number of the line that it ends on; the fields are text without quotes. */
export interface CsvRow {
  line: number;
  fields: string[];
}

/** How it is read: RFC 4180, and what is met beside it: rows of different length, blank lines, quotes within a field, a byte order mark. */
const OPTIONS = {
  bom: true,
  record_delimiter: ['\r\n', '\n'],
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
  max_record_size: LONGEST_ROW,
  info: true,
};

function faultOf(error: unknown, name: string): unknown {
  if (error instanceof CsvError) {
    const { code, lines } = error as CsvError & { lines?: number };
    const where = `Line ${lines ?? 1} of ${name}`;
    if (code === 'CSV_MAX_RECORD_SIZE') return problems.badTable(`${where} is longer than ${LONGEST_ROW} characters.`);
    if (code === 'CSV_QUOTE_NOT_CLOSED') return problems.badTable(`${where} has a quote that does not end.`);
    return problems.badTable(`${where} cannot be read: ${error.message}`, { cause: error });
  }
  if (error instanceof Error && 'syscall' in error)
    return problems.fileNotReadable(`${name} cannot be read (${reasonOf(error)}).`, { cause: error });
  return error;
}

/** The rows of a stream of text as they come; blank lines are left out. Holds a few rows at a time. Throws `agent.bad-table` and `agent.file-not-readable`. */
export async function* csvRows(chunks: AsyncIterable<string | Buffer>, name: string): AsyncGenerator<CsvRow> {
  const source = Readable.from(chunks);
  const parser = parse(OPTIONS);
  source.once('error', (error) => parser.destroy(error)).pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: Info }>) {
      if (record.length > MOST_COLUMNS)
        throw problems.badTable(`Line ${info.lines} of ${name} has ${record.length} columns; ${MOST_COLUMNS} are the most.`); // prettier-ignore
      yield { line: info.lines, fields: record };
    }
  } catch (error) {
    throw faultOf(error, name);
  } finally {
    source.destroy();
  }
}

/** True for a line that holds blanks alone: in a table of numbers it is none. */
export const isBlank = ({ fields }: CsvRow): boolean => fields.length === 1 && fields[0]!.trim() === '';

/** A text as a field of CSV. */
export const quoted = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
