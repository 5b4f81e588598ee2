import { isUtf8 } from 'node:buffer';
import { toUtf8, type TextEncoding } from '../encodings.ts';
import { EVENT_BYTES } from '../joining.ts';
import { createReadLine, type StreamName, type WrappedLine, type Wrapping } from './line.ts';

/** A line of a stream, joined of its parts. */
export interface JoinedLine {
  /** Where it begins in the stream's text. */
  from: number;
  /** Where its first part begins in the piece, and where the last one ends. */
  rawStart: number;
  rawEnd: number;
  /** Lines of the file that it is made of, and their bytes. */
  count: number;
  size: number;
  timeMs: number | undefined;
  /** It is longer; what follows is a line of its own. */
  cut: boolean;
}

/** What a piece holds of one stream. */
export interface StreamText {
  /** Its lines, each with a newline; a last one whose parts are not all there has none. */
  text: Buffer;
  lines: JoinedLine[];
  /** That line. */
  open: JoinedLine | undefined;
}

const NEWLINE = 10;
const END_OF_LINE = Buffer.from('\n');

function createStream() {
  const parts: Buffer[] = [];
  const lines: JoinedLine[] = [];
  let length = 0;
  let open: JoinedLine | undefined;
  const close = (cut: boolean): void => {
    if (open === undefined) return;
    open.cut ||= cut;
    lines.push(open);
    parts.push(END_OF_LINE);
    length += 1;
    open = undefined;
  };
  return {
    add({ text, timeMs, isPartial }: WrappedLine, rawStart: number, rawEnd: number): void {
      if (open !== undefined && length - open.from + text.length > EVENT_BYTES) close(true);
      open ??= { from: length, rawStart, rawEnd, count: 0, size: 0, timeMs, cut: false };
      open.rawEnd = rawEnd;
      open.count += 1;
      open.size += rawEnd - rawStart;
      parts.push(text);
      length += text.length;
      if (!isPartial) close(false);
    },
    /** `isEnd`: also a line whose parts are not all there is whole; `isCut`: the last line of the file was cut. */
    finish(isEnd: boolean, isCut: boolean): StreamText {
      if (isEnd) close(false);
      const last = lines.at(-1);
      if (isCut && last !== undefined) last.cut = true;
      return { text: Buffer.concat(parts), lines, open };
    },
  };
}

/** How a piece is unwrapped. */
export interface UnwrapOptions {
  wrapping: Wrapping;
  encoding: TextEncoding;
  isEnd: boolean;
  isCut: boolean;
}

/** Unwraps the lines of a piece and joins those that were written in parts, each stream by itself. */
export function unwrap(
  piece: Buffer,
  { wrapping, encoding, isEnd, isCut }: UnwrapOptions,
): Map<StreamName, StreamText> {
  const streams = new Map<StreamName, ReturnType<typeof createStream>>();
  const isText = encoding !== 'latin1' && isUtf8(piece);
  const read = createReadLine(wrapping, isText ? (text) => text : (text) => toUtf8(text, encoding));
  for (let start = 0; start < piece.length;) {
    const newline = piece.indexOf(NEWLINE, start);
    const end = newline === -1 ? piece.length : newline;
    const next = newline === -1 ? end : newline + 1;
    const line = read(piece, start, end);
    const stream = streams.get(line.stream) ?? createStream();
    streams.set(line.stream, stream);
    stream.add(line, start, next);
    start = next;
  }
  return new Map([...streams].map(([name, stream]) => [name, stream.finish(isEnd, isCut)]));
}
