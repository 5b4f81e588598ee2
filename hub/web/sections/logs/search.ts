import { text, texts } from '../../shell/search.ts';

/** What the address of the logs says: the same words as the web API's search. */
export interface LogsSearch {
  q?: string | undefined;
  not?: string[] | undefined;
  level?: string[] | undefined;
  host?: string[] | undefined;
  source?: string | undefined;
  /** The line whose neighbours are shown. */
  line?: string | undefined;
}

/** Reads the address; what means nothing is left out. */
export const readLogsSearch = (search: Record<string, unknown>): LogsSearch => ({
  q: text(search['q'], 1000),
  not: texts(search['not'], 50, 300),
  level: texts(search['level'], 6, 10),
  host: texts(search['host'], 50, 36),
  source: text(search['source'], 1024),
  line: text(search['line'], 20),
});
