import { TUNING } from './tuning.ts';

/** Decides which changes alert, so that a fixed share of rows does in the long run, whatever their surprise is worth. */
export interface ChangeAlarm {
  /** Surprise from which a change alerts now, in nats. */
  threshold: number;
  /** True: this row alerts. */
  hears(nats: number): boolean;
  readonly memory: Float64Array;
}

/** The threshold follows its own past: up by a fixed step with each alert, down a hundredth of it with each quiet row. */
export function createChangeAlarm(threshold: number): ChangeAlarm {
  const memory = new Float64Array([threshold, TUNING.gateRows + 1, 0]); // Threshold, rows since the last alert, its surprise.
  const down = TUNING.thresholdPace * TUNING.alertShare;
  return {
    memory,
    get threshold() {
      return memory[0]!;
    },
    set threshold(value) {
      memory[0] = value;
    },
    hears(nats) {
      memory[1] = Math.min(memory[1]! + 1, 1e9);
      const isGated = memory[1]! <= TUNING.gateRows && nats < memory[2]! + TUNING.escalation;
      const alerts = nats >= memory[0]! && !isGated;
      if (alerts) {
        memory[1] = 0;
        memory[2] = nats;
      }
      memory[0] = Math.max(1, memory[0]! + (alerts ? TUNING.thresholdPace : 0) - down);
      return alerts;
    },
  };
}

/** What levels were usual: ln of the median and of what one row in a thousand was above. */
export interface UsualLevel {
  median: number;
  high: number;
}

/** Decides when a level that stays is an alert and when it has become the new usual. */
export interface LevelAlarm {
  /** ln of the level from which on it alerts. */
  readonly threshold: number;
  /** True while the level is above its threshold, alerted or not. */
  readonly isHigh: boolean;
  hears(level: number): boolean;
  readonly memory: Float64Array;
}

const GROWTH = Math.log(TUNING.levelGrowth);
const RELEASE = Math.log(TUNING.levelRelease);

export function createLevelAlarm(usual: UsualLevel): LevelAlarm {
  // The usual level now, rows of the alert so far, the highest in it, 1 once it is no longer told, the level it then had, what was added.
  const memory = new Float64Array([usual.median, 0, -1e9, 0, 0, 0]);
  const gap = usual.high - usual.median;
  const part = Math.log(TUNING.levelPart);
  let isHigh = false;
  const threshold = (): number => Math.max(usual.high, memory[0]! + gap) + part + memory[5]!;
  return {
    memory,
    get threshold() {
      return threshold();
    },
    get isHigh() {
      return isHigh;
    },
    hears(level) {
      const now = Math.log(level + 1e-9);
      const from = threshold();
      memory[0] = memory[0]! + (now > memory[0]! ? TUNING.levelPace : -TUNING.levelPace);
      isHigh = now >= from;
      memory[5] = Math.max(0, memory[5]! - TUNING.levelStep / TUNING.levelEvery);
      if (!isHigh) {
        if (now < from + RELEASE) memory.set([0, -1e9, 0], 1);
        return false;
      }
      if (memory[3] === 1) {
        if (now <= memory[4]! + GROWTH) return false;
        memory.set([0, -1e9, 0], 1);
      }
      if (memory[1] === 0) memory[5] = memory[5]! + TUNING.levelStep;
      memory[1] = memory[1]! + 1;
      memory[2] = Math.max(memory[2]!, now);
      if (memory[1]! >= TUNING.levelRows) {
        memory[3] = 1;
        memory[4] = memory[2]!;
      }
      return true;
    },
  };
}
