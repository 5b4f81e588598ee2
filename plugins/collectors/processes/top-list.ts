import type { Group } from './groups.ts';

/** How long a name stays listed after it was last among the first, in runs: a list that flickers makes new series each second. */
const STAY_RUNS = 60;

function firstBy(groups: readonly Group[], size: number, value: (group: Group) => number): Group[] {
  const first: Group[] = [];
  for (const group of groups) {
    if (value(group) === 0) continue;
    let at = first.length;
    while (at > 0 && value(first[at - 1] ?? group) < value(group)) at--;
    if (at >= size) continue;
    first.splice(at, 0, group);
    first.length = Math.min(first.length, size);
  }
  return first;
}

/**
 * Keeps the names that are worth a series: the first `size` by processor time and by memory, and those that were
 * among them in the last minute of runs while there is room. At most four times `size` names in an order that changes only at the end.
 */
export function createTopList(size: number): (groups: ReadonlyMap<string, Group>) => Group[] {
  const seen = new Map<string, number>();
  let run = 0;
  return (groups) => {
    run++;
    const all = [...groups.values()];
    for (const value of [(group: Group) => group.residentPages, (group: Group) => group.ticks]) {
      for (const { name } of firstBy(all, size, value)) seen.set(name, run);
    }
    const oldestFirst = [...seen].sort((a, b) => a[1] - b[1]);
    let over = seen.size - size * 4;
    for (const [name, last] of oldestFirst) {
      if (over-- > 0 || run - last > STAY_RUNS || !groups.has(name)) seen.delete(name);
    }
    return [...seen.keys()].flatMap((name) => groups.get(name) ?? []);
  };
}
