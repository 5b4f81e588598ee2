/** Sections of INFO run together: values by key. */
export type Info = ReadonlyMap<string, string>;

/** Reads what INFO answers; later keys of the same name win. */
export function parseInfo(text: string): Info {
  const info = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) info.set(line.slice(0, colon), line.slice(colon + 1).trimEnd());
  }
  return info;
}

/** A number of INFO; NaN where it is missing or no number. */
export function numberIn(info: Info, key: string): number {
  const text = info.get(key);
  return text !== undefined && /^-?\d{1,20}(\.\d{1,20})?$/.test(text) ? Number(text) : NaN;
}

/** The parts of a value such as `keys=1,expires=0`. */
export function partsOf(value: string): Info {
  return new Map(
    value.split(',').map((pair) => {
      const [key = '', ...rest] = pair.split('=');
      return [key, rest.join('=')] as const;
    }),
  );
}

/** Keys of INFO that begin with a prefix, by what follows it. */
export function startingWith(info: Info, prefix: string): [rest: string, value: string][] {
  return [...info].flatMap(([key, value]): [string, string][] =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
  );
}
