import { readFileSync } from 'node:fs';
import { isCollection, isPair, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { reasonOf } from './problem.ts';

/** A tree of settings before it is checked. */
export type Settings = Record<string, unknown>;

/** What a settings file says, and where. */
export interface SettingsFile {
  tree: Settings;
  /** The line of a setting, or of the nearest one above it; undefined when the file says nothing of it. */
  lineOf(place: readonly string[]): number | undefined;
}

const NOTHING: SettingsFile = { tree: {}, lineOf: () => undefined };

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

/** Reads a YAML file; each syntax fault is a line of `faults` with its line number. */
export function readSettingsFile(path: string, faults: string[]): SettingsFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    faults.push(`${path}: ${unreadable(error)}`);
    return NOTHING;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { code, message, pos } of document.errors)
    faults.push(`${path}:${lines.linePos(pos[0]).line}: ${SYNTAX[code] ?? message.split('\n')[0] ?? 'is not YAML'}`);
  if (document.errors.length > 0) return NOTHING;
  let tree: unknown;
  try {
    tree = document.toJS();
  } catch (error) {
    faults.push(
      `${path}: a name after * is no anchor, or there are too many; quote a value that begins with * (${reasonOf(error)})`,
    ); // An alias without its anchor, or too many of them.
    return NOTHING;
  }
  if (tree === null || tree === undefined) return NOTHING;
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    faults.push(
      `${path}: must hold settings as "name: value" lines, and is ${Array.isArray(tree) ? 'a list' : 'one text'}`,
    );
    return NOTHING;
  }
  return {
    tree: tree as Settings,
    lineOf(place) {
      const begin = nodeAt(document, place)?.range?.[0];
      return begin === undefined ? undefined : lines.linePos(begin).line;
    },
  };
}

/** The place that a fault speaks of: its keys, empty for one that names no setting. */
export function placeOf(fault: string): string[] {
  const [, place = '', unknown] = /^([\w-]+(?:\.[\w-]+)*): (?:there is no "([^"]+)")?/.exec(fault) ?? [];
  if (place === '') return [];
  return [...(place === 'settings' ? [] : place.split('.')), ...(unknown === undefined ? [] : [unknown])];
}
