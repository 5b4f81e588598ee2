import type { TailSettings } from './tail.ts';

/** Every constant of the detector that was chosen; times are in samples unless they say otherwise. The README says where each comes from. */
export interface Tuning {
  tail: TailSettings;
  /** What each of `CHANNELS` counts in the root of the sum of squares. */
  weights: readonly number[];
  /** Share of a value below which no change of it is one, however steady it was before. */
  least: number;
  /** Nats at which the score is 0.5 and an alert is due. */
  threshold: number;
  /** Samples that a metric is watched before its score is anything but 0. */
  warmUp: number;
  /** Samples after an alert in which only a greater surprise makes another. */
  refractory: number;
  /** How much greater: surprise of the last alert times this. */
  escalation: number;
  /** What the same hour brought in both of the last two days or weeks explains up to this many times its surprise. */
  explained: number;
}

/** The settings that the agent and its commands use. */
export const TUNING: Tuning = {
  tail: {
    share: 0.02,
    memory: 5000,
    firstExcess: 0.3,
    head: 30,
    prior: 10,
    leastExcess: 0.1,
    cap: 8,
    warmUp: 50,
    most: 40,
  },
  // residual, level, shift, drift, wild, calm, stuck, season, novelty, ramp, record, stay
  weights: [0.48, 0.96, 0.96, 0.48, 0.96, 0.96, 0.48, 0.48, 0.48, 0.48, 1.44, 0],
  least: 0,
  threshold: 9,
  warmUp: 150,
  refractory: 100,
  escalation: 1.5,
  explained: 1.5,
};
