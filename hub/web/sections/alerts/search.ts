import { oneOf, text } from '../../shell/search.ts';
import { pageOf } from '../../table/page-number.ts';

/** Parts of the alerts. */
export const ALERT_TABS = ['active', 'history', 'rules', 'silences', 'channels', 'messages'] as const;
export type AlertTab = (typeof ALERT_TABS)[number];

/** How bad it is, worst first. */
export const SEVERITIES = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How a message stands. */
export const STATUSES = ['queued', 'sending', 'sent', 'failed', 'skipped'] as const;

/** What the address of the alerts says. */
export interface AlertsSearch {
  tab?: AlertTab | undefined;
  /** The firing, rule or channel that is open; `new` for one that is not made yet. */
  open?: string | undefined;
  /** Only of this host. */
  host?: string | undefined;
  /** Only of this rule. */
  rule?: string | undefined;
  severity?: Severity | undefined;
  /** Of messages: only these, and only through this channel. */
  status?: (typeof STATUSES)[number] | undefined;
  channel?: string | undefined;
  /** The page of a list, from 2. */
  page?: number | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readAlertsSearch = (search: Record<string, unknown>): AlertsSearch => ({
  tab: oneOf(search['tab'], ALERT_TABS),
  open: text(search['open'], 64),
  host: text(search['host'], 36),
  rule: text(search['rule'], 36),
  severity: oneOf(search['severity'], SEVERITIES),
  status: oneOf(search['status'], STATUSES),
  channel: text(search['channel'], 36),
  page: pageOf(search['page']),
});
