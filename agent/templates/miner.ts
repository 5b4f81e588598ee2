import { FIRST_MASK, KIND } from './kinds.ts';
import { keyOf, mergeTemplates, VALUE } from './merge.ts';
import { createScanner, MOST_TOKENS, type Tokens } from './scan.ts';
import { restoredOf, savedOf, type SavedTemplates } from './state.ts';
import { lengthOf, rootOf, templateOf, type Template } from './template.ts';
import { parametersOf } from './parameters.ts';

/** Templates that are kept. The ones that no line came for the longest time go first. */
const MOST_TEMPLATES = 4096;
/** What they may take together: characters of their first lines, and 32 for each token. */
const MOST_WEIGHT = 4_000_000;
/** Ways to write lines that are known at once; beyond it the table is made anew from the templates. */
const MOST_FORMS = 16_384;
/** Kinds of openness that are tried for a line of a length that no form fits. */
const MOST_PATTERNS = 32;
/** New templates after which merging is worth its time. */
const FRESH = 256;

export interface MinerOptions {
  /** A template was forgotten to make room; it will get no line again. */
  forgotten?: (template: Template) => void;
  /** A template has become part of another, which stands in its `into`. */
  merged?: (template: Template) => void;
}

/** Finds the templates of lines as they come. Holds a bounded amount of memory whatever comes. */
export interface Miner {
  /** The template of a line: the bytes from `from` to `to`, without the line's end. Never throws. */
  take(bytes: Buffer, from: number, to: number): Template;
  /** The values of the line that was taken last, in their order: views of its bytes. With its template they give the line again (`fill`). */
  parameters(template: Template): Buffer[];
  /** Merges what can be merged by now. It happens by itself whenever many templates are new; do so before templates are shown. */
  settle(): void;
  templates(): readonly Template[];
  /** What a next start goes on from. */
  save(): SavedTemplates;
}

function sameText(template: Template, at: number, bytes: Buffer, offset: number, length: number): boolean {
  const { line } = template;
  for (let n = 0; n < length; n++) if (line.charCodeAt(at + n) !== bytes[offset + n]) return false;
  return true;
}

const squeezed = (text: string): string => text.replace(/[\0- \x7f]+/g, ' ');

/** Whether the constants of a template stand in a line. Notes where its white space differs. */
function fits(template: Template, tokens: Tokens, bytes: Buffer, from: number, to: number): boolean {
  const { count, place, kind, line, spacing } = template;
  if (count !== tokens.count) return false;
  let own = 0;
  let theirs = 0;
  for (let at = 0; at <= count; at++) {
    const ownEnd = at === count ? line.length : (place[at * 2] ?? 0);
    const theirEnd = at === count ? to - from : (tokens.start[at] ?? 0);
    if (spacing[at] === 0 && !(ownEnd - own === theirEnd - theirs && sameText(template, own, bytes, from + theirs, ownEnd - own))) {
      const mine = squeezed(line.slice(own, ownEnd));
      const other = squeezed(bytes.toString('latin1', from + theirs, from + theirEnd));
      if (at === count ? mine.trimEnd() !== other.trimEnd() : mine !== other) return false;
      spacing[at] = 1;
      template.id = undefined;
    }
    if (at === count) break;
    own = place[at * 2 + 1] ?? 0;
    theirs = tokens.end[at] ?? 0;
    const of = kind[at] ?? 0;
    if (of >= FIRST_MASK || of === KIND.user) {
      if (of !== tokens.kind[at] && of !== KIND.any) {
        kind[at] = KIND.any;
        template.id = undefined;
      }
      if (template.detail[at] !== tokens.detail[at]) template.loose[at] = 1;
      continue;
    }
    if (own - ownEnd !== theirs - theirEnd || !sameText(template, ownEnd, bytes, from + theirEnd, own - ownEnd)) return false;
  }
  return true;
}

const weightOf = ({ line, count }: Template): number => line.length + 32 * count;

