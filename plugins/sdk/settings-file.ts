import { readFileSync } from 'node:fs';
import { isCollection, isPair, isScalar, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import { reasonOf } from './problem.ts';

/** A tree of settings before it is checked. */
export type Settings = Record<string, unknown>;

/** A place in a text; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** What a settings file says, and where. */
export interface SettingsFile {
  tree: Settings;
  /** Where a setting stands, or the nearest one above it; undefined when the file says nothing of it. */
  positionOf(place: readonly string[]): Position | undefined;
  /** The line of a setting, or of the nearest one above it; undefined when the file says nothing of it. */
  lineOf(place: readonly string[]): number | undefined;
}

const NOTHING: SettingsFile = { tree: {}, positionOf: () => undefined, lineOf: () => undefined };

/** The name of a place in a file as compilers write it, `file:line:column`, so that editors lead there. */
export const placeName = (file: string, { line, column }: Position): string => `${file}:${line}:${column}`;

/** Faults of YAML itself as a person meets them; the rarer ones are told in the parser's words. */
const SYNTAX: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'is indented with a tab; YAML takes blanks only',
  BAD_INDENT: 'the indentation does not fit the lines above, or a bracket or quote before it is not closed',
  MISSING_CHAR: 'something is not closed or left out: a quote, a bracket, a comma, or the blank after a colon',
  DUPLICATE_KEY: 'the same name stands here a second time; put both together',
  BLOCK_AS_IMPLICIT_KEY:
    'a name with a colon stands inside the value of another one: put it on a line of its own, or quote the value',
  MULTILINE_IMPLICIT_KEY: 'a colon is missing after a name, or the line before it goes on here',
  BAD_SCALAR_START: 'a value that begins with this character has to be quoted',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape that there is none of; use single quotes',
  BAD_ALIAS: 'an asterisk begins the name of an anchor; quote a value that begins with *',
  MULTIPLE_DOCS: 'a second document begins here; a settings file holds one',
};

/** Faults beside which the rest of a file is as its author meant it, and is checked too. */
const LEAVES_THE_REST = new Set<string>(['DUPLICATE_KEY', 'BAD_DQ_ESCAPE', 'MULTIPLE_DOCS']);

/** Why a file cannot be read, and what to do. */
function unreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'is a folder, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it; try again with sudo';
  return `cannot be read (${reasonOf(error)})`;
}

/** The node at a place, or of as much of the place as the file has; its key where it has one. */
function nodeAt(document: Document, place: readonly string[]): Node | undefined {
  let node: unknown = document.contents;
  let found: Node | undefined;
  for (const key of place) {
    if (!isCollection(node)) break;
    const item = node.items.find((one, index) =>
      isPair(one) ? isScalar(one.key) && String(one.key.value) === key : String(index) === key,
    );
    if (item === undefined) break;
    found = (isPair(item) ? item.key : item) as Node;
    node = isPair(item) ? item.value : item;
  }
  return found;
}

/** The begin of the first alias that names no anchor before it; undefined where none is to blame. */
function badAlias(document: Document): number | undefined {
  let begin: number | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      begin = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return begin;
}

/** The tree of a document; what keeps it from being one is a fault without its place. */
function treeOf(document: Document): { tree: Settings | undefined } | { fault: string; offset: number | undefined } {
  let tree: unknown;
  try {
    tree = document.toJS();
  } catch (error) {
    // An alias without its anchor, or too many of them.
    const fault = `a name after * is no anchor, or there are too many; quote a value that begins with * (${reasonOf(error)})`;
    return { fault, offset: badAlias(document) };
  }
  if (tree === null || tree === undefined) return { tree: undefined };
  if (typeof tree === 'object' && !Array.isArray(tree)) return { tree: tree as Settings };
  const what = Array.isArray(tree) ? 'a list' : 'one text';
  return { fault: `must hold settings as "name: value" lines, and is ${what}`, offset: undefined };
}

/** Reads a YAML file; each syntax fault is a line of `faults` with its line and column. */
export function readSettingsFile(path: string, faults: string[]): SettingsFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    faults.push(`${path}: ${unreadable(error)}`);
    return NOTHING;
  }
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col: column } = lines.linePos(offset);
    return { line, column };
  };
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { code, message, pos } of document.errors)
    faults.push(`${placeName(path, at(pos[0]))}: ${SYNTAX[code] ?? message.split('\n')[0] ?? 'is not YAML'}`);
  if (document.errors.some(({ code }) => !LEAVES_THE_REST.has(code))) return NOTHING;
  const read = treeOf(document);
  if ('fault' in read) {
    faults.push(`${read.offset === undefined ? path : placeName(path, at(read.offset))}: ${read.fault}`);
    return NOTHING;
  }
  if (read.tree === undefined) return NOTHING;
  const positionOf = (place: readonly string[]): Position | undefined => {
    const begin = nodeAt(document, place)?.range?.[0];
    return begin === undefined ? undefined : at(begin);
  };
  return { tree: read.tree, positionOf, lineOf: (place) => positionOf(place)?.line };
}

/** By place in their file; those that have none come first. */
export function byPosition(a: Position | undefined, b: Position | undefined): number {
  return (a?.line ?? -1) - (b?.line ?? -1) || (a?.column ?? 0) - (b?.column ?? 0);
}

/** The place that a fault speaks of: its keys, empty for one that names no setting. */
export function placeOf(fault: string): string[] {
  const [, place = '', unknown] = /^([\w-]+(?:\.[\w-]+)*): (?:there is no "([^"]+)")?/.exec(fault) ?? [];
  if (place === '') return [];
  return [...(place === 'settings' ? [] : place.split('.')), ...(unknown === undefined ? [] : [unknown])];
}
