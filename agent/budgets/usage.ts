import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PressureUsage } from './pressure.ts';

/** V8 keeps what it once took until somebody asks: this gives the pages of dead objects back. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}

/** What this process uses. */
export function processUsage(spoolBytes: () => number): PressureUsage {
  return {
    cpuSeconds() {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    },
    rss: () => process.memoryUsage.rss(),
    spoolBytes,
    collectGarbage,
  };
}
