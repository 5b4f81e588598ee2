import type { Writable } from 'node:stream';
import type { Clock } from '#sdk';

/** Nothing is said of what takes less, milliseconds. */
const PATIENCE_MS = 2000;
const EACH_MS = 500;

/** A line on the terminal that says how far it is. */
export interface ProgressLine {
  /** Says so, where it is time; `words` is asked then. */
  tell(words: (seconds: number) => string): void;
  /** Takes the line away. */
  end(): void;
}

/** Makes a line that is written anew twice a second, from two seconds on; nothing is written where nobody sits there. */
export function createProgressLine(to: Writable | undefined, clock: Clock): ProgressLine {
  const from = clock.monotonic();
  let told = from + PATIENCE_MS - EACH_MS;
  let isTold = false;
  return {
    tell(words) {
      const now = clock.monotonic();
      if (to === undefined || now - told < EACH_MS) return;
      told = now;
      isTold = true;
      to.write(`\r${words((now - from) / 1000)} `);
    },
    end() {
      if (isTold) to?.write('\r\u001b[K');
      isTold = false;
    },
  };
}
