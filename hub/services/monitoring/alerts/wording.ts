import { duration, quantity } from './quantity.ts';
import type { BuiltIn } from './rule.ts';
import type { Operator } from './state.ts';

/** Why a firing ended. */
export type Outcome = 'recovered' | 'gone' | 'rule-changed' | 'resource-removed';

/** What is known of a firing when a person is told. */
export interface Told {
  state: 'firing' | 'resolved';
  builtIn: BuiltIn | null;
  ruleName: string;
  resourceName: string;
  metric: string;
  attributes: Readonly<Record<string, string>>;
  operator: Operator;
  threshold: number;
  unit: string;
  /** The newest value when it fired or was resolved. */
  value: number;
  /** The worst value so far. */
  peak: number;
  /** When values began to be bad, when a person was to be told, and when it ended. Milliseconds since 1970. */
  startedMs: number;
  firedMs: number;
  resolvedMs: number | undefined;
  outcome: Outcome | undefined;
}

type Attributes = Told['attributes'];

const CALLED: Readonly<Record<string, (attributes: Attributes) => string>> = {
  'system.cpu.busy': (a) => ('cpu.logical_number' in a ? `CPU core ${a['cpu.logical_number']}` : 'CPU use'),
  'system.cpu.utilization': (a) => `CPU time in ${a['cpu.mode'] ?? 'a mode'}`,
  'system.cpu.load_average.1m': () => 'Load over 1 min',
  'system.cpu.load_average.5m': () => 'Load over 5 min',
  'system.cpu.load_average.15m': () => 'Load over 15 min',
  'system.linux.memory.available': () => 'Available memory',
  'system.memory.usage': (a) => `Memory ${a['system.memory.state'] ?? ''}`.trim(),
  'system.memory.utilization': (a) => `Memory ${a['system.memory.state'] ?? ''}`.trim(),
  'system.paging.utilization': (a) => `Swap ${a['system.paging.state'] ?? ''}`.trim(),
  'system.linux.pressure.utilization': (a) => `Pressure on ${a['system.linux.pressure.resource'] ?? 'a resource'}`,
  'system.disk.utilization': (a) => `Disk ${a['system.device'] ?? ''} use`.replace('  ', ' '),
  'system.filesystem.utilization': (a) => `Disk ${a['system.filesystem.mountpoint'] ?? ''}`.trim(),
  'system.filesystem.inode.utilization': (a) => `Inode use of ${a['system.filesystem.mountpoint'] ?? 'a disk'}`,
  'system.network.io': (a) => `Network ${a['network.interface.name'] ?? ''} ${a['network.io.direction'] ?? ''}`.trim(),
};

/** What a series is called in a sentence. */
function called(metric: string, attributes: Attributes): string {
  const known = CALLED[metric];
  if (known !== undefined) return known(attributes);
  const parts = Object.entries(attributes).map(([key, value]) => `${key}=${value}`);
  return parts.length === 0 ? metric : `${metric} (${parts.join(', ')})`;
}

const WORDS: Readonly<Record<Operator, string>> = { gt: 'above', gte: 'at or above', lt: 'below', lte: 'at or below' };

/** How long something went on: nobody wants to read fractions of a second. */
const lasting = (ms: number): string => duration(Math.max(1, Math.round(ms / 1000)));

/** Firing and resolved titles of the rules that everyone has. */
const BUILT_IN: Readonly<Record<BuiltIn, (told: Told, value: string) => [firing: string, resolved: string]>> = {
  'host-silent': ({ resourceName, startedMs, resolvedMs, firedMs }, value) => [
    `${resourceName} has been silent for ${value}`,
    `${resourceName} reports again after ${lasting((resolvedMs ?? firedMs) - startedMs)}`,
  ],
  'disk-full': ({ resourceName, attributes }, value) => {
    const disk = `Disk ${attributes['system.filesystem.mountpoint'] ?? '?'} on ${resourceName}`;
    return [`${disk} is ${value} full`, `${disk} is back to ${value} full`];
  },
  'disk-filling': ({ resourceName, attributes }, value) => {
    const disk = `Disk ${attributes['system.filesystem.mountpoint'] ?? '?'} on ${resourceName}`;
    return [`${disk} will be full in ${value}`, `${disk} no longer fills up`];
  },
  'memory-exhausted': ({ resourceName, unit }, value) =>
    unit === '1'
      ? [
          `Memory of ${resourceName} is exhausted: ${value} left`,
          `Memory of ${resourceName} has room again: ${value} left`,
        ]
      : [`${resourceName} swaps ${value} in and out at once`, `${resourceName} no longer swaps heavily`],
  'collector-failing': ({ resourceName, attributes }) => {
    const collector = `Collector ${attributes['outrider.collector'] ?? '?'} on ${resourceName}`;
    return [`${collector} fails`, `${collector} works again`];
  },
  'clock-skew': ({ resourceName }, value) => [
    `Clock of ${resourceName} is ${value} off`,
    `Clock of ${resourceName} is right again`,
  ],
  'lines-lost': ({ resourceName }, value) => [
    `${resourceName} loses log lines: ${value}`,
    `${resourceName} loses no log lines any more`,
  ],
  'settings-faulty': ({ resourceName }, value) => [
    `The agent’s settings file on ${resourceName} is not in force: ${value}`,
    `The agent’s settings file on ${resourceName} is in force again`,
  ],
  'host-anomaly': ({ resourceName }) => [
    `${resourceName} behaves unlike its past`,
    `${resourceName} behaves as ever again`,
  ],
};

