import { length } from '../../time/wording.ts';
import { quantity } from '../../units/quantity.ts';

/** What an event says of one series. */
export interface Cause {
  metric: string;
  attributes: Readonly<Record<string, string>>;
  channel: string;
  direction: 'up' | 'down' | '';
  value: number | null;
  expected: number | null;
}

const HOW: Readonly<Record<string, readonly [up: string, down: string]>> = {
  residual: ['jumped', 'dropped'],
  level: ['is higher', 'is lower'],
  shift: ['has risen', 'has fallen'],
  drift: ['keeps rising', 'keeps falling'],
  wild: ['swings more', 'swings more'],
  calm: ['has become calm', 'has become calm'],
  stuck: ['no longer changes', 'no longer changes'],
  season: ['is higher than at this hour', 'is lower than at this hour'],
  novelty: ['moves as it never did', 'moves as it never did'],
  count: ['comes more often', 'comes less often'],
  ramp: ['climbs step by step', 'falls step by step'],
  record: ['is higher than ever', 'is lower than ever'],
  stay: ['stays higher than ever', 'stays lower than ever'],
  'model-level': ['is too high for the rest', 'is too low for the rest'],
  'model-change': ['rose out of step with the rest', 'fell out of step with the rest'],
};

/** The series by its name and what tells it from its sisters. */
export const seriesWords = ({ metric, attributes }: Pick<Cause, 'metric' | 'attributes'>): string =>
  [metric, ...Object.values(attributes)].join(' · ');

/** What was strange about a series, in words: `has risen to 1.2 GiB from 340 MiB`. */
export function causeWords({ channel, direction, value, expected }: Cause, unit: string): string {
  const [up, down] = HOW[channel] ?? ['is strange', 'is strange'];
  const how = direction === 'down' ? down : up;
  if (value === null || expected === null) return how;
  return `${how}: ${quantity(value, unit)}, usually ${quantity(expected, unit)}`;
}

/** What an event is, in a heading. */
export const EVENT_NAMES = {
  host: 'Unlike its past',
  'template-new': 'A new kind of log line',
  'template-rare': 'A rare kind of log line',
  'template-vanished': 'A kind of log line no longer comes',
  'log-sequence': 'Log lines unlike their past',
} as const;

/** How long an event took, or that it goes on. */
export function eventLength({ startMs, endMs }: { startMs: number; endMs: number | null }, nowMs: number): string {
  return endMs === null ? `for ${length(Math.max(0, nowMs - startMs))}, goes on` : `for ${length(endMs - startMs)}`;
}
