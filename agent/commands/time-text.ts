const TEXT = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)? ?(Z|[+-]\d\d:?\d\d)?$/;

/** Milliseconds that an offset like +02:00 is ahead of UTC. */
function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -1 : 1) * minutes * 60_000;
}

/**
 * The time that a text names, in milliseconds since 1970: ISO 8601 with T or a space (UTC where no zone is given), or a number of
 * seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size. NaN for anything else.
 */
export function timeOf(text: string): number {
  const plain = text.trim();
  if (/^\d{1,19}(\.\d{1,9})?$/.test(plain)) {
    const n = Number(plain);
    return n < 1e11 ? n * 1000 : n < 1e14 ? n : n < 1e17 ? n / 1e3 : n / 1e6;
  }
  const found = TEXT.exec(plain);
  if (found === null) return NaN;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0));
  const at = Date.UTC(year!, month! - 1, day, hour, minute, second);
  const isReal = new Date(at).getUTCDate() === day && month! <= 12 && hour! < 24 && minute! < 60 && second! < 61;
  return isReal ? at + Number(`0.${found[7] ?? '0'}`) * 1000 - offsetMs(found[8]) : NaN;
}
