/** Smaller ones are made anew: V8 does not mind them. */
const SMALL = 65_536;
/** Bytes that are kept for later use at most. */
const MOST_BYTES = 8_000_000;

/** Smallest first. */
const spare: Buffer[] = [];
let spareBytes = 0;

/**
 * Gives a buffer of at least so many bytes, perhaps one that was used before. Each megabyte of lines goes through four of
 * them: made anew each time, V8 collected garbage eighty times in 250 MB of lines, an eighth of what those cost.
 */
export function takeBuffer(least: number): Buffer {
  if (least < SMALL) return Buffer.allocUnsafe(least);
  const place = spare.findIndex(({ length }) => length >= least);
  const [found] = place === -1 ? [] : spare.splice(place, 1);
  if (found === undefined) return Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(least)));
  spareBytes -= found.length;
  return found;
}

/** Takes a buffer back that nobody looks at any more. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length < SMALL || spareBytes + buffer.length > MOST_BYTES) return;
  const place = spare.findIndex(({ length }) => length >= buffer.length);
  spare.splice(place === -1 ? spare.length : place, 0, buffer);
  spareBytes += buffer.length;
}
