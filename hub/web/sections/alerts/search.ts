import { oneOf, text } from '../../shell/search.ts';

/** Parts of the alerts. */
export const ALERT_TABS = ['active', 'history', 'rules', 'silences', 'channels', 'messages'] as const;

/** What the address of the alerts says. */
export interface AlertsSearch {
  tab?: (typeof ALERT_TABS)[number] | undefined;
  /** The firing, rule or channel that is open. */
  open?: string | undefined;
  /** Only of this host. */
  host?: string | undefined;
  severity?: 'info' | 'warning' | 'critical' | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readAlertsSearch = (search: Record<string, unknown>): AlertsSearch => ({
  tab: oneOf(search['tab'], ALERT_TABS),
  open: text(search['open'], 64),
  host: text(search['host'], 36),
  severity: oneOf(search['severity'], ['info', 'warning', 'critical']),
});
