/** The door of the detector: judges samples of metrics by their own past, one at a time. */
export { createDetector, type Detector, type Verdict } from './detector.ts';
export { CHANNELS, type Channel, type Memory } from './layout.ts';
export { memoryOf, snapshotOf } from './snapshot.ts';
export { TUNING, type Tuning } from './tuning.ts';
