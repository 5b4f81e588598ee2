/** A further step is taken when memory is still over its budget after this long, milliseconds. */
const STEP_MS = 10_000;
/** Below this share of the budget for as long, a step is taken back. */
const RELIEF = 0.9;
const STEPS = 3;

/** How far the agent goes to save memory: 0 nothing, 1 small batches and collected garbage, 2 samples are aggregated, 3 files are read slowly. */
export interface MemorySteps {
  /** Looks at the resident memory; true when garbage is to be collected now. */
  look(rss: number, nowMs: number): boolean;
  step(): number;
}

/** Begins at step 0. */
export function createMemorySteps(budget: number): MemorySteps {
  let step = 0;
  let changedMs = -Infinity;
  const change = (next: number, nowMs: number): void => {
    step = next;
    changedMs = nowMs;
  };
  return {
    look(rss, nowMs) {
      if (nowMs - changedMs < STEP_MS) return false;
      if (rss > budget) {
        change(Math.min(STEPS, step + 1), nowMs);
        return true;
      }
      if (step > 0 && rss < budget * RELIEF) change(step - 1, nowMs);
      return false;
    },
    step: () => step,
  };
}
