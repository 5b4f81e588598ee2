import { oneOf, text } from '../../shell/search.ts';

/** What the address of the overview says. */
export interface OverviewSearch {
  /** Part of the names to show. */
  q?: string | undefined;
  /** Only hosts in this state. */
  state?: 'healthy' | 'strained' | 'alerting' | 'silent' | 'new' | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readOverviewSearch = (search: Record<string, unknown>): OverviewSearch => ({
  q: text(search['q'], 253),
  state: oneOf(search['state'], ['healthy', 'strained', 'alerting', 'silent', 'new']),
});
