/** Turns a time on the wall, as if it were UTC, into milliseconds since 1970. */
export type Zone = (wallMs: number) => number;

/** Offsets change on the quarter hour at the finest. */
const BLOCK_MS = 900_000;

/** True for the name of a time zone that this machine knows. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false; // Not in the table of zones.
  }
}

/** How far a named zone is ahead of UTC at a moment, milliseconds. */
function offsetIn(format: Intl.DateTimeFormat, atMs: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) part[type] = Number(value);
  const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(atMs / 1000) * 1000;
}

/** Makes the zone of a name, or the host's own. Looking an offset up costs microseconds: it is kept for a quarter of an hour of lines. */
export function createZone(name?: string): Zone {
  const format =
    name === undefined
      ? undefined
      : new Intl.DateTimeFormat('en-US', {
          timeZone: name,
          hourCycle: 'h23',
          year: 'numeric',
          month: 'numeric',
          day: 'numeric',
          hour: 'numeric',
          minute: 'numeric',
          second: 'numeric',
        });
  const offsetAt = (atMs: number): number =>
    format === undefined ? -60_000 * new Date(atMs).getTimezoneOffset() : offsetIn(format, atMs);
  let block = NaN;
  let offset = 0;
  return (wallMs) => {
    const wanted = Math.floor(wallMs / BLOCK_MS);
    if (wanted !== block && Number.isFinite(wallMs)) {
      block = wanted;
      // The first guess may lie on the other side of a change.
      offset = offsetAt(wallMs - offsetAt(wallMs));
    }
    return wallMs - offset;
  };
}
