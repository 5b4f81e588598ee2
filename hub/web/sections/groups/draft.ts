import { Settings as TypeBox } from 'typebox/system';
import { Errors } from 'typebox/schema';
import { DOCUMENT_LIMIT, LOCAL_COLLECTORS, PushedDocument } from '../../../../proto/agent/v1/pushed.ts';

/** Levels that an agent's own log may begin with. */
export const OWN_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
/** Levels of lines. */
export const LINE_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Settings as a person types them; an empty text is not pushed. */
export interface Draft {
  level: string;
  collectors: { name: string; interval: string }[];
  drop: { rule: string; pattern: string; below: string }[];
  email: boolean;
  ip: boolean;
  patterns: { name: string; pattern: string; ignoreCase: boolean }[];
}

/** What is wrong, by the place in the draft: `drop.0.pattern`. */
export type DraftFaults = Readonly<Record<string, string>>;

/** A draft that says what a document says. */
export function draftOf({ log, collectors = {}, drop = [], redact }: PushedDocument): Draft {
  return {
    level: log?.level ?? '',
    collectors: Object.entries(collectors).map(([name, { interval }]) => ({ name, interval: String(interval) })),
    drop: drop.map(({ rule, pattern = '', below = '' }) => ({ rule, pattern, below })),
    email: redact?.email === true,
    ip: redact?.ip === true,
    patterns: (redact?.patterns ?? []).map(({ name, pattern, ignoreCase = false }) => ({ name, pattern, ignoreCase })),
  };
}

/** A number as a person types it; NaN, which no schema takes, where there is none. */
const numberOf = (text: string): number => (text.trim() === '' ? NaN : Number(text.trim().replace(',', '.')));

/** What would be sent, right or wrong. */
function treeOf({ level, collectors, drop, email, ip, patterns }: Draft): unknown {
  const redact = {
    ...(email ? { email: true } : {}),
    ...(ip ? { ip: true } : {}),
    ...(patterns.length === 0
      ? {}
      : { patterns: patterns.map(({ ignoreCase, ...own }) => ({ ...own, ...(ignoreCase ? { ignoreCase } : {}) })) }),
  };
  return {
    ...(level === '' ? {} : { log: { level } }),
    ...(collectors.length === 0
      ? {}
      : {
          collectors: Object.fromEntries(
            collectors.map(({ name, interval }) => [name.trim(), { interval: numberOf(interval) }]),
          ),
        }),
    ...(drop.length === 0
      ? {}
      : {
          drop: drop.map(({ rule, pattern, below }) => ({
            rule: rule.trim(),
            ...(pattern === '' ? {} : { pattern }),
            ...(below === '' ? {} : { below }),
          })),
        }),
    ...(Object.keys(redact).length === 0 ? {} : { redact }),
  };
}

/** What the schema says is wrong, in words for who typed it. */
function wordsOf(place: string, keyword: string, message: string): string {
  if (place.endsWith('.interval') && keyword === 'type') return 'A number of seconds is missing';
  if (keyword === 'minLength') return 'A regular expression is missing';
  if (keyword === 'pattern') return '1 to 40 letters, digits, dots, dashes and underscores';
  const words = message.replace('must be >= ', 'must be at least ').replace('must be <= ', 'must be at most ');
  return `${(words[0] ?? '').toUpperCase()}${words.slice(1)}`;
}

/** Where the draft has what a place of the document names: collectors go by their rows. */
function placeOf(path: string, { collectors }: Draft): string {
  const [first = '', second = '', ...rest] = path.slice(1).split('/');
  if (first !== 'collectors' || second === '') return path.slice(1).replaceAll('/', '.');
  return ['collectors', collectors.findIndex(({ name }) => name.trim() === second), ...rest].join('.');
}

function schemaFaults(draft: Draft, tree: unknown): Record<string, string> {
  const faults: Record<string, string> = {};
  const { maxErrors } = TypeBox.Get();
  TypeBox.Set({ maxErrors: 1000 });
  try {
    const [, errors] = Errors(PushedDocument, tree);
    for (const { keyword, instancePath, message, params } of errors) {
      const { additionalProperties: strange = [] } = params as { additionalProperties?: readonly string[] };
      for (const name of strange) {
        const at = draft.collectors.findIndex((one) => one.name.trim() === name);
        faults[`collectors.${at}.name`] = LOCAL_COLLECTORS.includes(name)
          ? `Nothing can be pushed for ${name}: it runs programs`
          : 'The name of a collector: small letters, digits and dashes';
      }
      const place = placeOf(instancePath, draft);
      if (keyword !== 'boolean' && strange.length === 0) faults[place] ??= wordsOf(place, keyword, message);
    }
  } finally {
    TypeBox.Set({ maxErrors });
  }
  return faults;
}

function patternFault(pattern: string): string | undefined {
  try {
    new RegExp(pattern, 'u');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** What no schema can say. */
function furtherFaults({ collectors, drop, patterns }: Draft, tree: unknown): Record<string, string> {
  const faults: Record<string, string> = {};
  const names = collectors.map(({ name }) => name.trim());
  names.forEach((name, n) => {
    if (names.indexOf(name) < n) faults[`collectors.${n}.name`] = 'It stands above already';
    // The schema does not get as far as the interval of a name that it does not know, or that stands there twice.
    const interval = numberOf(collectors[n]?.interval ?? '');
    if (Number.isNaN(interval)) faults[`collectors.${n}.interval`] = 'A number of seconds is missing';
    else if (interval < 1 || interval > 3600) faults[`collectors.${n}.interval`] = 'From 1 to 3600 seconds';
  });
  const look = (place: string, pattern: string): void => {
    const fault = patternFault(pattern);
    if (fault !== undefined) faults[place] = fault;
  };
  drop.forEach(({ pattern, below }, n) => {
    if (pattern === '' && below === '') faults[`drop.${n}.pattern`] = 'Give it a pattern, a level or both';
    look(`drop.${n}.pattern`, pattern);
  });
  patterns.forEach(({ pattern }, n) => look(`redact.patterns.${n}.pattern`, pattern));
  const { length } = JSON.stringify(tree);
  if (length > DOCUMENT_LIMIT) faults[''] = `They take ${length} characters; ${DOCUMENT_LIMIT} are the most`;
  return faults;
}

/** Reads a draft by the list of what may be pushed: the document, or everything that is wrong and where. */
export function readDraft(
  draft: Draft,
): { document: PushedDocument; faults?: never } | { document?: never; faults: DraftFaults } {
  const tree = treeOf(draft);
  const faults = { ...furtherFaults(draft, tree), ...schemaFaults(draft, tree) };
  return Object.keys(faults).length === 0 ? { document: tree as PushedDocument } : { faults };
}

/** Reads how many agents are to try something first. */
export function readCanaries(text: string): { canaries: number; fault?: never } | { canaries?: never; fault: string } {
  const canaries = numberOf(text);
  return Number.isInteger(canaries) && canaries >= 0 && canaries <= 1000
    ? { canaries }
    : { fault: 'A whole number from 0 to 1000' };
}