/** Which positions of templates are open, by number of tokens. */
function openPatterns(templates: readonly Template[]): Map<number, number[][]> {
  const found = new Map<string, { count: number; positions: number[]; lines: number }>();
  for (const { count, open, lines } of templates) {
    const positions: number[] = [];
    for (let at = 0; at < count; at++) if (open[at] === 1) positions.push(at);
    if (positions.length === 0) continue;
    const name = `${count}:${positions.join()}`;
    const known = found.get(name);
    if (known === undefined) found.set(name, { count, positions, lines });
    else known.lines += lines;
  }
  const patterns = new Map<number, number[][]>();
  for (const { count, positions } of [...found.values()].sort((a, b) => b.lines - a.lines)) {
    const list = patterns.get(count) ?? [];
    if (list.length < MOST_PATTERNS) patterns.set(count, [...list, positions]);
  }
  return patterns;
}

/** Makes a miner, empty or with what another has saved. */
export function createMiner(saved?: SavedTemplates, options: MinerOptions = {}): Miner {
  const scanner = createScanner();
  const { tokens } = scanner;
  const forms = new Map<number, Template>();
  const trial = { count: 0, hash: new Int32Array(MOST_TOKENS + 1), gap: tokens.gap };
  let live: Template[] = restoredOf(saved, scanner);
  let lines = saved?.lines ?? 0;
  let made = live.reduce((most, { number }) => Math.max(most, number), 0);
  let weight = 0;
  let fresh = 0;
  let patterns = new Map<number, number[][]>();
  let taken = Buffer.alloc(0) as Buffer;
  let takenFrom = 0;
  let takenTo = 0;

  function know(): void {
    if (forms.size > MOST_FORMS) forms.clear();
    patterns = openPatterns(live);
    weight = 0;
    for (const one of live) {
      forms.set(keyOf(one), one);
      weight += weightOf(one);
    }
  }
  function settle(): void {
    const before = live;
    live = mergeTemplates(live);
    fresh = 0;
    if (options.merged !== undefined) for (const one of before) if (one.into !== undefined) options.merged(one);
    know();
  }
  /** Leaves out what no line came for the longest time: down to three quarters of what may be kept. */
  function forget(): void {
    settle();
    if (live.length <= MOST_TEMPLATES * 0.75 && weight <= MOST_WEIGHT * 0.75) return;
    live.sort((a, b) => b.seen - a.seen);
    let kept = 0;
    for (let sum = 0; kept < live.length && kept < MOST_TEMPLATES * 0.75; kept++) {
      sum += weightOf(live[kept] as Template);
      if (sum > MOST_WEIGHT * 0.75) break;
    }
    const gone = live.slice(kept);
    live = live.slice(0, kept);
    if (options.forgotten !== undefined) gone.forEach(options.forgotten);
    forms.clear();
    know();
  }
  /** The template that a line belongs to by the positions that are open in it. */
  function byPattern(bytes: Buffer, from: number, to: number): Template | undefined {
    const tried = patterns.get(tokens.count);
    if (tried === undefined) return undefined;
    trial.count = tokens.count;
    for (const positions of tried) {
      for (let at = 0; at < tokens.count; at++) trial.hash[at] = tokens.hash[at] ?? 0;
      for (const at of positions) trial.hash[at] = VALUE;
      const form = forms.get(keyOf(trial));
      if (form === undefined) continue;
      const found = rootOf(form);
      if (fits(found, tokens, bytes, from, to)) return found;
    }
    return undefined;
  }
  function unknown(bytes: Buffer, from: number, to: number): Template {
    const line = bytes.toString('latin1', from, from + lengthOf(tokens, to - from));
    const template = templateOf(tokens, line, ++made);
    template.first = lines;
    live.push(template);
    weight += weightOf(template);
    fresh++;
    return template;
  }
  know();

  return {
    take(bytes, from, to) {
      scanner.scan(bytes, from, to);
      taken = bytes;
      takenFrom = from;
      takenTo = to;
      lines++;
      const key = keyOf(tokens);
      let found = forms.get(key);
      if (found !== undefined) found = rootOf(found);
      if (found === undefined || !fits(found, tokens, bytes, from, to)) {
        found = byPattern(bytes, from, to) ?? unknown(bytes, from, to);
        forms.set(key, found);
      }
      found.lines++;
      found.seen = lines;
      if (live.length > MOST_TEMPLATES || weight > MOST_WEIGHT) forget();
      else if (fresh > Math.max(FRESH, live.length / 4) || forms.size > MOST_FORMS) settle();
      return rootOf(found);
    },
    parameters: (template) => parametersOf(template, tokens, taken.subarray(takenFrom, takenTo)),
    settle,
    templates: () => live,
    save: () => savedOf(live, lines),
  };
}
