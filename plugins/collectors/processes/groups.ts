import { groupOf, type PidStat } from './pid-stat.ts';

/** All processes of one executable name. */
export interface Group {
  name: string;
  /** Ticks used since the last run; 0 in the first. */
  ticks: number;
  residentPages: number;
}

/** What all processes together come to. */
export interface Census {
  groups: Map<string, Group>;
  /** Processes by the kernel's letter. */
  states: Map<string, number>;
}

/** Counts the processes of one run after the other, remembering what each had used. */
export interface Counter {
  /** Counts a process of this run, and adds it to its group unless `alone` takes it; gives it the ticks used since the last run. */
  add(pid: number, stat: PidStat, alone?: (ticks: number) => boolean): void;
  /** Ends the run. */
  finish(): Census;
}

interface Known {
  startTicks: number;
  ticks: number;
  run: number;
}

/** Makes a counter. */
export function createCounter(): Counter {
  const known = new Map<number, Known>();
  let run = 0;
  let census: Census = { groups: new Map(), states: new Map() };
  const usedBy = (pid: number, { startTicks, ticks }: PidStat): number => {
    const last = known.get(pid);
    if (last === undefined || last.startTicks !== startTicks) {
      known.set(pid, { startTicks, ticks, run });
      return run === 0 ? 0 : ticks; // Not there in the last run, so all of it was used since.
    }
    const used = Math.max(0, ticks - last.ticks);
    last.ticks = ticks;
    last.run = run;
    return used;
  };
  return {
    add(pid, stat, alone) {
      const used = usedBy(pid, stat);
      census.states.set(stat.state, (census.states.get(stat.state) ?? 0) + 1);
      if (alone?.(used) === true) return;
      const name = groupOf(stat);
      const group = census.groups.get(name);
      if (group === undefined) census.groups.set(name, { name, ticks: used, residentPages: stat.residentPages });
      else {
        group.ticks += used;
        group.residentPages += stat.residentPages;
      }
    },
    finish() {
      for (const [pid, { run: seen }] of known) if (seen !== run) known.delete(pid);
      const finished = census;
      census = { groups: new Map(), states: new Map() };
      run++;
      return finished;
    },
  };
}
