/** Reads parameters of an address, which anybody may have written. */

/** A text of at most `longest` characters; undefined when there is none. */
export function text(value: unknown, longest: number): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, longest) : undefined;
}

/** A list of texts: a parameter may be there once, often or not at all. */
export function texts(value: unknown, most: number, longest: number): string[] | undefined {
  const list = (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((one) => text(one, longest) ?? []);
  return list.length === 0 ? undefined : list.slice(0, most);
}

/** One of a few words; undefined when it is none of them. */
export function oneOf<const Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}
