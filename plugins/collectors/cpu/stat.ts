/** Ticks that one CPU, or all of them, spent in each mode since boot, in the order of `CPU_MODES`. */
export type CpuTicks = readonly number[];

/** The modes of a CPU; guest time is part of user and nice already. */
export const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'interrupt', 'steal'] as const;

/** Shares of the time between two readings. */
export interface CpuShares {
  modes: readonly number[];
  busy: number;
}

/** Ticks by CPU from /proc/stat; the name `cpu` is the whole machine. Lines that are no CPU or hold no numbers are passed over. */
export function parseStat(text: string): Map<string, CpuTicks> {
  const cpus = new Map<string, CpuTicks>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('cpu')) continue;
    const [name = '', ...fields] = line.trimEnd().split(/ +/);
    if (!/^cpu\d*$/.test(name) || fields.length < 4) continue;
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields.map(Number);
    const ticks = [user, nice, system, idle, iowait, irq + softirq, steal];
    if (ticks.every((value) => value >= 0 && value < Infinity)) cpus.set(name, ticks);
  }
  return cpus;
}

/** What happened between two readings; `undefined` when no tick has passed. */
export function sharesBetween(before: CpuTicks, after: CpuTicks): CpuShares | undefined {
  // The kernel lets idle and iowait run backwards a little, so a step back counts as nothing.
  const passed = after.map((ticks, i) => Math.max(0, ticks - (before[i] ?? ticks)));
  const total = passed.reduce((sum, ticks) => sum + ticks, 0);
  if (total === 0) return undefined;
  const waited = (passed[3] ?? 0) + (passed[4] ?? 0);
  return { modes: passed.map((ticks) => ticks / total), busy: (total - waited) / total };
}
