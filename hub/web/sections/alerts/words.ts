import { length } from '../../time/wording.ts';
import { quantity, typedUnit } from '../../units/quantity.ts';
import type { Firing, Rule } from './queries.ts';
import { SEVERITIES } from './search.ts';

/** How a value is held against a threshold, in words. */
export const OPERATORS = { gt: 'above', gte: 'at or above', lt: 'below', lte: 'at or below' } as const;
export type Operator = keyof typeof OPERATORS;

/** What needs somebody, in one sentence. */
export function verdictOf(firings: readonly Pick<Firing, 'severity' | 'acknowledged' | 'silenced'>[]): string {
  if (firings.length === 0) return 'Nothing fires now';
  const counts = SEVERITIES.map((severity) => ({
    severity,
    number: firings.filter((one) => one.severity === severity).length,
  })).filter(({ number }) => number > 0);
  const only = counts.length === 1 ? `${counts[0]?.severity ?? ''} ` : '';
  const parts =
    counts.length === 1 ? '' : `: ${counts.map(({ severity, number }) => `${number} ${severity}`).join(', ')}`;
  const seen = firings.filter(({ acknowledged, silenced }) => acknowledged !== null || silenced).length;
  const care = seen === 0 ? '' : `, ${seen === firings.length ? 'all' : seen} in hand`;
  return `${firings.length} ${only}${firings.length === 1 ? 'alert fires' : 'alerts fire'}${parts}${care}`;
}

/** Why a firing ended. */
export function outcomeWords({ state, outcome }: Pick<Firing, 'state' | 'outcome'>): string {
  if (state === 'firing') return 'Still fires';
  if (outcome === 'gone') return 'Series ended';
  if (outcome === 'rule-changed') return 'Rule changed';
  return outcome === 'resource-removed' ? 'Host removed' : 'Recovered';
}

/** What the rules that everyone has wait for, before how long. */
const BUILT_IN: Readonly<Record<NonNullable<Rule['builtIn']>, (limit: string) => string>> = {
  'host-silent': (limit) => `nothing arrives for ${limit}`,
  'disk-full': (limit) => `a disk is ${limit} full or more`,
  'disk-filling': (limit) => `a disk would be full within ${limit}`,
  'memory-exhausted': (limit) => `available memory is below ${limit} of all`,
  'collector-failing': () => 'a collector fails',
  'clock-skew': (limit) => `a clock is more than ${limit} off`,
  'lines-lost': () => 'log lines are lost',
  'settings-faulty': () => 'the settings file of an agent has a fault',
  'host-anomaly': () => 'a host behaves unlike its past',
};

/** What a rule waits for: system.cpu.busy above 90 % for 5 min; of those that everyone has, in words. */
export function conditionOf(
  rule: Pick<Rule, 'metric' | 'operator' | 'threshold' | 'unit' | 'forSeconds' | 'builtIn'>,
): { metric: string; words: string } {
  const { metric, operator, threshold, unit, forSeconds, builtIn } = rule;
  const limit = unit === '' ? String(threshold) : quantity(threshold, unit);
  // It is foreseen from the last hour; for how long it is foreseen matters to nobody.
  const held = forSeconds === 0 || builtIn === 'disk-filling' ? '' : ` for ${length(forSeconds * 1000)}`;
  if (builtIn !== null) return { metric: '', words: `${BUILT_IN[builtIn](limit)}${held}` };
  return { metric, words: `${OPERATORS[operator]} ${limit}${held}` };
}

/** A value of a metric; without a known unit as it is. */
export const valueOf = (value: number, unit: string): string =>
  unit === '' ? String(Number(value.toPrecision(4))) : quantity(value, unit);

const precise = (value: number): number => Number(value.toPrecision(12));

/** A threshold as people type it: 90 for 0.9 of unit 1. */
export const typedValue = (value: number, unit: string): string => String(precise(value / typedUnit(unit).factor));

/** What people typed, in the base unit; undefined when it is no number. */
export function readValue(text: string, unit: string): number | undefined {
  const trimmed = text.trim().replace(/\s*%$/, '').replace(',', '.');
  const value = trimmed === '' ? NaN : Number(trimmed);
  return Number.isFinite(value) ? precise(value * typedUnit(unit).factor) : undefined;
}

const LENGTHS: Readonly<Record<string, number>> = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90 s`, `5m`, `2 h`; undefined when it is none. */
export function readSeconds(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)?$/i.exec(text.trim());
  if (match === null) return text.trim() === '' ? 0 : undefined;
  return Math.round(Number(match[1]) * (LENGTHS[match[2]?.toLowerCase() ?? 's'] ?? 1));
}

/** Seconds as they are typed: 5 min, 90 s. */
export function typedSeconds(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}
