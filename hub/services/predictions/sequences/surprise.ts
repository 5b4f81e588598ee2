import { keyOf, type Kind, type Memory } from './kinds.ts';

/** What about a sequence differs from the normal kind that it is nearest to. */
export interface Change {
  /** A place in the memory's habits. */
  number: number;
  /** Steps of its count: in the sequence, and in the normal kind. */
  step: number;
  normal: number;
  /** -ln of the share of normal sequences with a count of about this, nats. */
  surprise: number;
}

/** How strange a sequence is. */
export interface Strangeness {
  /** Nats; 0 where the very kind was seen. */
  surprise: number;
  changes: readonly Change[];
}

/** Half a sequence more than was seen, as Jeffreys' prior has it: what never happened is not impossible. */
const PRIOR = 0.5;
/** What the neighbouring half octave says of a count. */
const NEIGHBOUR = 0.5;
/** Nats that each step is worth by which a window's count lies beyond all that was seen. */
const BEYOND = 1;
/** Under one nat (a share above 1/e) a change is no surprise at all, and not one of the several that add up. */
const SURPRISING = 1;

/** How many steps a count lies outside of those that were seen, one aside, which `NEIGHBOUR` speaks for. */
function stepsBeyond(memory: Memory, number: number, step: number, left: number): number {
  const sequences = memory.habits[number]?.sequences ?? [];
  const having = sequences.reduce((sum, count) => sum + count, 0);
  const isSeen = (at: number): boolean =>
    (at === 0 ? memory.sequences - having : (sequences[at] ?? 0)) > (at === step ? left : 0);
  let [least, most] = [Infinity, 0];
  for (let at = 0; at < sequences.length; at += 1) if (isSeen(at)) [least, most] = [Math.min(least, at), at];
  return Math.max(0, step - most - 1, least === Infinity ? 0 : least - step - 1);
}

/** -ln of the share of normal sequences in which a template's count is of this step. Rare templates weigh more so: it is their idf. `left` sequences of this very kind are left out; they stay in the sum, so that what is judged later is judged alike. */
function surpriseOf(memory: Memory, number: number, step: number, left: number): number {
  const sequences = memory.habits[number]?.sequences ?? [];
  let seen: number;
  if (step === 0) seen = memory.sequences - sequences.reduce((sum, count) => sum + count, 0) - left;
  else {
    const below = step > 1 ? (sequences[step - 1] ?? 0) : 0;
    seen = (sequences[step] ?? 0) - left + NEIGHBOUR * (below + (sequences[step + 1] ?? 0));
  }
  return -Math.log(Math.min(1, (Math.max(0, seen) + PRIOR) / (memory.sequences + 2 * PRIOR)));
}

/** Surprise of a template that no normal sequence had. */
export const unseenSurprise = ({ sequences }: Pick<Memory, 'sequences'>): number =>
  -Math.log(PRIOR / (sequences + 2 * PRIOR));

/**
 * What `count` independent surprises of together `sum` nats are worth as one: -ln of the chance that so many reach that sum (Fisher's method, the tail of an
 * Erlang distribution). So many small deviations are less than a large one.
 */
export function combined(sum: number, count: number): number {
  let term = 1;
  let tail = 1;
  for (let n = 1; n < count; n += 1) {
    term *= sum / n;
    tail += term;
  }
  return Math.max(0, sum - Math.log(tail));
}

/** What is compared, and how. */
export interface Comparing {
  /** A kind that was learned once is judged as if it had not been. */
  leaveOut?: boolean;
  /** True: windows of what never rests, which are hardly ever alike, and whose counts rise and fall together (`oddestOf`). */
  isWindow?: boolean;
}

/** What a template's count costs, nats. */
type Costs = (number: number, step: number) => number;

/** Reads what a template's steps cost, once for each. */
function createCosts(memory: Memory, left: number, isWindow: boolean): Costs {
  const known = new Map<number, number>();
  return (number, step) => {
    const key = number * 64 + step;
    let cost = known.get(key);
    if (cost === undefined) {
      const beyond = isWindow ? BEYOND * stepsBeyond(memory, number, step, left) : 0;
      cost = surpriseOf(memory, number, step, left) + beyond;
      known.set(key, cost);
    }
    return cost;
  };
}

