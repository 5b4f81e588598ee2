import { Type } from 'typebox';
import { Value } from 'typebox/value';

/** How a container's lines are wrapped; `auto` looks at each. */
export type Wrapping = 'auto' | 'docker' | 'cri';

/** Where a container wrote a line to; `other`: the line is not wrapped at all. */
export type StreamName = 'stdout' | 'stderr' | 'other';

/** One line of a container's log file. */
export interface WrappedLine {
  stream: StreamName;
  text: Buffer;
  /** When the runtime took it, milliseconds since 1970; undefined when it does not say so. */
  timeMs: number | undefined;
  /** The next line of its stream goes on with it. */
  isPartial: boolean;
}

/** A line of Docker's json-file driver; other fields are left out. */
const DockerLine = Type.Object({
  log: Type.String(),
  stream: Type.Optional(Type.String()),
  time: Type.Optional(Type.String()),
});

const BRACE = 123;
const SPACE = 32;
const PARTIAL = 80;
/** `2026-01-31T12:00:00.123456789+02:00` is the longest. */
const TIME_BYTES = 40;

function timeOf(text: string): number | undefined {
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function readDocker(line: string): WrappedLine | undefined {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return undefined; // Half a line, or none of Docker's.
  }
  if (!Value.Check(DockerLine, found)) return undefined;
  const { log, stream, time } = found;
  const isPartial = !log.endsWith('\n');
  return {
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    text: Buffer.from(isPartial ? log : log.slice(0, -1)),
    timeMs: time === undefined ? undefined : timeOf(time),
    isPartial,
  };
}

/** `2026-01-31T12:00:00.123456789Z stdout F text`; the third word may carry more tags after a colon. */
function readCri(bytes: Buffer, start: number, end: number): WrappedLine | undefined {
  const afterTime = bytes.indexOf(SPACE, start);
  if (afterTime === -1 || afterTime > Math.min(end, start + TIME_BYTES)) return undefined;
  const afterStream = afterTime + 7;
  const stream = bytes.toString('latin1', afterTime + 1, Math.min(end, afterStream));
  if ((stream !== 'stdout' && stream !== 'stderr') || bytes[afterStream] !== SPACE) return undefined;
  const space = bytes.indexOf(SPACE, afterStream + 1);
  const afterTag = space === -1 || space > end ? end : space;
  const tag = bytes.toString('latin1', afterStream + 1, afterTag);
  const timeMs = timeOf(bytes.toString('latin1', start, afterTime));
  if (!/^[FP](?::|$)/.test(tag) || timeMs === undefined) return undefined;
  const text = bytes.subarray(Math.min(end, afterTag + 1), end);
  return { stream, text, timeMs, isPartial: tag.charCodeAt(0) === PARTIAL };
}

/** Reads the line that lies in `bytes` from `start` to `end`, without its newline. */
export type ReadLine = (bytes: Buffer, start: number, end: number) => WrappedLine;

/** Makes what unwraps lines; `decode` makes UTF-8 of their text. What is not wrapped is the line itself: nothing is left out. */
export function createReadLine(wrapping: Wrapping, decode: (text: Buffer) => Buffer): ReadLine {
  return (bytes, start, end) => {
    const isDocker = wrapping === 'docker' || (wrapping === 'auto' && bytes[start] === BRACE);
    const docker = isDocker ? readDocker(bytes.toString('utf8', start, end)) : undefined;
    if (docker !== undefined) return docker; // JSON is UTF-8.
    const { text, ...rest } = (isDocker ? undefined : readCri(bytes, start, end)) ?? {
      ...{ stream: 'other', text: bytes.subarray(start, end), timeMs: undefined, isPartial: false },
    };
    return { ...rest, text: decode(text) } as WrappedLine;
  };
}
