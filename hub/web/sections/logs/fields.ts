/** A name and a value that a line holds in its text. */
export interface TextField {
  name: string;
  /** As it is shown. */
  value: string;
  /** As it stands in the text, for searching. */
  needle: string;
}

const MOST_FIELDS = 60;
const LONGEST_PARSED = 65_536;

function flat(value: unknown, name: string, into: TextField[]): void {
  if (into.length >= MOST_FIELDS) return;
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    for (const [key, one] of Object.entries(value)) flat(one, name === '' ? key : `${name}.${key}`, into);
    return;
  }
  const written = JSON.stringify(value) ?? '';
  const shown = typeof value === 'string' ? value : written;
  // Inside quotes a text may be escaped: the search must look for what was written.
  into.push({ name, value: shown, needle: typeof value === 'string' ? written.slice(1, -1) : written });
}

function jsonFields(text: string): TextField[] | undefined {
  const start = text.indexOf('{');
  if (start < 0 || !text.trimEnd().endsWith('}')) return undefined;
  try {
    const fields: TextField[] = [];
    flat(JSON.parse(text.slice(start)), '', fields);
    return fields;
  } catch {
    return undefined; // It only looked like JSON.
  }
}

const PAIR = /(?:^|\s)([A-Za-z_][\w.-]{0,60})=("(?:[^"\\]|\\.)*"|[^\s"]+)/g;

function pairFields(text: string): TextField[] {
  return [...text.matchAll(PAIR)].slice(0, MOST_FIELDS).map(([, name = '', raw = '']) => {
    const value = raw.startsWith('"') ? raw.slice(1, -1) : raw;
    return { name, value, needle: value };
  });
}

/** The fields of a line that is JSON (maybe behind a prefix) or has at least two `name=value` pairs. */
export function fieldsOf(text: string): TextField[] {
  if (text.length > LONGEST_PARSED) return [];
  const json = jsonFields(text);
  if (json !== undefined) return json.filter(({ name }) => name !== '');
  const pairs = pairFields(text);
  return pairs.length < 2 ? [] : pairs;
}
