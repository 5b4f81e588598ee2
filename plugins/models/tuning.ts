/** Numbers by which the host's score is made. */
export type Tuning = typeof TUNING;

/**
 * Constants of the host's score. For those marked * several values were compared on the ten machines of SMD and ASD that are in the data; README
 * has what the others choose for each machine that is left out. The rest are round figures that were set once.
 */
export const TUNING = {
  /** * Weight of a new row in the short mean that a row's distance is taken to (mean age: two rows). */
  shortMean: 0.3,
  /** * So many of the strangest metrics make up the change of a row. */
  topMetrics: 5,
  /** * Half-life of the scale of each metric's change, in rows: eleven hours of 10 s rows. */
  scaleHalfLife: 4000,
  /** * A change counts towards its scale as this many scales at most, so that an incident does not become normal at once. */
  scaleClip: 9,
  /** The scale never falls below this share of the one that was learned. */
  scaleFloor: 0.05,
  /** A value is so many scales away at most. */
  mostScales: 100,
  /** * The first move of a metric that never moved is so many. */
  newScales: 20,
  /** Share of rows that are in the tail. */
  tailShare: 0.02,
  /** How fast the tail follows, in mean excesses a row in it. */
  tailPace: 0.02,
  /** * Share of rows that may alert for their change. */
  alertShare: 0.01,
  /** Each alert raises the threshold by so many nats; without any it falls. */
  thresholdPace: 0.05,
  /** * For so many rows after an alert only a change that is stronger by `escalation` nats alerts again. */
  gateRows: 2,
  escalation: 1,
  /** * Weight of a new row in the smoothed level. */
  levelMean: 0.2,
  /** * The level alerts from this part of its one-in-a-thousand level on. */
  levelPart: 0.9,
  /** * How fast the usual level follows, in ln a row. */
  levelPace: 0.001,
  /** * A level that stays high alerts for so many rows (an hour of 10 s rows), then only when it grows by half. */
  levelRows: 360,
  levelGrowth: 1.5,
  levelRelease: 0.8,
  /** * Each such alert raises the threshold by so many ln; it falls back in so many rows. */
  levelStep: 0.05,
  levelEvery: 2000,
  /** Rows that are only looked at when nothing was learned before. */
  warmUpRows: 360,
  /** Surprise at which an unalerted row's score is half of what it can be, in nats. */
  halfScore: 8,
};
