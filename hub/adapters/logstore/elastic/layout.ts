import type { estypes } from '@elastic/elasticsearch';
import type { ElasticConfig } from './config.ts';

/** Raised with every change of what a document is made of. */
export const SCHEMA = 3;
/** Said by every template and index of ours in its `_meta`. */
export const META = 'outrider';

const DAY_MS = 86_400_000;
/** How far ahead of the hub's clock a day may begin. */
const AHEAD_MS = DAY_MS;

/** Two characters that no text has, so that its last ones begin a triple too. */
const END = '\u{10ffff}\u{10ffff}';

/** Names of what the store makes. */
export function namesOf(prefix: string) {
  const lines = `${prefix}-lines-`;
  return {
    /** Every index of lines. */
    lines: `${lines}*`,
    keys: `${prefix}-keys`,
    undated: `${lines}undated`,
    all: [`${lines}*`, `${prefix}-key*`],
    templates: { lines: `${prefix}-lines`, keys: `${prefix}-keys` },
    /**
     * The index of a line: that of its own day (UTC). So the same line always meets itself there, however late it is sent again. Days ahead of the
     * hub's clock share one index, lest a host with a wrong clock makes thousands.
     */
    indexOf(timeMs: number, nowMs: number): string {
      if (!(timeMs >= 0 && timeMs < nowMs + AHEAD_MS)) return `${lines}undated`;
      return `${lines}${new Date(timeMs).toISOString().slice(0, 10).replaceAll('-', '.')}`;
    },
    /** When the day of an index begins, milliseconds; undefined when it is of no day. */
    dayOf(index: string): number | undefined {
      const [, year, month, day] = /-lines-(\d{4})\.(\d\d)\.(\d\d)$/.exec(index) ?? [];
      return year === undefined ? undefined : Date.UTC(Number(year), Number(month) - 1, Number(day));
    },
  };
}
export type Names = ReturnType<typeof namesOf>;

/** When the lines of a day's index are all past a retention. */
export function endsBefore(day: number, oldestMs: number): boolean {
  return day + DAY_MS <= oldestMs;
}

/** How a text is cut so that substrings are found: into every three characters that follow each other, in small letters. */
const analysis: estypes.IndicesIndexSettingsAnalysis = {
  char_filter: { end: { type: 'pattern_replace', pattern: '\\z', replacement: END } },
  tokenizer: { triples: { type: 'ngram', min_gram: 3, max_gram: 3 } },
  analyzer: {
    line: { type: 'custom', char_filter: ['end'], tokenizer: 'triples', filter: ['lowercase'] },
    part: { type: 'custom', tokenizer: 'triples', filter: ['lowercase'] },
  },
};

const keyword = { type: 'keyword' } as const;
const stored = { type: 'boolean', index: false, doc_values: false } as const;
const number = { index: false } as const;

/** Names are not fields of their own: there may be thousands. */
const ATTRIBUTES = { type: 'flattened', ignore_above: 1024 } as const;

/** What an index of lines lacks that was made by an earlier layout. */
export const ADDED = {
  attributes: ATTRIBUTES,
  template: keyword,
  parameters: { ...keyword, index: false, doc_values: false },
} as const;

const LINE: Record<string, estypes.MappingProperty> = {
  '@timestamp': { type: 'date', format: 'epoch_millis' },
  n: { type: 'long', ...number },
  org: keyword,
  resource: keyword,
  // Longer ones are kept, but a term must not be longer than 32,766 bytes.
  source: { ...keyword, ignore_above: 8_191 },
  level: { type: 'byte' },
  text: { type: 'text', analyzer: 'line', search_analyzer: 'part', norms: false },
  truncated: stored,
  ...ADDED,
};

const KEY: Record<string, estypes.MappingProperty> = {
  org: keyword,
  agent: keyword,
  epoch: keyword,
  lane: { type: 'byte' },
  seq: { ...keyword, index: false, doc_values: false },
};

/** Templates by the pattern of the indices that they lay out. */
export function templatesOf(names: Names, { shards, replicas }: Pick<ElasticConfig, 'shards' | 'replicas'>) {
  const template = (properties: typeof LINE, settings: estypes.IndicesIndexSettings) => ({
    priority: 500,
    version: SCHEMA,
    _meta: { [META]: SCHEMA },
    template: {
      mappings: { dynamic: 'strict' as const, _meta: { [META]: SCHEMA }, properties },
      settings: {
        // As many as there are nodes for: a cluster of one is green too.
        ...(replicas === 0 ? { number_of_replicas: 0 } : { auto_expand_replicas: `0-${replicas}` }),
        'translog.durability': 'request' as const,
        ...settings,
      } as estypes.IndicesIndexSettings,
    },
  });
  const lines = { number_of_shards: shards, refresh_interval: '2s', codec: 'best_compression', analysis };
  return [
    { name: names.templates.lines, index_patterns: [names.lines], ...template(LINE, lines) },
    { name: names.templates.keys, index_patterns: [names.keys], ...template(KEY, { number_of_shards: 1 }) },
  ];
}
