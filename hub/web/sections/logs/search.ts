import { text, texts } from '../../shell/search.ts';

/** Names of the levels, worst first. */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

/** What the address of the logs says: the same words as the web API's search. */
export interface LogsSearch {
  q?: string | undefined;
  not?: string[] | undefined;
  level?: string[] | undefined;
  host?: string[] | undefined;
  source?: string | undefined;
  /** What wrote the lines, as `name:value`. */
  attribute?: string[] | undefined;
  /** Kinds of lines, by their ids, that are shown, and that are left out. */
  template?: string[] | undefined;
  notTemplate?: string[] | undefined;
  /** Kinds of lines instead of lines. */
  view?: 'patterns' | undefined;
  /** The line whose neighbours are shown. */
  line?: string | undefined;
}

const levels = (value: unknown): string[] | undefined => {
  const known = texts(value, 20, 10)?.filter((one) => LEVELS.some((level) => level === one));
  return known === undefined || known.length === 0 ? undefined : [...new Set(known)];
};

const templates = (value: unknown): string[] | undefined => {
  const known = texts(value, 50, 16)?.filter((one) => /^[0-9a-f]{16}$/.test(one));
  return known === undefined || known.length === 0 ? undefined : [...new Set(known)];
};

/** Reads the address; what means nothing is left out. */
export const readLogsSearch = (search: Record<string, unknown>): LogsSearch => ({
  q: text(search['q'], 1000),
  not: texts(search['not'], 50, 300),
  level: levels(search['level']),
  host: texts(search['host'], 50, 36),
  source: text(search['source'], 1024),
  attribute: texts(search['attribute'], 20, 400),
  template: templates(search['template']),
  notTemplate: templates(search['notTemplate']),
  view: search['view'] === 'patterns' ? 'patterns' : undefined,
  line: text(search['line'], 40),
});
