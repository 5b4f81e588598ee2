import type { SeriesIdentity } from '../../../ports/series.ts';

/** Half characters, which no encoding can carry, become U+FFFD. */
const encoded = (text: string): string => encodeURIComponent(Buffer.from(text).toString());

/** One text for a series within its resource: `g;name;key;value…` with percent-encoded parts, attributes in one order. Equal series, equal texts. */
export function identityText({ kind, name, attributes }: SeriesIdentity): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return [kind === 'counter' ? 'c' : 'g', ...[name, ...sorted.flat()].map(encoded)].join(';');
}

/** The series of a text that `identityText` made. */
export function identityOf(text: string): SeriesIdentity {
  const [kind, name = '', ...rest] = text.split(';').map(decodeURIComponent);
  const pairs = rest.flatMap((key, index) => (index % 2 === 0 ? [[key, rest[index + 1] ?? ''] as const] : []));
  return { name, kind: kind === 'c' ? 'counter' : 'gauge', attributes: Object.fromEntries(pairs) };
}

/** Regular expressions (RE2) that all match the texts of series of some names that carry attributes. More may match: attributes without a value are not asked for. */
export function identityPatterns(names: readonly string[], where: Readonly<Record<string, string>>): string[] {
  const regex = (text: string): string => encoded(text).replace(/[.*()]/g, '\\$&');
  const carried = Object.entries(where).filter(([, value]) => value !== '');
  return [
    `^[cg];(${names.map(regex).join('|')})(;|$)`,
    ...carried.map(([key, value]) => `;${regex(key)};${regex(value)}(;|$)`),
  ];
}
