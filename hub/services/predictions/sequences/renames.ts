import { countOf, stepOf } from './counts.ts';
import type { SequenceSnapshot } from './snapshot.ts';

/** Where what a template was called once leads: the last name in a chain. */
export function rootOf(renames: ReadonlyMap<string, string>, template: string): string {
  let name = template;
  // A chain is no longer than there are names, and a circle ends there, too.
  for (let left = renames.size; left > 0; left -= 1) {
    const next = renames.get(name);
    if (next === undefined) break;
    name = next;
  }
  return name;
}

/**
 * What a detector knows after templates turned out to be others, and without those that stand in no kind and whose counts have faded. Sequences that had two
 * templates which are one now have the sum of both counts; how many there were of each step is a sum, too, which counts those that had both twice.
 */
export function renamed(snapshot: SequenceSnapshot, renames: ReadonlyMap<string, string>): SequenceSnapshot {
  const used = new Set(snapshot.kinds.flatMap(([, templates]) => templates));
  const habits: SequenceSnapshot['habits'] = [];
  const places = new Map<string, number>();
  const moved = snapshot.habits.map(([template, counts], number) => {
    if (!used.has(number) && counts.every((count) => count === 0)) return 0;
    const name = rootOf(renames, template);
    const place = places.get(name) ?? habits.push([name, []]) - 1;
    places.set(name, place);
    const sums = habits[place]![1];
    counts.forEach((count, step) => (sums[step] = (sums[step] ?? 0) + count));
    return place;
  });
  const kinds = new Map<string, SequenceSnapshot['kinds'][number]>();
  for (const [seen, templates, steps] of snapshot.kinds) {
    const counts = new Map<number, number>();
    templates.forEach((number, at) => {
      const place = moved[number]!;
      counts.set(place, (counts.get(place) ?? 0) + countOf(steps[at]!));
    });
    const sorted = [...counts].sort(([a], [b]) => a - b);
    const own: SequenceSnapshot['kinds'][number] = [
      seen,
      sorted.map(([place]) => place),
      sorted.map(([, count]) => stepOf(count)),
    ];
    const key = JSON.stringify(own.slice(1));
    const there = kinds.get(key);
    if (there === undefined) kinds.set(key, own);
    else there[0] += seen;
  }
  return { ...snapshot, habits, kinds: [...kinds.values()] };
}
