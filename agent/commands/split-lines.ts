/** A line is cut at so many bytes, as the agent does. */
const MOST_BYTES = 256_000;
const NEWLINE = 10;
const RETURN = 13;

/** Takes parts of a text and hands on its records, one after another. */
export interface Splitter {
  push(part: Buffer): void;
  /** Hands on what no end of a line follows. */
  end(): void;
}

/** Hands on whole lines without their ends: bytes from `from` to `to`. */
export function splitLines(take: (bytes: Buffer, from: number, to: number) => void): Splitter {
  let held = Buffer.alloc(0);
  const line = (bytes: Buffer, from: number, to: number): void => {
    const end = to > from && bytes[to - 1] === RETURN ? to - 1 : to;
    take(bytes, from, Math.min(end, from + MOST_BYTES));
  };
  return {
    push(part) {
      let from = 0;
      for (let at = part.indexOf(NEWLINE); at >= 0; at = part.indexOf(NEWLINE, from)) {
        if (held.length > 0) {
          const whole = Buffer.concat([held, part.subarray(from, at)]);
          held = Buffer.alloc(0);
          line(whole, 0, whole.length);
        } else line(part, from, at);
        from = at + 1;
      }
      if (from < part.length && held.length <= MOST_BYTES)
        held = Buffer.concat([held, part.subarray(from, from + MOST_BYTES + 1)]);
    },
    end() {
      if (held.length > 0) line(held, 0, held.length);
      held = Buffer.alloc(0);
    },
  };
}

const QUOTE = 34;
const COMMA = 44;

/**
 * Hands on one column of a CSV file (RFC 4180, with a row of names first), a value for each row; missing is empty. `named` is told the names once and
 * answers which of them it is; it may throw.
 */
export function splitColumn(
  named: (names: readonly string[]) => number,
  take: (bytes: Buffer, from: number, to: number) => void,
): Splitter {
  const value = Buffer.allocUnsafe(MOST_BYTES);
  let wanted = -1;
  let names: string[] = [];
  let length = 0;
  let kept = 0;
  let column = 0;
  let isQuoted = false;
  let afterQuote = false;
  let isEmpty = true;
  const endField = (): void => {
    if (wanted < 0) names.push(value.toString('utf8', 0, length));
    else if (column === wanted) kept = length;
    column++;
    isQuoted = false;
    afterQuote = false;
  };
  const endRow = (): void => {
    if (isEmpty) return;
    endField();
    if (wanted < 0) {
      if (names[0]?.startsWith('\ufeff') === true) names[0] = names[0].slice(1);
      wanted = named(names);
      names = [];
    } else take(value, 0, kept);
    column = 0;
    kept = 0;
    length = 0;
    isEmpty = true;
  };
  const put = (byte: number): void => {
    isEmpty = false;
    if ((wanted < 0 || column === wanted) && length < MOST_BYTES) value[length++] = byte;
  };
  return {
    push(part) {
      for (const byte of part) {
        if (isQuoted && !afterQuote) {
          if (byte === QUOTE) afterQuote = true;
          else put(byte);
        } else if (byte === QUOTE && (afterQuote || !isQuoted)) {
          if (afterQuote) put(byte);
          else isQuoted = true;
          afterQuote = false;
          isEmpty = false;
        } else if (byte === COMMA) {
          isEmpty = false;
          endField();
          if (wanted < 0 || column === wanted) length = 0;
        } else if (byte === NEWLINE) endRow();
        else if (byte !== RETURN) put(byte);
      }
    },
    end: endRow,
  };
}
