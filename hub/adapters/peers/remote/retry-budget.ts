/** Calls that one retry may cost: a tenth of the traffic may be repeated. */
const PER_CALL = 0.1;
/** Retries that quiet times save up. */
const MOST = 10;

/** Bounds retries by the traffic, so that a part in trouble is not asked twice as often by everybody. */
export function createRetryBudget() {
  let saved = MOST;
  return {
    called(): void {
      saved = Math.min(MOST, saved + PER_CALL);
    },
    /** True when a call may be made once more. */
    take(): boolean {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}
