import type { Status } from '../status.ts';

const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

/** That the settings file on the disk is not what runs, and each of its faults; no line when it is what runs. */
export function notInForce({ settings: { file, faults, sinceMs } }: Pick<Status, 'settings'>): string[] {
  if (faults.length === 0) return [];
  const what = faults.length === 1 ? 'a fault' : `${faults.length} faults`;
  return [
    `${file ?? 'the settings'} on the disk is NOT what runs: it has ${what}, and the agent goes on with what it read at ${time(sinceMs)}`,
    ...faults,
  ];
}

/** That no agent starts with the settings as they are now, and each of their faults. */
export function notStarting(file: string | undefined, faults: readonly string[]): string[] {
  return [
    `no agent starts with ${file ?? 'these settings'}, which ${faults.length === 1 ? 'has a fault' : `has ${faults.length} faults`}`,
    ...faults,
  ];
}