const SUBJECTS: Readonly<Record<BuiltIn, (told: Told) => string>> = {
  'host-silent': ({ resourceName }) => `Silence of ${resourceName}`,
  'disk-full': ({ resourceName, attributes }) =>
    `Disk ${attributes['system.filesystem.mountpoint'] ?? '?'} on ${resourceName}`,
  'disk-filling': ({ resourceName, attributes }) =>
    `Disk ${attributes['system.filesystem.mountpoint'] ?? '?'} on ${resourceName} filling up`,
  'memory-exhausted': ({ resourceName, unit }) => `${unit === '1' ? 'Memory' : 'Swapping'} of ${resourceName}`,
  'collector-failing': ({ resourceName, attributes }) =>
    `Collector ${attributes['outrider.collector'] ?? '?'} on ${resourceName}`,
  'clock-skew': ({ resourceName }) => `Clock of ${resourceName}`,
  'lines-lost': ({ resourceName }) => `Log lines of ${resourceName}`,
  'settings-faulty': ({ resourceName }) => `Settings of the agent on ${resourceName}`,
  'host-anomaly': ({ resourceName }) => `Behaviour of ${resourceName}`,
};

/** What to look at first, for a person who was woken. */
const ADVICE: Readonly<Record<BuiltIn, string>> = {
  'host-silent': 'The machine, its network or its agent is down.',
  'disk-full': 'Free space or grow the file system before programs fail to write.',
  'disk-filling': 'It grew steadily over the last hour; find what writes, or make room.',
  'memory-exhausted': 'The kernel may soon end programs; the largest ones are on the host’s page.',
  'collector-failing': 'Its values are missing until it works again; the reason is in the agent’s own log.',
  'clock-skew': 'Times of its values and lines cannot be trusted; look at its time synchronisation.',
  'lines-lost': 'The host’s page says under Delivery which lines of which file, and why.',
  'settings-faulty':
    'It goes on with what it read before. On that machine, outrider-agent check-config names each fault.',
  'host-anomaly':
    'The event on the host’s page names the metrics that differ most, and what was done to the host at the time.',
};

type Closed = Exclude<Outcome, 'recovered'>;

const REASONS: Readonly<Record<Closed, string>> = {
  gone: 'it is no longer reported',
  'rule-changed': 'the rule was switched off or changed',
  'resource-removed': 'the host was removed',
};

const ENDINGS: Readonly<Record<Closed, string>> = {
  gone: 'It is no longer reported, while its host still sends, so this was closed without a good value.',
  'rule-changed': 'The rule was changed, switched off or removed, so this was closed without a good value.',
  'resource-removed': 'The host was removed, so this was closed.',
};

function title(told: Told): string {
  const { builtIn, resourceName, metric, attributes, value, unit, operator, threshold, state, outcome } = told;
  const shown = quantity(value, unit);
  const subject = `${called(metric, attributes)} on ${resourceName}`;
  if (state === 'resolved' && outcome !== undefined && outcome !== 'recovered')
    return `Closed: ${builtIn === null ? subject : SUBJECTS[builtIn](told)} (${REASONS[outcome]})`;
  if (builtIn !== null) return BUILT_IN[builtIn](told, shown)[state === 'firing' ? 0 : 1];
  if (state === 'resolved') return `${subject} is back to ${shown}`;
  return `${subject} is ${shown}, ${WORDS[operator]} ${quantity(threshold, unit)}`;
}

function text(told: Told): string {
  const { builtIn, ruleName, value, peak, unit, threshold, startedMs, firedMs, resolvedMs, outcome } = told;
  const limit = quantity(threshold, unit);
  if (told.state === 'resolved') {
    const lasted = `It lasted ${lasting((resolvedMs ?? firedMs) - startedMs)}.`;
    const ending = outcome === undefined || outcome === 'recovered' ? '' : ` ${ENDINGS[outcome]}`;
    const worst =
      builtIn === 'host-silent' || builtIn === 'collector-failing'
        ? ''
        : ` The worst value was ${quantity(peak, unit)}, the threshold is ${limit}.`;
    return `${lasted}${worst}${ending} Rule: ${ruleName}.`;
  }
  const since = firedMs - startedMs >= 500 ? `, for ${lasting(firedMs - startedMs)}` : '';
  const advice = builtIn === null ? '' : ` ${ADVICE[builtIn]}`;
  const numbers =
    builtIn === 'collector-failing'
      ? `It has failed${since.slice(1)}.`
      : `Value ${quantity(value, unit)}, threshold ${limit}${since}.`;
  return `${numbers}${advice} Rule: ${ruleName}.`;
}

/** Title and text of a firing, in plain words with units for people. */
export function wording(told: Told): { title: string; text: string } {
  return { title: title(told), text: text(told) };
}
