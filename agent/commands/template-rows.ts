import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ID_LENGTH, idOf, plainTextOf, textOfTemplate, type Template } from '../templates/index.ts';

/** A template as it is told. */
export interface Row {
  id: string;
  text: string;
}

/** Rows that are held at once. */
const MOST_ROWS = 8192;
const CHUNK = 1 << 16;
const RECORD = 16;

/**
 * Keeps on the disk which line belongs to which template, and the templates that the miner has forgotten: what a template is called is known only
 * after the last line. Holds a bounded amount of memory. Everything it wrote is gone after `close`.
 */
export interface Rows {
  /** The next line belongs to the template of this number. */
  add(number: number): void;
  /** A template has become part of the one of this number. */
  merged(template: Template): void;
  /** A template gets no line again. */
  finished(template: Template): void;
  /** Every line in its order. */
  each(): Generator<Row>;
  close(): void;
}

/** A file that is appended to in large pieces, and read again from its beginning. */
function createPile(path: string) {
  const file = openSync(path, 'w+');
  const chunk = Buffer.alloc(CHUNK);
  let used = 0;
  let length = 0;
  const flush = (): void => {
    writeSync(file, chunk, 0, used, length - used);
    used = 0;
  };
  return {
    addNumber(number: number): void {
      if (used + 4 > CHUNK) flush();
      chunk.writeUInt32LE(number, used);
      used += 4;
      length += 4;
    },
    /** Answers where the text begins. */
    addText(text: Buffer): number {
      flush();
      writeSync(file, text, 0, text.length, length);
      length += text.length;
      return length - text.length;
    },
    flush,
    length: () => length,
    read(into: Buffer, at: number): number {
      return readSync(file, into, 0, into.length, at);
    },
    write(from: Buffer, at: number): void {
      writeSync(file, from, 0, from.length, at);
    },
    close: () => closeSync(file),
  };
}

export function createRows(isPlain: boolean): Rows {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-templates-'));
  const lines = createPile(join(folder, 'lines'));
  const texts = createPile(join(folder, 'texts'));
  // A record for each number: 1 and the length and place of its text, or 2 and the number that it has become part of.
  const index = createPile(join(folder, 'index'));
  const record = Buffer.alloc(RECORD);
  const known = new Map<number, Row>();

  function rowOf(number: number): Row {
    const found = known.get(number);
    if (found !== undefined) return found;
    let at = number;
    for (;;) {
      record.fill(0);
      index.read(record, at * RECORD);
      if (record.readUInt32LE(0) !== 2) break;
      at = record.readUInt32LE(4);
    }
    const text = Buffer.alloc(record.readUInt32LE(4));
    texts.read(text, Number(record.readBigUInt64LE(8)));
    const row = { id: text.toString('utf8', 0, ID_LENGTH), text: text.toString('utf8', ID_LENGTH) };
    if (known.size >= MOST_ROWS) known.clear();
    known.set(number, row);
    return row;
  }

  return {
    add: (number) => lines.addNumber(number),
    merged({ number, into }) {
      record.fill(0);
      record.writeUInt32LE(2, 0);
      record.writeUInt32LE(into?.number ?? 0, 4);
      index.write(record, number * RECORD);
    },
    finished(template) {
      const text = Buffer.from(idOf(template) + (isPlain ? plainTextOf(template) : textOfTemplate(template)));
      record.writeUInt32LE(1, 0);
      record.writeUInt32LE(text.length, 4);
      record.writeBigUInt64LE(BigInt(texts.addText(text)), 8);
      index.write(record, template.number * RECORD);
    },
    *each() {
      lines.flush();
      const chunk = Buffer.alloc(CHUNK);
      for (let at = 0; at < lines.length();) {
        const read = lines.read(chunk, at);
        for (let of = 0; of < read; of += 4) yield rowOf(chunk.readUInt32LE(of));
        at += read;
      }
    },
    close() {
      for (const pile of [lines, texts, index]) pile.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
