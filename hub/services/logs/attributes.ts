import type { LogAttributes } from '../../ports/logstore.ts';

/** Attributes of one line that are kept, and the length of their names and values. */
const MOST = 32;
const NAME = /^[A-Za-z][\w./-]{0,127}$/;
const VALUE_LENGTH = 256;
/** Distinct sets of one chunk that are merged once; beyond it each line is by itself. */
const SETS = 64;

function bounded(attributes: LogAttributes): LogAttributes | undefined {
  const entries = Object.entries(attributes)
    .filter(([name, value]) => NAME.test(name) && value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST)
    .map(([name, value]) => [name, value.replaceAll('\0', '').slice(0, VALUE_LENGTH)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** Makes what merges the attributes of a chunk with those of each of its lines, bounded and in the order of their names; equal ones are the same object. */
export function createMerge(ofAll: LogAttributes): (ofLine: LogAttributes) => LogAttributes | undefined {
  const plain = bounded(ofAll);
  const known = new Map<string, LogAttributes | undefined>();
  return (ofLine) => {
    const key = Object.entries(ofLine).join('\n');
    if (key === '') return plain;
    const merged = known.has(key) ? known.get(key) : bounded({ ...ofAll, ...ofLine });
    if (known.size < SETS) known.set(key, merged);
    return merged;
  };
}
