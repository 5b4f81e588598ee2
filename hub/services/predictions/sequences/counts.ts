/** How often each template stands in a window or session: the sequence without its order. */
export type Counts = ReadonlyMap<string, number>;

/** The most different templates of one sequence that are looked at; those that come later are left out. */
export const MOST_TEMPLATES = 512;

/** Counts the templates of a sequence. */
export function countsOf(templates: Iterable<string>): Counts {
  const counts = new Map<string, number>();
  for (const template of templates) {
    const count = counts.get(template);
    if (count !== undefined) counts.set(template, count + 1);
    else if (counts.size < MOST_TEMPLATES) counts.set(template, 1);
  }
  return counts;
}

/** Counts up to here are told apart one by one, those above by half octaves. */
const EXACT = 4;
/** The highest step, that of 2^31 and above. */
export const MOST_STEPS = EXACT + 2 * 29;

/** The step of a count: 0 … 4 as they are, then one for each half octave. So a window of 900 lines is like one of 1,000, and one line is not like two. */
export function stepOf(count: number): number {
  if (!(count > 0)) return 0;
  if (count <= EXACT) return Math.ceil(count);
  return Math.min(MOST_STEPS, EXACT + Math.ceil(2 * Math.log2(count / EXACT) - 1e-9));
}

/** The greatest count of a step, which is what people are told. */
export const countOf = (step: number): number =>
  step <= EXACT ? step : Math.floor(EXACT * 2 ** ((step - EXACT) / 2) + 1e-9);

/** Lines of a sequence. */
export function lengthOf(counts: Counts): number {
  let length = 0;
  for (const count of counts.values()) length += count;
  return length;
}
