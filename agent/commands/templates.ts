import { createReadStream, createWriteStream, fstatSync, openSync, statSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { reasonOf, systemClock } from '#sdk';
import { problems } from '../errors.ts';
import { createMiner, idOf, plainTextOf, textOfTemplate, type Template } from '../templates/index.ts';
import { csvRows, quoted } from './csv.ts';
import { createProgressLine } from './progress-line.ts';
import { splitLines } from './split-lines.ts';
import { createRows, type Row, type Rows } from './template-rows.ts';

/** What is asked of `templates`. */
export interface TemplatesOptions {
  /** A path, or `-` for the standard input. */
  file: string;
  /** The column of a CSV file that holds the lines; a log file has none. */
  column: string | undefined;
  out: string | undefined;
  plain: boolean;
  summary: boolean;
  json: boolean;
}

/** The streams that a command speaks through. */
export interface Streams {
  input: Readable;
  output: Writable;
  /** Where it is told how far it is; undefined where nobody sits there. */
  progress: Writable | undefined;
}

/** Of a first part that is not text. */
const NOT_TEXT =
  'holds bytes that no text has. If it is packed, unpack it first, as in: zcat FILE | outrider-agent templates -';

function source(file: string, input: Readable): { stream: Readable; size: number } {
  if (file === '-') return { stream: input, size: 0 };
  try {
    const stat = statSync(file);
    if (stat.isDirectory()) throw problems.fileNotReadable(`${file} is a folder`, { facts: { file } });
    const descriptor = openSync(file, 'r');
    return {
      stream: createReadStream(file, { fd: descriptor, highWaterMark: 1 << 20 }),
      size: fstatSync(descriptor).size,
    };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!('syscall' in (error as object))) throw error;
    throw problems.fileNotReadable(
      isMissing ? `there is no file ${file}` : `${file} cannot be read: ${reasonOf(error)}`,
      {
        facts: { file },
        cause: error,
      },
    );
  }
}

