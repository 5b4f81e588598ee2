/** A line is cut at so many bytes, as the agent does. */
const MOST_BYTES = 256_000;
const NEWLINE = 10;
const RETURN = 13;

/** Takes parts of a text and hands on its lines, one after another. */
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
