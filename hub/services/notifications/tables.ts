import type { Severity } from '#sdk';
import type { ColumnType, Generated } from 'kysely';

/** How a delivery stands. `skipped`: there was nobody to tell, or no need to. */
export const STATUSES = ['queued', 'sending', 'sent', 'failed', 'skipped'] as const;
export type Status = (typeof STATUSES)[number];

/** What news can be of. */
export const STATES = ['firing', 'resolved', 'test'] as const;

/** The settings of a channel, as its schema wants them. */
export type ChannelSettings = Record<string, string | number | boolean | string[]>;

/** The tables of the schema `notifications`, as Kysely sees them. Columns are those of migrations/0001-start. */
export interface NotificationTables {
  channels: {
    id: string;
    org_id: string;
    name: string;
    former_names: Generated<string[]>;
    kind: string;
    settings: ColumnType<ChannelSettings, string, string>;
    min_severity: Severity;
    enabled: boolean;
    created_at: Date;
    updated_at: Date;
  };
  deliveries: {
    id: string;
    seq: Generated<number>;
    org_id: string;
    key: string;
    channel_id: string | null;
    channel_name: string;
    lane: string;
    spacing_seconds: number;
    firing: string;
    resource_id: string;
    resource_name: string;
    state: (typeof STATES)[number];
    severity: Severity;
    title: string;
    news: string;
    status: Status;
    attempts: Generated<number>;
    reason: Generated<string>;
    message_key: string | null;
    created_at: Date;
    next_at: Date;
    give_up_at: Date;
    lease_until: Date | null;
    finished_at: Date | null;
  };
  removed_resources: { org_id: string; resource_id: string; removed_at: Date };
}
