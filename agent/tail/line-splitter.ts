import type { TailedLine } from '../pipeline/pipeline.ts';

/** A longer line is cut here and flagged, bytes. */
export const LINE_LIMIT = 262_144;

const NEWLINE = 10;
const RETURN = 13;

/** Splits the bytes of a file into lines. Bytes of an unfinished line wait for the rest. */
export interface LineSplitter {
  /** Takes the next bytes; gives the lines that they complete. */
  push(bytes: Buffer): TailedLine[];
  /** Bytes taken that belong to no complete line yet: a checkpoint must lie before them. */
  pending(): number;
  reset(): void;
}

function lineOf(bytes: Buffer, truncated: boolean): TailedLine {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === RETURN ? bytes.length - 1 : bytes.length;
  // Bytes that are no UTF-8 become the replacement character.
  return { text: bytes.toString('utf8', 0, end), truncated };
}

/** Makes a splitter. A line that is too long costs its first 256 kB of memory, whatever its length. */
export function createLineSplitter(): LineSplitter {
  let parts: Buffer[] = [];
  let kept = 0;
  let pending = 0;
  const keep = (bytes: Buffer): void => {
    pending += bytes.length;
    const room = LINE_LIMIT - kept;
    if (room <= 0 || bytes.length === 0) return;
    // The reader uses its buffer again.
    const part = Buffer.from(bytes.subarray(0, room));
    parts.push(part);
    kept += part.length;
  };
  const finish = (rest: Buffer): TailedLine => {
    if (pending === 0 && rest.length <= LINE_LIMIT) return lineOf(rest, false);
    const truncated = pending + rest.length > LINE_LIMIT + 1;
    keep(rest);
    const whole = Buffer.concat(parts);
    parts = [];
    kept = 0;
    pending = 0;
    return lineOf(whole, truncated);
  };
  return {
    push(bytes) {
      const lines: TailedLine[] = [];
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE, start); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        lines.push(finish(bytes.subarray(start, end)));
        start = end + 1;
      }
      if (start < bytes.length) keep(bytes.subarray(start));
      return lines;
    },
    pending: () => pending,
    reset() {
      parts = [];
      kept = 0;
      pending = 0;
    },
  };
}
