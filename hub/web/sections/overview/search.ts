import { oneOf, text } from '../../shell/search.ts';

/** What the address of the overview says. */
export interface OverviewSearch {
  /** Parts of names and labels to show. */
  q?: string | undefined;
  /** Only hosts in this state. */
  state?: 'healthy' | 'strained' | 'alerting' | 'silent' | 'new' | undefined;
  /** The column that orders the hosts, with a dash before it when the largest comes first. */
  sort?: string | undefined;
  /** The line of a chart that is shown alone, as `chart:line`. */
  only?: string | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readOverviewSearch = (search: Record<string, unknown>): OverviewSearch => ({
  q: text(search['q'], 253),
  state: oneOf(search['state'], ['healthy', 'strained', 'alerting', 'silent', 'new']),
  sort: text(search['sort'], 20),
  only: text(search['only'], 200),
});
