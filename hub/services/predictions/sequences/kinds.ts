import { stepOf, type Counts } from './counts.ts';

/** A kind of sequence: numbers of templates in rising order and the steps of their counts. */
export interface Kind {
  readonly templates: readonly number[];
  readonly steps: readonly number[];
  /** How many sequences were of it. */
  seen: number;
}

/** Bounds of what is remembered. */
export interface KindLimits {
  /** Different kinds; beyond it the one that was seen least goes. */
  kinds: number;
  /** Different templates that have a number; those that come later count as unseen. */
  templates: number;
  /** Over so many sequences all counts are halved, so that what is long ago weighs less and no number overflows. */
  sequences: number;
}

/** What a template does in normal sequences: how many had it at each step above 0. */
export interface Habit {
  template: string;
  readonly sequences: number[];
}

/** Kinds of normal sequences and the habits of their templates. */
export interface Memory {
  /** Sequences that were learned. */
  sequences: number;
  kinds: Map<string, Kind>;
  habits: Habit[];
  /** Numbers of the templates: places in `habits`. */
  numbers: Map<string, number>;
}

/** Nothing learned yet. */
export const emptyMemory = (): Memory => ({ sequences: 0, kinds: new Map(), habits: [], numbers: new Map() });

/** The key of a kind. */
export const keyOf = ({ templates, steps }: Pick<Kind, 'templates' | 'steps'>): string =>
  templates.map((number, place) => `${number}:${steps[place]}`).join(' ');

/** The kind of a sequence, and the templates that no normal sequence had. */
export function kindOf({ numbers }: Memory, counts: Counts) {
  const unseen: string[] = [];
  const unseenSteps: number[] = [];
  const known: [number, number][] = [];
  for (const [template, count] of counts) {
    const number = numbers.get(template);
    if (number === undefined) {
      unseen.push(template);
      unseenSteps.push(stepOf(count));
    } else known.push([number, stepOf(count)]);
  }
  known.sort(([a], [b]) => a - b);
  return { templates: known.map(([number]) => number), steps: known.map(([, step]) => step), unseen, unseenSteps };
}

function halve(memory: Memory): void {
  memory.sequences = Math.ceil(memory.sequences / 2);
  for (const [key, kind] of memory.kinds) {
    kind.seen = Math.floor(kind.seen / 2);
    if (kind.seen === 0) memory.kinds.delete(key);
  }
  for (const { sequences } of memory.habits)
    for (const [step, count] of sequences.entries()) sequences[step] = Math.floor(count / 2);
}

/** Forgets the quarter of the kinds that was seen least; of equal ones the oldest first. */
function thin(memory: Memory, limits: KindLimits): void {
  const bySeen = [...memory.kinds].sort(([, a], [, b]) => a.seen - b.seen);
  for (const [key] of bySeen.slice(0, Math.max(1, Math.floor(limits.kinds / 4)))) memory.kinds.delete(key);
}

/** Learns one normal sequence. */
export function learn(memory: Memory, counts: Counts, limits: KindLimits): void {
  for (const template of counts.keys())
    if (!memory.numbers.has(template) && memory.habits.length < limits.templates) {
      memory.numbers.set(template, memory.habits.length);
      memory.habits.push({ template, sequences: [] });
    }
  const { templates, steps } = kindOf(memory, counts);
  for (const [place, number] of templates.entries()) {
    const { sequences } = memory.habits[number]!;
    const step = steps[place]!;
    while (sequences.length <= step) sequences.push(0);
    sequences[step] = sequences[step]! + 1;
  }
  memory.sequences += 1;
  const key = keyOf({ templates, steps });
  const kind = memory.kinds.get(key);
  if (kind === undefined) {
    if (memory.kinds.size >= limits.kinds) thin(memory, limits);
    memory.kinds.set(key, { templates, steps, seen: 1 });
  } else kind.seen += 1;
  if (memory.sequences >= limits.sequences) halve(memory);
}
