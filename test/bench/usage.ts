/** What processes use, from /proc; nothing where there is none. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What a process uses. */
export interface Usage {
  /** CPU seconds so far. */
  cpu: number;
  /** Megabytes; those that several processes share count in each of them. */
  rss: number;
}

function usageOf(pid: number): Usage & { parent: number } {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    // Fields 14 to 17: its own, and those of children that have ended.
    const cpu = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) / 100;
    return { parent: Number(fields[1]), cpu, rss: Number(rss) / 1000 };
  } catch {
    return { parent: 0, cpu: NaN, rss: NaN };
  }
}

/** The same of a process with all its children: the hub has PostgreSQL among them. */
export function usage(pid: number): Usage & { processes: number } {
  const all = new Map<number, Usage & { parent: number }>();
  for (const name of existsSync('/proc') ? readdirSync('/proc').filter((entry) => /^[0-9]+$/.test(entry)) : [])
    all.set(Number(name), usageOf(Number(name)));
  const isOurs = (one: number): boolean => one === pid || (one > 1 && isOurs(all.get(one)?.parent ?? 0));
  const ours = [...all].filter(([one, { cpu }]) => isOurs(one) && !Number.isNaN(cpu)).map(([, used]) => used);
  const sum = (pick: (used: Usage) => number): number => ours.reduce((total, used) => total + pick(used), 0);
  return { processes: ours.length, cpu: sum(({ cpu }) => cpu), rss: sum(({ rss }) => rss) };
}

/** CPU seconds that all programs of the machine have used so far. */
export function machineUsage(): number {
  try {
    const [user, nice, system, , , irq, soft] = (
      /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
    ).split(' ');
    return [user, nice, system, irq, soft].reduce((sum, field) => sum + Number(field), 0) / 100;
  } catch {
    return NaN;
  }
}
