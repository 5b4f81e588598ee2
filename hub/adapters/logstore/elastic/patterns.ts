import type { estypes } from '@elastic/elasticsearch';
import type { LogLevelNumber, LogPattern, LogPatterns } from '../../../ports/logstore.ts';
import type { LineDocument } from './documents.ts';
import type { Find } from './search.ts';

/** Patterns in one answer: with 100 steps and 6 levels each they stay under the 65,536 places that a server counts in. */
const MOST = 600;
/** Characters of an example. */
const EXAMPLE = 1000;

interface Bucket {
  key: string;
  levels: { buckets: { key: LogLevelNumber; doc_count: number }[] };
  steps: { buckets: { key: number; doc_count: number }[] };
  first: { value: number };
  last: { value: number };
  newest: { hits: { hits: { _source: Pick<LineDocument, 'text'> }[] } };
}

function patternOf({ key, levels, steps, first, last, newest }: Bucket): LogPattern {
  const counts: [number, number, number, number, number, number] = [0, 0, 0, 0, 0, 0];
  for (const { key: level, doc_count } of levels.buckets) counts[level] = doc_count;
  return {
    template: key === '' ? undefined : key,
    counts,
    firstMs: first.value,
    lastMs: last.value,
    steps: steps.buckets.map(({ key: timeMs, doc_count: count }) => ({ timeMs, count })),
    example: (newest.hits.hits[0]?._source.text ?? '').slice(0, EXAMPLE),
  };
}

/** Lines by template, those with most lines. */
export async function patternsOf(
  find: Find,
  query: estypes.QueryDslQueryContainer,
  step: number,
): Promise<LogPatterns> {
  const { aggregations, timed_out, _shards } = await find<{
    templates: { buckets: Bucket[]; sum_other_doc_count: number };
  }>({
    query,
    size: 0,
    aggs: {
      templates: {
        terms: { field: 'template', missing: '', size: MOST },
        aggs: {
          levels: { terms: { field: 'level', size: 6 } },
          steps: { date_histogram: { field: '@timestamp', fixed_interval: `${step}ms`, min_doc_count: 1 } },
          first: { min: { field: '@timestamp' } },
          last: { max: { field: '@timestamp' } },
          newest: { top_hits: { size: 1, sort: [{ '@timestamp': { order: 'desc' } }], _source: ['text'] } },
        },
      },
    },
  });
  const { buckets = [], sum_other_doc_count: others = 0 } = aggregations?.templates ?? {};
  return { patterns: buckets.map(patternOf), complete: !timed_out && _shards.failed === 0 && others === 0 };
}
