import { LEVELS, type LogsSearch } from './search.ts';

/** A value of a line that can be clicked. */
export interface Value {
  /** `attribute`: the value is `name:value`. */
  field: 'level' | 'host' | 'source' | 'text' | 'attribute';
  value: string;
}

const MOST_HOSTS = 50;
const LONGEST_ATTRIBUTE = 400;
/** An excluded text is a parameter of an address. */
const LONGEST_NOT = 300;

const list = (values: readonly string[]): string[] | undefined => (values.length === 0 ? undefined : [...values]);

/** The search that shows only lines with this value. */
export function include({ field, value }: Value): Partial<LogsSearch> {
  if (field === 'level') return { level: [value] };
  if (field === 'host') return { host: [value], source: undefined };
  if (field === 'attribute') return { attribute: [value.slice(0, LONGEST_ATTRIBUTE)] };
  return field === 'source' ? { source: value } : { q: value.slice(0, 1000) };
}

/** The search without lines that have this value; a text when it cannot be said, with the reason. */
export function exclude(
  { field, value }: Value,
  search: LogsSearch,
  hosts: readonly string[],
): Partial<LogsSearch> | string {
  if (field === 'source') return 'A search names one file or all of them. Leave lines out by their text instead.';
  if (field === 'attribute') return 'A search names what wrote lines. Leave lines out by their text instead.';
  if (field === 'text') {
    return value.length > LONGEST_NOT
      ? `A text to leave out has ${LONGEST_NOT} characters at most`
      : { not: [...new Set([...(search.not ?? []), value])].slice(-50) };
  }
  const from = field === 'level' ? (search.level ?? LEVELS) : (search.host ?? hosts);
  const rest = from.filter((one) => one !== value);
  if (field === 'level') return rest.length === 0 ? 'No other level is shown' : { level: rest };
  if (rest.length === 0) return 'No other host is shown';
  return rest.length > MOST_HOSTS ? `A search names ${MOST_HOSTS} hosts at most` : { host: rest };
}

/** Adds a value to a list of the search, or takes it out. */
export function toggled(values: readonly string[] | undefined, value: string): string[] | undefined {
  const now = values ?? [];
  return list(now.includes(value) ? now.filter((one) => one !== value) : [...now, value]);
}

/** A search names no more kinds of lines. */
const MOST_PATTERNS = 50;

/** The search for the lines of one pattern. */
export const onlyPattern = (
  id: string,
  { notTemplate = [] }: Pick<LogsSearch, 'notTemplate'>,
): Partial<LogsSearch> => ({
  template: [id],
  notTemplate: list(notTemplate.filter((one) => one !== id)),
  view: undefined,
});

/** The search without the lines of a pattern. */
export const withoutPattern = (
  id: string,
  { template = [], notTemplate = [] }: Pick<LogsSearch, 'template' | 'notTemplate'>,
): Partial<LogsSearch> => ({
  template: list(template.filter((one) => one !== id)),
  notTemplate: [...new Set([...notTemplate, id])].slice(-MOST_PATTERNS),
});

/** True when the search leaves any line out. */
export const narrows = ({ q, not, level, host, source, attribute, template, notTemplate }: LogsSearch): boolean =>
  [q, not, level, host, source, attribute, template, notTemplate].some((one) => one !== undefined);
