import { contextsBetween, forgetMarks, readMarks } from './marks.ts';
import type { Context } from './events.ts';
import { WINDOW_MS } from './watch.ts';

/** What a machine does for so long after its start is its start, milliseconds. */
const BOOT_MS = 900_000;
/** Marks are looked for this often, milliseconds. */
const LOOK_MS = WINDOW_MS;

/** What contexts are read from. */
export interface ContextsGiven {
  dataFolder: string;
  /** When the machine and this agent started, milliseconds since 1970. */
  bootMs: number;
  startMs: number;
}

/** What is done to the host: its start, and what people and programs have marked. */
export function createContexts({ dataFolder, bootMs, startMs }: ContextsGiven) {
  // An agent that was started by itself, long after the machine, says nothing of a reboot.
  const boot: Context[] = startMs - bootMs < BOOT_MS ? [{ kind: 'reboot', name: 'the machine started', fromMs: bootMs, toMs: bootMs + BOOT_MS }] : []; // prettier-ignore
  let marks = readMarks(dataFolder);
  let lookedMs = startMs;
  return {
    /** What may explain a window that ended at a time. */
    at(endMs: number): Context[] {
      if (Math.abs(endMs - lookedMs) >= LOOK_MS) {
        lookedMs = endMs;
        marks = forgetMarks(dataFolder, endMs);
      }
      const under = boot.filter(({ toMs = Infinity }) => endMs <= toMs);
      return [...under, ...contextsBetween(marks, endMs - WINDOW_MS, endMs)];
    },
  };
}