/** Calls `each` with every template whose count differs between two kinds. */
function compare(
  one: Pick<Kind, 'templates' | 'steps'>,
  other: Kind,
  each: (number: number, step: number, normal: number) => void,
): void {
  let [a, b] = [0, 0];
  while (a < one.templates.length || b < other.templates.length) {
    const own = one.templates[a] ?? Infinity;
    const its = other.templates[b] ?? Infinity;
    const number = Math.min(own, its);
    const step = own === number ? one.steps[a++]! : 0;
    const normal = its === number ? other.steps[b++]! : 0;
    if (step !== normal) each(number, step, normal);
  }
}

/** A sequence as it is compared with what was learned. */
export type Compared = Pick<Kind, 'templates' | 'steps'> & {
  /** Templates that no normal sequence had, and steps of their counts. */
  unseen: readonly string[];
  unseenSteps: readonly number[];
};

/** What is the same beside every normal kind: what its unseen templates are worth, and what counts cost. */
interface Given {
  news: number;
  costs: Costs;
}

/**
 * What the changes of a window are worth beside a normal one: the greatest of them. Counts rise and fall together with the load, so that several are no more
 * than one; the next step is the same count. Gives up where it is no less than `least`.
 */
function oddestOf(kind: Compared, normal: Kind, { news, costs }: Given, least: number): number {
  let oddest = news;
  compare(kind, normal, (number, step, usual) => {
    if (oddest >= least || (step > 0 && usual > 0 && Math.abs(step - usual) <= 1)) return;
    oddest = Math.max(oddest, costs(number, step));
  });
  return oddest;
}

/** What the changes of a session are worth together beside a normal one, which itself may be rare. */
function changesOf(kind: Compared, normal: Kind, { news, costs }: Given): number {
  let sum = news;
  let surprising = kind.unseen.length;
  compare(kind, normal, (number, step) => {
    const cost = costs(number, step);
    sum += cost;
    if (cost > SURPRISING) surprising += 1;
  });
  return combined(sum, surprising);
}

/**
 * How strange a kind is beside what was learned. Of a session the least, over all normal kinds, of -ln of the kind's share and what its changes are worth together;
 * of a window the least of what its oddest change is worth.
 */
export function strangenessOf(
  memory: Memory,
  kind: Compared,
  { leaveOut = false, isWindow = false }: Comparing = {},
): Strangeness {
  const key = keyOf(kind);
  if (!leaveOut && kind.unseen.length === 0 && memory.kinds.has(key)) return { surprise: 0, changes: [] };
  const costs = createCosts(memory, leaveOut ? 1 : 0, isWindow);
  const all = Math.max(1, memory.sequences);
  const unseen = unseenSurprise(memory);
  const news = isWindow
    ? Math.max(0, ...kind.unseenSteps.map((step) => unseen + BEYOND * (step - 1)))
    : kind.unseen.length * unseen;
  const given = { news, costs };
  let nearest: Kind = { templates: [], steps: [], seen: 1 };
  let least = Infinity;
  const judge = (normal: Kind): void => {
    const rarity = isWindow ? 0 : -Math.log(Math.min(1, normal.seen / all));
    if (rarity >= least) return;
    const surprise = isWindow ? oddestOf(kind, normal, given, least) : rarity + changesOf(kind, normal, given);
    if (surprise < least) [least, nearest] = [surprise, normal];
  };
  for (const [own, normal] of memory.kinds) if (!(leaveOut && own === key)) judge(normal);
  // Nothing to compare with: as if one empty sequence had been seen.
  if (least === Infinity) judge(nearest);
  const changes: Change[] = [];
  compare(kind, nearest, (number, step, normal) =>
    changes.push({ number, step, normal, surprise: costs(number, step) }),
  );
  changes.sort((a, b) => b.surprise - a.surprise);
  return { surprise: least, changes };
}
