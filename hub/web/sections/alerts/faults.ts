/** What was wrong with a form: beside its fields, and the rest. */
export interface Faults {
  fields: Readonly<Record<string, string>>;
  /** What belongs to no field. */
  rest: string | undefined;
}

/** Nothing is wrong. */
export const NO_FAULTS: Faults = { fields: {}, rest: undefined };

/** A pattern says nothing to a person. */
const plain = (text: string): string => text.replace(/must match pattern .*/, 'does not have the right form');

function sentence(text: string): string {
  const words = plain(text);
  return `${(words[0] ?? '').toUpperCase()}${words.slice(1)}`;
}

/** `body/threshold must be number` or `host: is missing`, as the hub writes them. */
function split(fault: string): [field: string, words: string] | undefined {
  const schema = /^body\/([\w-]+)(?:\/\S*)?\s+(.+)$/.exec(fault);
  if (schema !== null) return [schema[1] ?? '', schema[2] ?? ''];
  const missing = /^body must have required propert(?:y|ies) '?([\w-]+)'?/.exec(fault);
  if (missing !== null) return [missing[1] ?? '', 'is missing'];
  const settings = /^([\w-]+)(?:[./[][^:]*)?:\s+(.+)$/.exec(fault);
  return settings === null ? undefined : [settings[1] ?? '', settings[2] ?? ''];
}

/** Puts each fault of the hub beside the field that it names; those that name none of `known` are the rest. */
export function faultsOf(error: unknown, known: readonly string[]): Faults {
  const { facts } = error as { facts?: Readonly<Record<string, unknown>> };
  const listed = facts?.['faults'];
  const all = Array.isArray(listed) ? listed.map(String) : [];
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const fault of all) {
    const [field, words] = split(fault) ?? ['', fault];
    if (known.includes(field)) fields[field] = sentence(words);
    else rest.push(sentence(fault));
  }
  if (all.length === 0) rest.push(error instanceof Error ? error.message : String(error));
  return { fields, rest: rest.length === 0 ? undefined : rest.join('. ') };
}
