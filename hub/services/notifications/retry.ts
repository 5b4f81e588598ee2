const FIRST_MS = 10_000;
const LONGEST_MS = 1_800_000;

/** How long to wait after the nth failed try: twice as long each time up to half an hour, and a random part so that not all come at once. */
export function waitMs(attempts: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.max(0, attempts - 1));
  return whole / 2 + (whole / 2) * random;
}
