import { reasonOf } from '#sdk';
import { problems } from '../errors.ts';

/** Longest row that is taken, in characters. */
const LONGEST_ROW = 1_000_000;
/** Most columns of a row. */
export const MOST_COLUMNS = 10_000;

/** One row with its line number; the fields are text without quotes. */
export interface CsvRow {
  line: number;
  fields: string[];
}

/** The fields of one line. A quoted field may hold commas and doubled quotes; it ends on its line. */
export function fieldsOf(text: string, line: number): string[] {
  if (!text.includes('"')) return text.split(',');
  const fields: string[] = [];
  let from = 0;
  while (from <= text.length) {
    if (text[from] !== '"') {
      const end = text.indexOf(',', from);
      fields.push(text.slice(from, end < 0 ? text.length : end));
      if (end < 0) return fields;
      from = end + 1;
      continue;
    }
    let end = text.indexOf('"', from + 1);
    while (end >= 0 && text[end + 1] === '"') end = text.indexOf('"', end + 2);
    if (end < 0 || (end + 1 < text.length && text[end + 1] !== ','))
      throw problems.badTable(`Line ${line} has a quote that does not end where its field ends.`);
    fields.push(text.slice(from + 1, end).replaceAll('""', '"'));
    if (end + 1 >= text.length) return fields;
    from = end + 2;
  }
  return fields;
}

/** The rows of a stream of text as they come; blank lines are left out. Holds one row at a time. */
export async function* csvRows(chunks: AsyncIterable<string | Buffer>, name: string): AsyncGenerator<CsvRow> {
  const decoder = new TextDecoder();
  let rest = '';
  let line = 0;
  const row = (text: string): CsvRow | undefined => {
    line += 1;
    if (text.includes('\0')) throw problems.badTable(`Line ${line} of ${name} holds a zero byte: this is no CSV file.`);
    const plain = text.endsWith('\r') ? text.slice(0, -1) : text;
    if (plain.trim() === '') return undefined;
    const fields = fieldsOf(plain, line);
    if (fields.length > MOST_COLUMNS)
      throw problems.badTable(`Line ${line} of ${name} has ${fields.length} columns; ${MOST_COLUMNS} are the most.`);
    return { line, fields };
  };
  try {
    for await (const chunk of chunks) {
      rest += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true });
      let from = 0;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
        const found = row(rest.slice(from, end));
        from = end + 1;
        if (found !== undefined) yield found;
      }
      rest = rest.slice(from);
      if (rest.length > LONGEST_ROW)
        throw problems.badTable(`Line ${line + 1} of ${name} is longer than ${LONGEST_ROW} characters.`);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string' && /^E[A-Z]+$/.test(error.code))
      throw problems.fileNotReadable(`${name} cannot be read (${reasonOf(error)}).`, { cause: error });
    throw error;
  }
  rest += decoder.decode();
  const last = row(rest);
  if (last !== undefined) yield last;
}
