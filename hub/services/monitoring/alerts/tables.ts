import type { Severity } from '#sdk';
import type { Generated } from 'kysely';
import type { BuiltIn } from './rule.ts';
import type { Operator } from './state.ts';
import type { Outcome } from './wording.ts';

/** The tables of alerts, as Kysely sees them; columns of type jsonb are written as text. */
export interface AlertTables {
  alert_rules: {
    id: string;
    org_id: string;
    resource_id: string | null;
    metric_name: string;
    threshold_value: number;
    comparison_operator: Operator;
    severity: Severity;
    notification_channels: string;
    name: string;
    for_seconds: number;
    filter: string;
    enabled: boolean;
    clear_value: number | null;
    keep_firing_seconds: number;
    built_in: BuiltIn | null;
    created_at: Generated<Date>;
    updated_at: Generated<Date>;
  };
  alert_firings: {
    id: string;
    org_id: string;
    rule_id: string;
    rule_name: string;
    built_in: BuiltIn | null;
    resource_id: string;
    resource_name: string;
    metric_name: string;
    attributes: string;
    series_key: string;
    severity: Severity;
    comparison_operator: Operator;
    threshold_value: number;
    unit: string;
    channels: string;
    state: 'firing' | 'resolved';
    outcome: Outcome | null;
    fired_value: number;
    resolved_value: number | null;
    peak_value: number;
    started_at: Date;
    fired_at: Date;
    resolved_at: Date | null;
    no_data: Generated<boolean>;
    silenced: boolean;
    told: Generated<'nobody' | 'firing' | 'resolved'>;
    acknowledged_at: Date | null;
    acknowledged_by: string | null;
    acknowledged_note: string | null;
  };
  alert_shards: { org_id: string; shard: number; fence: number };
  silences: {
    id: string;
    org_id: string;
    rule_id: string | null;
    resource_id: string | null;
    severity: Severity | null;
    starts_at: Date;
    ends_at: Date;
    author: string;
    reason: string;
    created_at: Generated<Date>;
  };
}
