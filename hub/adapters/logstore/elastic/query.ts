import type { estypes } from '@elastic/elasticsearch';
import type { LogFilter } from '../../../ports/logstore.ts';
import { bounded, encodable } from './documents.ts';

type Query = estypes.QueryDslQueryContainer;

/** Characters that are indexed together; shorter texts are what such a triple begins with. */
const TRIPLE = 3;

/** Small letters as the server makes them: one for one. */
const folded = (text: string): string => Array.from(text, (one) => Array.from(one.toLowerCase())[0]).join('');

/** Lines that hold a text, in any case. Triples that follow each other as those of the text do are the text, so nothing in it has a meaning and nothing else is found. */
function holds(text: string): Query {
  const given = encodable(text);
  return Array.from(given).length < TRIPLE
    ? { prefix: { text: { value: folded(given) } } }
    : { match_phrase: { text: { query: given } } };
}

function valuesByName(attributes: NonNullable<LogFilter['attributes']>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { name, value } of attributes) found.set(name, [...(found.get(name) ?? []), encodable(value)]);
  return found;
}

/** A query for the lines of an org that fit; undefined when none can. */
export function queryOf(org: string, filter: LogFilter): Query | undefined {
  const { resources, levels, source, attributes = [], text, without = [], templates, withoutTemplates = [] } = filter;
  const [from, to] = [bounded(filter.from), bounded(filter.to)];
  if (to <= from || resources?.length === 0) return undefined;
  const must: Query[] = [{ term: { org } }, { range: { '@timestamp': { gte: from, lt: to } } }];
  if (resources !== undefined) must.push({ terms: { resource: [...resources] } });
  if (source !== undefined) must.push({ term: { source: encodable(source) } });
  for (const [name, values] of valuesByName(attributes)) must.push({ terms: { [`attributes.${name}`]: values } });
  if (levels !== undefined && levels.length > 0) must.push({ terms: { level: [...levels] } });
  if (text !== undefined && text !== '') must.push(holds(text));
  if (templates !== undefined) must.push({ terms: { template: [...templates] } });
  const not: Query[] = without.filter((one) => one !== '').map(holds);
  if (withoutTemplates.length > 0) not.push({ terms: { template: [...withoutTemplates] } });
  return { bool: { filter: must, must_not: not } };
}