/** Where the answer goes. */
async function sink({ file, out }: TemplatesOptions, output: Writable): Promise<Writable> {
  if (out === undefined) return output;
  const same = (path: string): string => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.dev}:${stat.ino}`;
  };
  if (file !== '-' && same(out) !== '' && same(out) === same(file))
    throw problems.notWritten(`${out} is the file that is read; give another one to --out`, { facts: { file: out } });
  const stream = createWriteStream(out);
  try {
    await once(stream, 'open');
  } catch (error) {
    throw problems.notWritten(`${out} cannot be written: ${reasonOf(error)}`, { facts: { file: out }, cause: error });
  }
  return stream;
}

function* rowTexts(rows: Rows, json: boolean): Generator<string> {
  if (!json) yield 'LineId,EventId,EventTemplate\n';
  let line = 0;
  const write = ({ id, text }: Row): string =>
    json ? `${JSON.stringify({ line, id, template: text })}\n` : `${line},${id},${quoted(text)}\n`;
  for (const row of rows.each()) {
    line++;
    yield write(row);
  }
}

interface Found {
  id: string;
  template: string;
  lines: number;
  first: number;
  last: number;
  example: string;
}

/** Of what was forgotten only sums are known. */
interface Summary {
  lines: number;
  templates: Found[];
  forgotten: { templates: number; lines: number };
}

function summaryText({ lines, templates, forgotten }: Summary): string {
  const rows = templates.map((one) => {
    const example = one.example.length > 200 ? `${one.example.slice(0, 200)}…` : one.example;
    return `${String(one.lines).padStart(9)}  ${one.id}  ${one.template}\n${' '.repeat(25)}lines ${one.first} to ${one.last}, such as: ${example}\n`;
  });
  const rest =
    forgotten.templates === 0
      ? ''
      : `${forgotten.lines} lines of ${forgotten.templates} templates that were forgotten to make room are not listed\n`;
  return `${rows.join('')}${lines} lines, ${templates.length} templates\n${rest}`;
}

const exampleOf = ({ line }: Template): string => Buffer.from(line, 'latin1').toString('utf8');

async function writeAll(to: Writable, texts: Iterable<string>): Promise<void> {
  let waiting = '';
  for (const text of texts) {
    waiting += text;
    if (waiting.length < 65_536) continue;
    if (!to.write(waiting)) await once(to, 'drain');
    waiting = '';
  }
  await new Promise<void>((resolve, reject) => to.write(waiting, (error) => (error ? reject(error) : resolve())));
}

/** Finds the templates of a file's lines with the agent's own miner in one pass, and writes them. Throws Problems. */
export async function writeTemplates(options: TemplatesOptions, streams: Streams): Promise<void> {
  const { stream, size } = source(options.file, streams.input);
  const rows = createRows(options.plain);
  const forgotten = { templates: 0, lines: 0 };
  try {
    const miner = createMiner(undefined, {
      merged: (template) => rows.merged(template),
      forgotten(template) {
        forgotten.templates++;
        forgotten.lines += template.lines;
        rows.finished(template);
      },
    });
    let lines = 0;
    const take = (bytes: Buffer, from: number, to: number): void => {
      lines++;
      const { number } = miner.take(bytes, from, to);
      if (!options.summary) rows.add(number);
    };
    const progress = createProgressLine(streams.progress, systemClock);
    let bytes = 0;
    const parts = async function* () {
      for await (const part of stream as AsyncIterable<Buffer>) {
        if (bytes === 0 && part.includes(0)) throw problems.fileNotReadable(`${options.file} ${NOT_TEXT}`, { facts: { file: options.file } }); // prettier-ignore
        yield part;
        bytes += part.length;
        const share = size > 0 ? ` (${Math.min(100, Math.floor((bytes / size) * 100))} %)` : '';
        progress.tell(() => `${lines.toLocaleString('en')} lines, ${Math.round(bytes / 1e6)} MB${share}`);
      }
    };
    await eachLine(options, parts(), take);
    progress.end();
    miner.settle();
    const templates = miner.templates();
    const to = await sink(options, streams.output);
    if (options.summary) {
      const found = [...templates]
        .sort((a, b) => b.lines - a.lines || a.first - b.first)
        .map((one) => ({
          id: idOf(one),
          template: options.plain ? plainTextOf(one) : textOfTemplate(one),
          lines: one.lines,
          first: one.first,
          last: one.seen,
          example: exampleOf(one),
        }));
      const summary = { lines, templates: found, forgotten };
      await writeAll(to, [options.json ? `${JSON.stringify(summary, null, 2)}\n` : summaryText(summary)]);
    } else {
      templates.forEach((one) => rows.finished(one));
      await writeAll(to, rowTexts(rows, options.json));
    }
    if (to !== streams.output) await new Promise<void>((resolve) => to.end(resolve));
  } finally {
    rows.close();
    stream.destroy();
  }
}

type Take = (bytes: Buffer, from: number, to: number) => void;

/** Hands on the lines of a log file, or the values of a column, missing ones as empty lines. */
async function eachLine({ column, file }: TemplatesOptions, parts: AsyncIterable<Buffer>, take: Take): Promise<void> {
  if (column === undefined) {
    const splitter = splitLines(take);
    for await (const part of parts) splitter.push(part);
    splitter.end();
    return;
  }
  let at = -1;
  for await (const { fields } of csvRows(parts, file)) {
    if (at >= 0) {
      const bytes = Buffer.from(fields[at] ?? '');
      take(bytes, 0, bytes.length);
      continue;
    }
    at = fields.indexOf(column);
    if (at < 0)
      throw problems.noColumn(
        `${file} has no column ${column}; it has ${fields.slice(0, 30).join(', ')}. Name one of them with --column`,
        {
          facts: { column },
        },
      );
  }
}
