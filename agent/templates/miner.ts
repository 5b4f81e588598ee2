import { fits, type Lying } from './fits.ts';
import { keyOf, mergeTemplates } from './merge.ts';
import { parametersOf, placesOf } from './parameters.ts';
import { createScanner, MOST_TOKENS, type Scanner } from './scan.ts';
import { restoredOf, savedOf, type SavedTemplates } from './state.ts';
import { lengthOf, rootOf, templateOf, type Template } from './template.ts';
import { VALUE } from './words.ts';

/** Values of a line: one for each token, and one for each gap. */
export const MOST_PLACES = 2 * MOST_TOKENS + 1;
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
  /** The same as places in the line, see `placesOf`; `out` holds `2 * MOST_PLACES` numbers. Returns how many there are. */
  places(template: Template, out: Uint32Array): number;
  /** Merges what can be merged by now, where a template is new since the last time. It happens by itself whenever many are; do so before templates are shown. */
  settle(): void;
  templates(): readonly Template[];
  /** What a next start goes on from. */
  save(): SavedTemplates;
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

/** A miner at work. */
interface MinerState {
  readonly scanner: Scanner;
  readonly options: MinerOptions;
  /** Templates by the keys that were met. */
  readonly forms: Map<number, Template>;
  /** The tokens of the line with some positions open. */
  readonly trial: { count: number; hash: Int32Array; gap: Int32Array };
  live: Template[];
  patterns: Map<number, number[][]>;
  lines: number;
  made: number;
  weight: number;
  /** Templates that are new since the last merging. */
  fresh: number;
  /** The line that was taken last. */
  readonly lying: Lying;
}

/** Makes the tables anew from the templates. */
function know(state: MinerState): void {
  const { forms, live } = state;
  if (forms.size > MOST_FORMS) forms.clear();
  state.patterns = openPatterns(live);
  state.weight = 0;
  for (const one of live) {
    forms.set(keyOf(one), one);
    state.weight += weightOf(one);
  }
}

function settle(state: MinerState): void {
  const before = state.live;
  state.live = mergeTemplates(before);
  state.fresh = 0;
  const { merged } = state.options;
  if (merged !== undefined) for (const one of before) if (one.into !== undefined) merged(one);
  know(state);
}

/** Leaves out what no line came for the longest time: down to three quarters of what may be kept. */
function forget(state: MinerState): void {
  settle(state);
  const { live } = state;
  if (live.length <= MOST_TEMPLATES * 0.75 && state.weight <= MOST_WEIGHT * 0.75) return;
  live.sort((a, b) => b.seen - a.seen);
  let kept = 0;
  let sum = 0;
  for (const one of live) {
    sum += weightOf(one);
    if (kept >= MOST_TEMPLATES * 0.75 || sum > MOST_WEIGHT * 0.75) break;
    kept++;
  }
  state.live = live.slice(0, kept);
  if (state.options.forgotten !== undefined) live.slice(kept).forEach(state.options.forgotten);
  state.forms.clear();
  know(state);
}

/** The template that a line belongs to by the positions that are open in it. */
function byPattern({ scanner: { tokens }, patterns, trial, forms, lying }: MinerState): Template | undefined {
  const tried = patterns.get(tokens.count);
  if (tried === undefined) return undefined;
  trial.count = tokens.count;
  for (const positions of tried) {
    for (let at = 0; at < tokens.count; at++) trial.hash[at] = tokens.hash[at] ?? 0;
    for (const at of positions) trial.hash[at] = VALUE;
    const form = forms.get(keyOf(trial));
    if (form === undefined) continue;
    const found = rootOf(form);
    if (fits(found, tokens, lying)) return found;
  }
  return undefined;
}

function newTemplate(state: MinerState): Template {
  const { scanner, lying, lines } = state;
  const { bytes, from, to } = lying;
  const line = bytes.toString('latin1', from, from + lengthOf(scanner.tokens, to - from));
  const template = templateOf(scanner.tokens, line, ++state.made);
  template.first = lines;
  state.live.push(template);
  state.weight += weightOf(template);
  state.fresh++;
  return template;
}

function take(state: MinerState): Template {
  const { scanner, forms, lying } = state;
  const { tokens } = scanner;
  scanner.scan(lying.bytes, lying.from, lying.to);
  state.lines++;
  const key = keyOf(tokens);
  const form = forms.get(key);
  let found = form === undefined ? undefined : rootOf(form);
  if (found === undefined || !fits(found, tokens, lying)) {
    found = byPattern(state) ?? newTemplate(state);
    forms.set(key, found);
  }
  found.lines++;
  found.seen = state.lines;
  if (state.live.length > MOST_TEMPLATES || state.weight > MOST_WEIGHT) forget(state);
  else if (state.fresh > Math.max(FRESH, state.live.length / 4) || forms.size > MOST_FORMS) settle(state);
  return rootOf(found);
}

/** Makes a miner, empty or with what another has saved. */
export function createMiner(saved?: SavedTemplates, options: MinerOptions = {}): Miner {
  const scanner = createScanner();
  const live = restoredOf(saved, scanner);
  const state: MinerState = {
    scanner,
    options,
    forms: new Map(),
    trial: { count: 0, hash: new Int32Array(MOST_TOKENS + 1), gap: scanner.tokens.gap },
    live,
    patterns: new Map(),
    lines: live.length === 0 ? 0 : (saved?.lines ?? 0),
    made: live.reduce((most, { number }) => Math.max(most, number), 0),
    weight: 0,
    fresh: 0,
    lying: { bytes: Buffer.alloc(0), from: 0, to: 0, at: 0 },
  };
  know(state);
  const { lying } = state;
  return {
    take(bytes, from, to) {
      lying.bytes = bytes;
      lying.from = from;
      lying.to = to;
      return take(state);
    },
    parameters: (template) => parametersOf(template, scanner.tokens, lying.bytes.subarray(lying.from, lying.to)),
    places: (template, out) => placesOf(template, scanner.tokens, lying.to - lying.from, out),
    settle() {
      if (state.fresh > 0) settle(state);
    },
    templates: () => state.live,
    save: () => savedOf(state.live, state.lines),
  };
}
