import type { Severity } from '#sdk';
import type { AlertChanged } from '#proto/subjects.ts';
import type { Selectable } from 'kysely';
import type { BuiltIn } from './rule.ts';
import type { Operator } from './state.ts';
import type { AlertTables } from './tables.ts';
import { wording, type Outcome, type Told } from './wording.ts';

/** One episode of one series under one rule. Times are milliseconds since 1970. */
export interface Firing {
  id: string;
  rule: string;
  ruleName: string;
  builtIn: BuiltIn | null;
  resource: string;
  resourceName: string;
  metric: string;
  attributes: Readonly<Record<string, string>>;
  /** What tells the series of one rule and resource apart. */
  seriesKey: string;
  severity: Severity;
  operator: Operator;
  threshold: number;
  unit: string;
  channels: readonly string[];
  state: 'firing' | 'resolved';
  outcome: Outcome | undefined;
  firedValue: number;
  resolvedValue: number | undefined;
  peak: number;
  startedMs: number;
  firedMs: number;
  resolvedMs: number | undefined;
  noData: boolean;
  /** A silence held when it fired (or still does). */
  silenced: boolean;
  /** What people were told last. */
  told: 'nobody' | 'firing' | 'resolved';
  acknowledged: { atMs: number; by: string; note: string } | undefined;
}

/** Reads a row. */
export function firingOf(row: Selectable<AlertTables['alert_firings']>): Firing {
  return {
    id: row.id,
    rule: row.rule_id,
    ruleName: row.rule_name,
    builtIn: row.built_in,
    resource: row.resource_id,
    resourceName: row.resource_name,
    metric: row.metric_name,
    attributes: row.attributes as unknown as Record<string, string>,
    seriesKey: row.series_key,
    severity: row.severity,
    operator: row.comparison_operator,
    threshold: row.threshold_value,
    unit: row.unit,
    channels: row.channels as unknown as string[],
    state: row.state,
    outcome: row.outcome ?? undefined,
    firedValue: row.fired_value,
    resolvedValue: row.resolved_value ?? undefined,
    peak: row.peak_value,
    startedMs: row.started_at.getTime(),
    firedMs: row.fired_at.getTime(),
    resolvedMs: row.resolved_at?.getTime(),
    noData: row.no_data,
    silenced: row.silenced,
    told: row.told,
    acknowledged:
      row.acknowledged_at === null
        ? undefined
        : { atMs: row.acknowledged_at.getTime(), by: row.acknowledged_by ?? '', note: row.acknowledged_note ?? '' },
  };
}

/** What a person is told of a firing in one of its states. */
export function toldOf(firing: Firing, state: Firing['state'] = firing.state): Told {
  const { resolvedValue, firedValue } = firing;
  return { ...firing, state, value: state === 'resolved' ? (resolvedValue ?? firedValue) : firedValue };
}

/** The news that the bus carries. */
export function alertChanged(firing: Firing, state: Firing['state']): AlertChanged {
  const told = toldOf(firing, state);
  const { id, rule, ruleName, severity, resource, resourceName, metric, attributes } = firing;
  const { threshold, operator, unit, startedMs, channels } = firing;
  return {
    firing: id,
    rule,
    ruleName,
    state,
    severity,
    resource,
    resourceName,
    metric,
    attributes,
    value: told.value,
    threshold,
    operator,
    unit,
    startedMs,
    atMs: state === 'resolved' ? (firing.resolvedMs ?? firing.firedMs) : firing.firedMs,
    ...wording(told),
    channels,
  };
}
