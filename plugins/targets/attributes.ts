import type { Attributes } from '#sdk';

/** More are not remembered: names of queues and databases that come and go must not pile up. */
const MOST_REMEMBERED = 20_000;

/** Gives the same object for the same pairs of attribute and value, added to `base`. */
export function rememberAttributes(base: Attributes): (...pairs: readonly string[]) => Attributes {
  const known = new Map<string, Attributes>();
  return (...pairs) => {
    const key = pairs.join('\0');
    const had = known.get(key);
    if (had !== undefined) return had;
    const made: Record<string, string> = { ...base };
    for (let i = 0; i < pairs.length; i += 2) made[pairs[i] ?? ''] = pairs[i + 1] ?? '';
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(key, made);
    return made;
  };
}
