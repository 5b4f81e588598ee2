import type { LiveResource, LiveSeries } from './live.ts';

/** The few numbers that say how a host is. Shares are 0 to 1; undefined when nothing is known. */
export interface Headline {
  cpu?: number;
  memory?: number;
  disk?: number;
  /** Mount point of the fullest file system. */
  fullest?: string;
  load?: number;
  receive?: number;
  transmit?: number;
}

/** How a host is, in one word and one sentence. */
export interface Verdict {
  state: 'healthy' | 'strained' | 'alerting' | 'silent' | 'new';
  sentence: string;
}

const fresh = (series: LiveSeries, newestMs: number): boolean =>
  Number.isFinite(series.value) && newestMs - series.timeMs < 60_000;

const isWholeCpu = ({ name, attributes }: LiveSeries): boolean =>
  name === 'system.cpu.busy' && attributes['cpu.logical_number'] === undefined;

/** Picks the headline numbers out of a host's newest values. */
export function headlineOf(live: LiveResource | undefined): Headline {
  const headline: Headline = {};
  for (const series of live?.series ?? []) {
    if (!fresh(series, live?.timeMs ?? 0)) continue;
    const { name, attributes, value } = series;
    if (isWholeCpu(series)) headline.cpu = value;
    else if (name === 'system.memory.utilization' && attributes['system.memory.state'] === 'used')
      headline.memory = value;
    else if (name === 'system.cpu.load_average.1m') headline.load = value;
    else if (name === 'system.filesystem.utilization' && value > (headline.disk ?? -1)) {
      headline.disk = value;
      headline.fullest = attributes['system.filesystem.mountpoint'];
    } else if (name === 'system.network.io') {
      const way = attributes['network.io.direction'] === 'receive' ? 'receive' : 'transmit';
      headline[way] = (headline[way] ?? 0) + value;
    }
  }
  return headline;
}

/** The same with the CPU of the last minute instead of the last second: a verdict does not flicker. */
export function strainOf(live: LiveResource | undefined): Headline {
  const headline = headlineOf(live);
  const busy = live?.series.find((series) => isWholeCpu(series) && fresh(series, live.timeMs));
  return { ...headline, cpu: busy?.calm };
}

function ago(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** A host that said nothing for this long is silent, milliseconds. */
const SILENT_MS = 60_000;

/**
 * Says how a host is, from its strain. `alerts` are the titles of what fires on it now, worst first; `unheardMs` is how long this hub has run
 * without hearing of it, undefined once it has.
 */
export function verdictOf(
  host: { strain: Headline; lastSeenMs: number | null; alerts: readonly string[]; unheardMs: number | undefined },
  nowMs: number,
): Verdict {
  const { strain, lastSeenMs, alerts, unheardMs } = host;
  if (lastSeenMs === null) return { state: 'new', sentence: 'Enrolled; nothing has arrived yet.' };
  const silentMs = nowMs - lastSeenMs;
  // While the hub was down it heard nobody: a host gets its time to come back.
  if (Math.min(silentMs, unheardMs ?? silentMs) > SILENT_MS)
    return { state: 'silent', sentence: `Silent for ${ago(silentMs)}.` };
  const [worst] = alerts;
  if (worst !== undefined)
    return {
      state: 'alerting',
      sentence: alerts.length > 1 ? `${worst}, and ${alerts.length - 1} more.` : `${worst}.`,
    };
  if (unheardMs !== undefined)
    return { state: 'new', sentence: `Not heard since the hub started; last seen ${ago(silentMs)} ago.` };
  const strains = [
    (strain.cpu ?? 0) > 0.9 ? `CPU ${percent(strain.cpu ?? 0)} busy over the last minute` : '',
    (strain.memory ?? 0) > 0.9 ? `memory ${percent(strain.memory ?? 0)} used` : '',
    (strain.disk ?? 0) > 0.9 ? `${strain.fullest ?? 'a disk'} ${percent(strain.disk ?? 0)} full` : '',
  ].filter((strain) => strain !== '');
  if (strains.length === 0) return { state: 'healthy', sentence: 'Healthy.' };
  const sentence = `${strains.join(', ')}.`;
  return { state: 'strained', sentence: sentence[0]?.toUpperCase() + sentence.slice(1) };
}
