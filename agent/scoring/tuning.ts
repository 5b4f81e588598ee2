import type { TailSettings } from './tail.ts';

/** Every constant of the detector; times are in samples unless they say otherwise. */
export interface Tuning {
  tail: TailSettings;
  /** Nats at which the score is 0.5 and an alert is due. */
  threshold: number;
  /** Samples that a metric is watched before its score is anything but 0. */
  warmUp: number;
  /** Samples after an alert in which only a greater surprise makes another. */
  refractory: number;
  /** How much greater: surprise of the last alert times this. */
  escalation: number;
  /** What the same hour of the day brought on both of the last two days, or the same hour of the week in both of the last two weeks, explains up to this many times its surprise. */
  explained: number;
}

/** The settings that the agent and its commands use. */
export const TUNING: Tuning = {
  tail: {
    share: 0.02,
    memory: 5000,
    firstExcess: 0.3,
    head: 30,
    prior: 3,
    leastExcess: 0.1,
    cap: 4,
    warmUp: 20,
    most: 40,
  },
  threshold: 8,
  warmUp: 150,
  refractory: 100,
  escalation: 1.5,
  explained: 1.6,
};
