import { DOCUMENT_LIMIT, PushedDocument } from '#proto/agent/v1/pushed.ts';
import { checkSettings, type Settings } from '#sdk';
import { patternFault } from '../redact/own-patterns.ts';

/** Milliseconds that looking at all patterns of a document may take; a hub gone wrong must not keep the agent busy. */
const PATIENCE_MS = 5_000;

/** What stands in a text that the hub pushed, or why it is refused. */
export type ReadDocument = { document: PushedDocument; problem?: never } | { document?: never; problem: string };

/** Every pattern of a document, with its place. */
function patternsOf({ drop = [], redact }: PushedDocument): { place: string; pattern: string; ignoreCase?: boolean }[] {
  return [
    ...drop.flatMap(({ pattern }, n) => (pattern === undefined ? [] : [{ place: `drop.${n}.pattern`, pattern }])),
    ...(redact?.patterns ?? []).map(({ pattern, ignoreCase }, n) => ({
      place: `redact.patterns.${n}.pattern`,
      pattern,
      ...(ignoreCase === undefined ? {} : { ignoreCase }),
    })),
  ];
}

/** What is wrong with patterns, each with its place. */
function faultsOfPatterns(document: PushedDocument): string[] {
  const begun = performance.now();
  const faults: string[] = [];
  for (const { place, pattern, ignoreCase } of patternsOf(document)) {
    if (performance.now() - begun > PATIENCE_MS)
      return [...faults, `${place}: looking at so many patterns takes too long`];
    const fault = patternFault(pattern, ignoreCase);
    if (fault !== undefined) faults.push(`${place}: ${fault}`);
  }
  return faults;
}

/** What a schema cannot say. */
function faultsOf(document: PushedDocument, collectors: readonly string[]): string[] {
  const unknown = Object.keys(document.collectors ?? {}).filter((name) => !collectors.includes(name));
  const empty = (document.drop ?? []).flatMap(({ pattern, below }, n) =>
    pattern === undefined && below === undefined ? [`drop.${n}: names neither a pattern nor a level`] : [],
  );
  return [...unknown.map((name) => `collectors.${name}: this agent has no such collector`), ...empty];
}

/** Reads what the hub pushed by this agent's own list of what may be pushed: one member beyond it refuses the whole. */
export function readDocument(text: string, collectors: readonly string[]): ReadDocument {
  if (text.length > DOCUMENT_LIMIT) return { problem: `the document is longer than ${DOCUMENT_LIMIT} characters` };
  let tree: unknown;
  try {
    tree = JSON.parse(text, (key, value: unknown) => {
      // It would vanish on its way into an object, and so get past the list.
      if (key === '__proto__') throw new Error('it has a hidden member');
      return value;
    });
  } catch {
    return { problem: 'the document is not JSON, or hides a member' };
  }
  const faults: string[] = [];
  const document = checkSettings(PushedDocument, tree, faults);
  if (faults.length === 0) faults.push(...faultsOf(document, collectors), ...faultsOfPatterns(document));
  return faults.length === 0 ? { document } : { problem: faults.join('\n').slice(0, 2000) };
}

const branch = (tree: unknown): Settings => (typeof tree === 'object' && tree !== null ? (tree as Settings) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** Puts a document over what a file says. Levels and intervals replace the file's, rules are added to its own. */
export function overFile(file: Settings, { log, collectors, drop, redact }: PushedDocument): Settings {
  const intervals = Object.entries(collectors ?? {}).map(([name, own]) => [
    name,
    { ...branch(branch(file['collectors'])[name]), ...own },
  ]);
  const { patterns = [], ...shown } = redact ?? {};
  const hidden = branch(file['redact']);
  return {
    ...file,
    ...(log === undefined ? {} : { log: { ...branch(file['log']), ...log } }),
    ...(collectors === undefined
      ? {}
      : { collectors: { ...branch(file['collectors']), ...(Object.fromEntries(intervals) as Settings) } }),
    ...(drop === undefined ? {} : { drop: [...list(file['drop']), ...drop] }),
    ...(redact === undefined
      ? {}
      : { redact: { ...hidden, ...shown, patterns: [...list(hidden['patterns']), ...patterns] } }),
  };
}
