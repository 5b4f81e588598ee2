import type { LiveSeries } from '../../live/stream.ts';

/** The few numbers that say how a host is, as the hub's overview has them. Shares are 0 to 1, bytes a second. */
export interface Headline {
  cpu?: number;
  memory?: number;
  disk?: number;
  fullest?: string;
  load?: number;
  receive?: number;
  transmit?: number;
}

/** A value and when it was measured, milliseconds. */
export interface Newest {
  value: number;
  timeMs: number;
}

/** What was not measured for this long is gone, such as a disk that was taken out; milliseconds, as the hub has it. */
const FRESH_MS = 60_000;

/** Picks the headline numbers out of the newest values, which are known by the index of their series. */
export function headlineOf(
  series: readonly LiveSeries[],
  newest: ReadonlyMap<number, Newest>,
  nowMs: number,
): Headline {
  const headline: Headline = {};
  for (const { index, name, attributes } of series) {
    const { value, timeMs } = newest.get(index) ?? { value: 0, timeMs: -Infinity };
    if (nowMs - timeMs >= FRESH_MS) continue;
    if (name === 'system.cpu.busy' && attributes['cpu.logical_number'] === undefined) headline.cpu = value;
    else if (name === 'system.memory.utilization' && attributes['system.memory.state'] === 'used')
      headline.memory = value;
    else if (name === 'system.cpu.load_average.1m') headline.load = value;
    else if (name === 'system.filesystem.utilization' && value > (headline.disk ?? -1)) {
      headline.disk = value;
      headline.fullest = attributes['system.filesystem.mountpoint'] ?? '';
    } else if (name === 'system.network.io') {
      const way = attributes['network.io.direction'] === 'receive' ? 'receive' : 'transmit';
      headline[way] = (headline[way] ?? 0) + value;
    }
  }
  return headline;
}
