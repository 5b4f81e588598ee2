import { createHash } from 'node:crypto';
import { FIRST_MASK, KIND, SPACING, WILDCARDS } from './kinds.ts';
import type { Tokens } from './scan.ts';

/** Lines that differ in their values only. Bytes are kept as the characters U+0000 to U+00FF. */
export interface Template {
  /** Given in the order of their first lines, from 1 on. */
  readonly number: number;
  /** The first line that it was made from. */
  readonly line: string;
  readonly count: number;
  /** Start and end of each token in `line`, alternating. */
  readonly place: Uint16Array;
  readonly kind: Uint8Array;
  readonly hash: Int32Array;
  readonly gap: Int32Array;
  /** 1 where the white space of a gap is not always the same. */
  readonly spacing: Uint8Array;
  /** As the tokens have it, for the first line. */
  readonly detail: Int32Array;
  /** 1 where a text that could have been constant was found to be a value. */
  readonly open: Uint8Array;
  /** 1 where lines differ in `detail`. */
  readonly loose: Uint8Array;
  /** Lines that were taken for it. */
  lines: number;
  /** When the first and the last of them came, as a count of lines. */
  first: number;
  seen: number;
  /** The template that this one has become part of. */
  into: Template | undefined;
  /** What `idOf` has found; undefined again when the template changes. */
  id: string | undefined;
}

/** How much of a line a template keeps, bytes: the end of a cut line is a value, and is not. */
export const lengthOf = (tokens: Tokens, length: number): number =>
  tokens.isCut ? (tokens.start[tokens.count - 1] ?? 0) + 1 : length;

/** Makes a template of one line, or the kept part of it, whose tokens were just found. */
export function templateOf(tokens: Tokens, line: string, number: number): Template {
  const { count } = tokens;
  const place = new Uint16Array(count * 2);
  for (let at = 0; at < count; at++) {
    place[at * 2] = tokens.start[at] ?? 0;
    place[at * 2 + 1] = Math.min(tokens.end[at] ?? 0, line.length);
  }
  const template: Template = {
    number,
    line,
    count,
    place,
    kind: tokens.kind.slice(0, count),
    hash: tokens.hash.slice(0, count),
    gap: tokens.gap.slice(0, count + 1),
    detail: tokens.detail.slice(0, count),
    spacing: new Uint8Array(count + 1),
    open: new Uint8Array(count),
    loose: new Uint8Array(count),
    lines: 0,
    first: 0,
    seen: 0,
    into: undefined,
    id: undefined,
  };
  for (let at = 1; at < count; at++)
    if (template.kind[at] === KIND.word && isPlaceOfValue(template, at)) template.kind[at] = KIND.expected;
  return template;
}

/** Words that a name follows. */
const NOUNS = new Set(
  'user username account group host hostname node device interface file class package module process thread container pod queue topic table database domain'.split(
    ' ',
  ),
);

/** Whether a value is what one would expect at a position: after `key=`, in quotes or square brackets, after a noun that a name follows. */
function isPlaceOfValue(template: Template, at: number): boolean {
  const before = gapOf(template, at);
  if (before.endsWith('=')) return true;
  const pair = before.slice(-1) + gapOf(template, at + 1).slice(0, 1);
  if (pair === '""' || pair === "''" || pair === '[]') return true;
  return before === ' ' && NOUNS.has(textOf(template, at - 1).toLowerCase());
}

/** The template that a template has become part of in the end. */
export function rootOf(template: Template): Template {
  let root = template;
  while (root.into !== undefined) root = root.into;
  if (template.into !== undefined && template.into !== root) template.into = root;
  return root;
}

export const isValue = (kind: number | undefined): boolean => (kind ?? 0) >= FIRST_MASK || kind === KIND.user;

/** The text of a token in the first line. */
export const textOf = (template: Template, at: number): string =>
  template.line.slice(template.place[at * 2], template.place[at * 2 + 1]);

/** What stands before a token in the first line, or after the last one. */
export const gapOf = (template: Template, at: number): string =>
  template.line.slice(
    at === 0 ? 0 : template.place[at * 2 - 1],
    at === template.count ? undefined : template.place[at * 2],
  );

/** A template with its typed wildcards, such as `connection from <ip> port <num>`. */
export function textOfTemplate(template: Template): string {
  let text = '';
  for (let at = 0; at <= template.count; at++) {
    text += template.spacing[at] === 1 ? SPACING : gapOf(template, at);
    if (at === template.count) break;
    const kind = template.kind[at] ?? 0;
    text += isValue(kind) ? (WILDCARDS[kind] ?? '<*>') : textOf(template, at);
  }
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Characters of an id. */
export const ID_LENGTH = 16;

/** Hexadecimal digits that are the same wherever the text is: the first eight bytes of its SHA-256 as a little-endian number, as in `LogTemplate.id`. */
export function idOf(template: Template): string {
  if (template.id !== undefined) return template.id;
  const number = createHash('sha256').update(textOfTemplate(template)).digest().readBigUInt64LE(0);
  return (template.id = number.toString(16).padStart(ID_LENGTH, '0'));
}
