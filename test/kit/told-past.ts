import type { ToldHost } from './told-host.ts';

const WINDOW = 10_000;
const AT_ONCE = 540;
/** Nine hours of rows; a model takes four. */
export const PAST_ROWS = 3240;
/** What a host with such a past is told to have. */
export const PAST_SERIES = ['user', 'system', 'iowait', 'nice', 'steal'].map((mode) => ({
  ...{ name: 'system.cpu.utilization', attributes: { 'cpu.mode': mode } },
}));

/** Numbers from 0 to 1, the same each time (xorshift). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Tells of hours in which all modes went up and down together; `wild`: so many rows at the end in which they did not. */
export async function tellPast(host: ToldHost, wild = 0): Promise<void> {
  const random = createRandom(5);
  let load = 0;
  const row = (isWild: boolean): number[] => {
    load = 0.9 * load + 0.2 * (random() - 0.5);
    return PAST_SERIES.map((_, n) => (isWild ? 100 * random() : 0.5 + ((n + 1) * load) / 10 + (random() - 0.5) / 100));
  };
  const now = Math.floor(Date.now() / WINDOW) * WINDOW;
  const rows = Array.from({ length: PAST_ROWS }, (_, n) => ({
    timeMs: now - (PAST_ROWS - n) * WINDOW,
    values: row(n >= PAST_ROWS - wild),
  }));
  for (let at = 0; at < PAST_ROWS; at += AT_ONCE) {
    const some = rows.slice(at, at + AT_ONCE);
    const last = some.at(-1)!;
    await host.tell(last.timeMs, last.values, { before: some.slice(0, -1) });
  }
}
