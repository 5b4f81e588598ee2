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
    faults.push(`${path}: cannot be read (${reasonOf(error)})`);
    return NOTHING;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { message, pos } of document.errors)
    faults.push(`${path}:${lines.linePos(pos[0]).line}: ${message.split('\n')[0] ?? 'not YAML'}`);
  if (document.errors.length > 0) return NOTHING;
  let tree: unknown;
  try {
    tree = document.toJS();
  } catch (error) {
    faults.push(`${path}: ${reasonOf(error)}`); // An alias without its anchor, or too many of them.
    return NOTHING;
  }
  if (tree === null || tree === undefined) return NOTHING;
  if (typeof tree !== 'object' || Array.isArray(tree)) {
    faults.push(`${path}: must be a mapping of settings`);
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

/** Puts the file and the line before a fault of something that stands in the file. */
export function withLine(fault: string, path: string, { lineOf }: SettingsFile): string {
  const [, place = '', unknown] = /^([\w-]+(?:\.[\w-]+)*): (?:does not know "([^"]+)")?/.exec(fault) ?? [];
  if (place === '') return fault;
  const keys = [...(place === 'settings' ? [] : place.split('.')), ...(unknown === undefined ? [] : [unknown])];
  const line = lineOf(keys);
  return line === undefined ? fault : `${path}:${line}: ${fault}`;
}
