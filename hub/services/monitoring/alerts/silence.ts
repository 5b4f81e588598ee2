import type { Severity } from '#sdk';
import type { Selectable } from 'kysely';
import type { AlertTables } from './tables.ts';

/** A time in which nobody is told of some alerts. Null matches everything. Times are milliseconds since 1970. */
export interface Silence {
  id: string;
  rule: string | null;
  resource: string | null;
  severity: Severity | null;
  fromMs: number;
  toMs: number;
  author: string;
  reason: string;
  createdMs: number;
}

/** Reads a row. */
export function silenceOf(row: Selectable<AlertTables['silences']>): Silence {
  return {
    id: row.id,
    rule: row.rule_id,
    resource: row.resource_id,
    severity: row.severity,
    fromMs: row.starts_at.getTime(),
    toMs: row.ends_at.getTime(),
    author: row.author,
    reason: row.reason,
    createdMs: row.created_at.getTime(),
  };
}

/** True when a silence holds for an alert now. */
export function isSilenced(
  silences: readonly Silence[],
  alert: { rule: string; resource: string; severity: Severity },
  nowMs: number,
): boolean {
  return silences.some(
    ({ rule, resource, severity, fromMs, toMs }) =>
      nowMs >= fromMs &&
      nowMs < toMs &&
      (rule ?? alert.rule) === alert.rule &&
      (resource ?? alert.resource) === alert.resource &&
      (severity ?? alert.severity) === alert.severity,
  );
}
