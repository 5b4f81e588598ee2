import { oneOf, text } from '../../shell/search.ts';

/** Parts of a host's page. */
export const HOST_TABS = ['charts', 'anomalies', 'logs', 'alerts', 'models', 'delivery', 'facts'] as const;

/** What the address of a host says. */
export interface HostSearch {
  tab?: (typeof HOST_TABS)[number] | undefined;
  /** The series that is shown alone, as `chart:line`. */
  only?: string | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readHostSearch = (search: Record<string, unknown>): HostSearch => ({
  tab: oneOf(search['tab'], HOST_TABS),
  only: text(search['only'], 200),
});
