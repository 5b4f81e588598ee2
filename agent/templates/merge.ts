import { FIRST_MASK, KIND } from './kinds.ts';
import { VALUE } from './words.ts';
import { rootOf, type Template } from './template.ts';

const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca6b | 0;

/** Two hashes in one number below 2^53. */
const joined = (a: number, b: number): number => (a >>> 0) * 0x200000 + (b >>> 11);

/** The key of a sequence of tokens; the position `but` counts as a value. */
export function keyOf(template: Pick<Template, 'count' | 'hash' | 'gap'>, but = -1, too = -1): number {
  const { count, hash, gap } = template;
  let a = count;
  let b = 0;
  for (let at = 0; at < count; at++) {
    const of = at === but || at === too ? VALUE : (hash[at] ?? 0);
    const between = gap[at] ?? 0;
    a = Math.imul(a ^ between, P1) ^ (a >>> 15);
    a = Math.imul(a ^ of, P1) ^ (a >>> 13);
    b = Math.imul(((b << 7) | (b >>> 25)) + between, P2);
    b = Math.imul(((b << 5) | (b >>> 27)) + of, P2);
  }
  const last = gap[count] ?? 0;
  a = Math.imul(a ^ last, P1);
  b = Math.imul(b + last, P2);
  return joined(a ^ (a >>> 16), b ^ (b >>> 15));
}

const isSoft = (kind: number): boolean => kind !== KIND.word && kind < FIRST_MASK;

/**
 * How many different texts at a position are proof that it holds values. Tried on eight systems of Loghub-2k: no figure of any of them changes while `PLAIN`
 * is 4 to 8 and `FEW` 6 to 12; with 8 for `FIRST` Linux's "cupsd startup succeeded" is made one with those of other services; with 2 or 4 for `EXPECTED`
 * the average GA falls by .02, with 3 for `CODED` by .001.
 */
const PLAIN = 6;
/** Where hardly any other word says what the line is about. */
const FEW = 8;
/** At the beginning of a line, where its subject stands. */
const FIRST = 12;
const FIRST_NAME = 4;
/** Where a value is expected, or where the superuser's name stood once. */
const EXPECTED = 3;
/** Of what has digits or dots in it. */
const CODED = 2;
/** So much is proof at any rate. */
const CERTAIN = 99;

function wordsBeside(template: Template, at: number): number {
  let words = 0;
  for (let other = 0; other < template.count; other++) if (other !== at && template.kind[other] === KIND.word) words++;
  return words;
}

function proof(template: Template, at: number, kind: number): number {
  if (kind === KIND.code) return CODED;
  if (kind === KIND.name) return at === 0 ? FIRST_NAME : CODED;
  if (at === 0) return FIRST;
  if (kind === KIND.expected || kind === KIND.quoted) return EXPECTED;
  return wordsBeside(template, at) > 2 ? PLAIN : FEW;
}

/** Makes one template of several that have the same number of tokens and the same gaps. */
function unite(templates: readonly Template[]): Template {
  let main = templates[0] as Template;
  for (const one of templates)
    if (one.lines > main.lines || (one.lines === main.lines && one.number < main.number)) main = one;
  for (const one of templates) {
    if (one === main) continue;
    for (let at = 0; at < main.count; at++) {
      const [mine, other] = [main.kind[at] ?? 0, one.kind[at] ?? 0];
      if (one.loose[at] === 1 || one.detail[at] !== main.detail[at]) main.loose[at] = 1;
      if (main.hash[at] === one.hash[at] && mine === other) continue;
      if (main.hash[at] === one.hash[at] && mine < FIRST_MASK) continue;
      main.kind[at] = mine === other && mine >= FIRST_MASK ? mine : KIND.any;
      main.hash[at] = VALUE;
      main.open[at] = 1;
    }
    for (let at = 0; at <= main.count; at++) if (one.spacing[at] === 1) main.spacing[at] = 1;
    main.lines += one.lines;
    main.first = Math.min(main.first, one.first);
    main.seen = Math.max(main.seen, one.seen);
    one.into = main;
  }
  main.id = undefined;
  return main;
}

