/** Seconds over which the budget is averaged. */
const WINDOW_S = 60;
/** Of each so many ticks one run takes place, by how far the credit was overdrawn, as a share of a window's. */
const STRETCHES = [
  [0.75, 10],
  [0.5, 5],
  [0.25, 2],
] as const;

/** CPU time as an account: the budget is paid in each second, what was used is drawn, and a window's worth can be saved. */
export interface CpuAccount {
  /** Books what was used since the last call. */
  book(usedSeconds: number, elapsedSeconds: number): void;
  /** Cores used, averaged over the last minute. */
  share(): number;
  /** True from when the account is overdrawn until a tenth of a window is saved again. */
  isOverdrawn(): boolean;
  /** How many times longer the intervals of collectors are: 1, 2, 5 or 10. */
  stretch(): number;
}

/** Opens an account with all that can be saved: a start, or a burst of lines, may use what idle minutes left. */
export function createCpuAccount(budget: number): CpuAccount {
  const most = budget * WINDOW_S;
  const recent: { used: number; elapsed: number }[] = [];
  let credit = most;
  let isOverdrawn = false;
  let stretch = 1;
  return {
    book(used, elapsed) {
      recent.push({ used, elapsed });
      let seconds = recent.reduce((sum, one) => sum + one.elapsed, 0);
      for (let [oldest] = recent; oldest !== undefined && seconds - oldest.elapsed >= WINDOW_S; [oldest] = recent) {
        seconds -= oldest.elapsed;
        recent.shift();
      }
      credit = Math.max(-most, Math.min(most, credit + budget * elapsed - used));
      if (credit < 0) isOverdrawn = true;
      else if (credit >= most / 10) isOverdrawn = false;
      const [, longer = 1] = STRETCHES.find(([depth]) => -credit >= depth * most) ?? [];
      // Collectors run as often as they should only when the debt is paid: else each relief would undo itself.
      stretch = credit >= 0 ? 1 : Math.max(stretch, longer);
    },
    share() {
      const seconds = recent.reduce((sum, { elapsed }) => sum + elapsed, 0);
      return seconds === 0 ? 0 : recent.reduce((sum, { used }) => sum + used, 0) / seconds;
    },
    isOverdrawn: () => isOverdrawn,
    stretch: () => stretch,
  };
}
