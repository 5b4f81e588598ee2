import { identityOf, identityPatterns } from '../points/identity.ts';
import type { Owner, RowsQuery } from '../points/tiered-store.ts';
import { encodeLabels, type Labels } from './remote-write.ts';

/** Percent-encoded, a text is a label value that every store takes, and means nothing within quotes. */
const safe = encodeURIComponent;
/** Attributes that become labels of their own: stores drop labels beyond some thirty, without a word. */
const SHOWN = 12;

/** What a person asks for by attribute. `series` alone identifies: two attributes may look the same as labels. */
function shownAttributes(attributes: Readonly<Record<string, string>>): Labels {
  const shown = new Map<string, string>();
  for (const [key, value] of Object.entries(attributes)) {
    const label = `attr_${key.replace(/[^a-zA-Z0-9_]/g, '_')}`;
    if (value !== '' && !shown.has(label) && shown.size < SHOWN) shown.set(label, safe(Buffer.from(value).toString()));
  }
  return [...shown].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The labels of one series of a resource but for the metric's name, which goes before, and the statistic, which goes after. */
export function seriesLabels({ org, resource }: Owner, text: string): Uint8Array {
  const { name, attributes } = identityOf(text);
  const own = safe(Buffer.from(name).toString());
  const fixed = [['name', own], ['org', safe(org)], ['resource', safe(resource)], ['series', text]] as const; // prettier-ignore
  return encodeLabels([...shownAttributes(attributes), ...fixed]);
}

/** A selector of series by equal labels. */
export const selector = (metric: string, labels: Readonly<Record<string, string>>, more = ''): string =>
  `${metric}{${[...Object.entries(labels).map(([name, value]) => `,${name}=${JSON.stringify(safe(value))}`), more].join('').slice(1)}}`;

/** What narrows a selector to some names and attributes. */
export function onlyOf(only: RowsQuery['only']): string {
  if (only === undefined) return '';
  const regex = (text: string): string => safe(Buffer.from(text).toString()).replace(/[.*()]/g, '\\$&');
  const carried = identityPatterns(only.names, only.where).slice(1);
  const patterns = [
    `name=~${JSON.stringify(only.names.map(regex).join('|'))}`,
    ...carried.map((pattern) => `series=~${JSON.stringify(`.*${pattern}.*`)}`),
  ];
  return patterns.map((pattern) => `,${pattern}`).join('');
}