/** Puts templates into buckets by a key; only buckets with two or more matter. */
function bucketsOf(
  templates: Iterable<Template>,
  keys: (template: Template, add: (key: number, at: number) => void) => void,
) {
  const buckets = new Map<number, { at: number; members: Template[] }>();
  for (const template of templates) {
    keys(template, (key, at) => {
      const bucket = buckets.get(key);
      if (bucket === undefined) buckets.set(key, { at, members: [template] });
      else bucket.members.push(template);
    });
  }
  return [...buckets.values()].filter(({ members }) => members.length > 1);
}

/** How much of the proof there is that a position holds values: 1 and more is enough. */
function evidence(members: readonly Template[], at: number): number {
  const texts = new Set<number>();
  let needed = 0;
  let hasUser = false;
  let hasValue = false;
  let isClear = true;
  for (const one of members) {
    const kind = one.kind[at] ?? 0;
    if (kind >= FIRST_MASK) hasValue = true;
    else if (kind === KIND.user) hasUser = true;
    else texts.add(one.hash[at] ?? 0);
    if (kind >= FIRST_MASK || kind === KIND.user || kind === KIND.empty) continue;
    needed = Math.max(needed, proof(one, at, kind));
    if (kind === KIND.word && wordsBeside(one, at) < 2) isClear = false;
  }
  if (texts.size + (hasUser ? 1 : 0) + (hasValue ? 1 : 0) <= 1) return CERTAIN;
  // A word where others have a number is a value too, unless nearly nothing else makes the lines alike.
  if (hasValue && isClear) return CERTAIN;
  if (hasUser) needed = Math.min(needed, EXPECTED);
  return needed === 0 ? 0 : (texts.size + (hasValue ? 1 : 0)) / needed;
}

/** Unites what a bucket holds, split at positions that show too few values. */
function resolve(members: readonly Template[]): boolean {
  const first = members[0];
  if (first === undefined || members.length < 2) return false;
  let weakest = -1;
  let least = 1;
  for (let at = 0; at < first.count; at++) {
    const found = evidence(members, at);
    if (found < least) {
      least = found;
      weakest = at;
    }
  }
  if (weakest < 0) {
    unite(members);
    return true;
  }
  const parts = new Map<number, Template[]>();
  for (const one of members) {
    const key = one.hash[weakest] ?? 0;
    parts.set(key, [...(parts.get(key) ?? []), one]);
  }
  let changed = false;
  for (const part of parts.values()) if (resolve(part)) changed = true;
  return changed;
}

const masked: { count: number; hash: Int32Array; gap: Int32Array } = {
  count: 0,
  hash: new Int32Array(256),
  gap: new Int32Array(257),
};

function softKey(template: Template): number {
  masked.count = template.count;
  masked.gap = template.gap;
  for (let at = 0; at < template.count; at++)
    masked.hash[at] = isSoft(template.kind[at] ?? 0) ? VALUE : (template.hash[at] ?? 0);
  return keyOf(masked);
}

/** Unites templates as far as the values that they show are proof of it. */
export function mergeTemplates(templates: readonly Template[]): Template[] {
  let live = templates.filter(({ into }) => into === undefined);
  for (let round = 0; round < 6; round++) {
    let changed = false;
    for (const { members } of bucketsOf(live, (one, add) => add(softKey(one), -1)))
      if (resolve(members)) changed = true;
    live = live.filter(({ into }) => into === undefined);
    const single = bucketsOf(live, (one, add) => {
      for (let at = 0; at < one.count; at++) if ((one.kind[at] ?? 0) < FIRST_MASK) add(keyOf(one, at), at);
      add(keyOf(one), -1);
    });
    for (const { at, members } of single) {
      const roots = [...new Set(members.map(rootOf))];
      if (roots.length < 2) continue;
      if (at < 0 || evidence(members, at) >= 1) {
        unite(roots);
        changed = true;
      }
    }
    live = live.filter(({ into }) => into === undefined);
    if (!changed) break;
  }
  return live;
}
