import type { HostModelDocument } from '#proto/agent/v1/host-model.ts';
import { createChangeAlarm, createLevelAlarm, type ChangeAlarm, type LevelAlarm, type UsualLevel } from './alarm.ts';
import { createMoments, emptyScales, type Scales } from './scales.ts';
import { createStatistics, type Expect, type RowStatistics } from './statistics.ts';
import { learnTail, natsOf, tailOf, type TailFacts } from './tail.ts';
import { TUNING } from './tuning.ts';

/** What the scores of a host usually are. */
export type Calibration = HostModelDocument['calibration'];

/** What is known of a host before its first row. */
export interface KnownPast {
  scales: Scales;
  calibration: Calibration;
  /** Gives what is expected of a normalised row; undefined: the mean. */
  expect: Expect | undefined;
}

/** What spoke: a sudden change of several metrics, or a state unlike the usual ones. */
export type HostChannel = 'change' | 'level';

/** How strange a row is. The same object each time: copy what is to be kept. */
export interface HostVerdict {
  /** 0 to 1; an alert from 0.5 on. */
  score: number;
  /** −ln p of the row, in nats. */
  surprise: number;
  channel: HostChannel;
  /** True while the host's state is unlike the usual ones, also once that is no longer told as an alert. */
  isHigh: boolean;
  /** True until enough was seen to say anything; the score is 0 so long. */
  learning: boolean;
}

/** One metric's part in a row's surprise. */
export interface HostCause {
  /** Its place in the row. */
  metric: number;
  /** 0 to 1; those of all metrics sum to 1. */
  share: number;
  direction: 'up' | 'down';
  channel: HostChannel;
  /** What was expected, in the metric's own unit. */
  expected: number;
}

/** Judges the rows of one host, one after another, each by the ones before it. */
export interface HostScore {
  /** Takes a row of finite numbers, NaN where there is no sample. Allocates nothing once it has learned. */
  push(row: Float64Array): HostVerdict;
  /** The metrics that made the last row strange, the most telling first. */
  causes(most: number): HostCause[];
  /** Everything that a restart needs, as plain numbers; undefined while it learns. */
  save(): HostState | undefined;
}

/** What `save` gave. */
export interface HostState {
  width: number;
  memory: number[][];
}

/** Of `median`, `high` and `excess`, of each tail, as they are kept. */
const pack = (tail: TailFacts): number[] => [tail.median, tail.high, tail.excess];

/** The scores of a learned past, row by row, boiled down to what later ones are held against. Rows are thinned evenly when they are many. */
export function createCalibrator(most = 65_536): { add(found: RowStatistics): void; calibration(): Calibration } {
  const samples = { step: new Float64Array(most), drift: new Float64Array(most), residual: new Float64Array(most) };
  const levels = new Float64Array(most);
  let kept = 0;
  let every = 1;
  let rows = 0;
  const halve = (): void => {
    for (const values of [samples.step, samples.drift, samples.residual, levels])
      for (let i = 0; i < most / 2; i++) values[i] = values[2 * i]!;
    kept = most / 2;
    every *= 2;
  };
  return {
    add(found) {
      if (rows++ % every !== 0) return;
      if (kept === most) halve();
      samples.step[kept] = found.step;
      samples.drift[kept] = found.drift;
      samples.residual[kept] = found.residual;
      levels[kept++] = found.level;
    },
    calibration() {
      const [step, drift, residual] = [samples.step, samples.drift, samples.residual].map((values) =>
        tailOf(values.slice(0, kept)),
      ) as [TailFacts, TailFacts, TailFacts];
      const nats = new Float64Array(kept);
      for (let i = 0; i < kept; i++)
        nats[i] = Math.hypot(natsOf(step, samples.step[i]!), natsOf(drift, samples.drift[i]!));
      nats.sort();
      const sorted = levels.slice(0, kept).sort();
      const at = (share: number): number => Math.log(sorted[Math.min(kept - 1, Math.floor(kept * share))]! + 1e-9);
      const threshold = Math.max(1, nats[Math.min(kept - 1, Math.floor(kept * (1 - TUNING.alertShare)))]!);
      return { step, drift, residual, level: { median: at(0.5), high: at(0.999) }, threshold };
    },
  };
}

/** What judges once something is known. */
interface Judge {
  step: TailFacts;
  drift: TailFacts;
  residual: TailFacts;
  change: ChangeAlarm;
  level: LevelAlarm;
  order: Float64Array;
}

function createJudge(calibration: Calibration): Judge {
  const usual: UsualLevel = calibration.level;
  return {
    step: { ...calibration.step },
    drift: { ...calibration.drift },
    residual: calibration.residual,
    change: createChangeAlarm(calibration.threshold),
    level: createLevelAlarm(usual),
    order: new Float64Array([-1, 0, 0]),
  };
}

function judge(by: Judge, found: RowStatistics, verdict: HostVerdict): void {
  const change = Math.hypot(natsOf(by.step, found.step), natsOf(by.drift, found.drift));
  const away = natsOf(by.residual, found.residual);
  learnTail(by.step, found.step);
  learnTail(by.drift, found.drift);
  const { order } = by;
  const both = Math.hypot(change, away);
  order[0] = order[0]! < 0 ? both : order[0]! + TUNING.levelMean * (both - order[0]!);
  const changed = by.change.hears(change);
  const raised = by.level.hears(found.level);
  const rank = order[0]! / (order[0]! + TUNING.halfScore);
  // Alerts of a state stand above those of a change, because they are right more often; what does not alert keeps its order below 0.5.
  verdict.score = raised ? 0.75 + 0.25 * rank : changed ? 0.5 + 0.25 * rank : 0.499 * rank;
  verdict.surprise = Math.max(change, away);
  verdict.channel = raised || away > change ? 'level' : 'change';
  verdict.isHigh = by.level.isHigh;
  order[1] = change;
  order[2] = away;
}

function causesOf(found: RowStatistics, by: Judge, most: number): HostCause[] {
  const { changes, residuals } = found;
  const width = changes.length;
  let [changeSum, residualSum] = [0, 0];
  for (let j = 0; j < width; j++) {
    changeSum += Math.abs(changes[j]!);
    residualSum += Math.abs(residuals[j]!);
  }
  const [, change, away] = by.order as unknown as [number, number, number];
  const whole = change ** 2 + away ** 2;
  if (whole === 0) return [];
  const causes: HostCause[] = [];
  for (let j = 0; j < width; j++) {
    const fromChange = changeSum === 0 ? 0 : (Math.abs(changes[j]!) / changeSum) * change ** 2;
    const fromLevel = residualSum === 0 ? 0 : (Math.abs(residuals[j]!) / residualSum) * away ** 2;
    const channel = fromLevel > fromChange ? 'level' : 'change';
    const sign = channel === 'level' ? residuals[j]! : changes[j]!;
    const share = (fromChange + fromLevel) / whole;
    causes.push({ metric: j, share, direction: sign < 0 ? 'down' : 'up', channel, expected: found.expected(j) });
  }
  return causes.sort((a, b) => b.share - a.share || a.metric - b.metric).slice(0, most);
}

/**
 * Judges rows of `width` metrics. Without a known past it learns from the first rows and its scales follow; with one it judges from the
 * first row on. `state` is what an earlier run of the same width and past saved; one that does not fit is left aside.
 */
export function createHostScore(width: number, past?: KnownPast, state?: HostState): HostScore {
  const moments = createMoments(width);
  const calibrator = past === undefined ? createCalibrator(1024) : undefined;
  const found = createStatistics(width, past?.expect, past?.scales ?? emptyScales(width));
  const verdict: HostVerdict = { score: 0, surprise: 0, channel: 'change', isHigh: false, learning: true };
  let by = past === undefined ? undefined : createJudge(past.calibration);
  const first = Math.floor(TUNING.warmUpRows / 3);
  const learn = (row: Float64Array): void => {
    moments.add(row);
    if (moments.rows === first) found.follow(moments.scales());
    found.read(row);
    if (moments.rows <= first) return;
    calibrator?.add(found);
    if (calibrator !== undefined && moments.rows >= TUNING.warmUpRows) by = createJudge(calibrator.calibration());
  };
  const memoryOf = (judge: Judge): Float64Array[] => {
    return [...found.memory, judge.change.memory, judge.level.memory, judge.order];
  };
  const restore = ({ width: saved, memory }: HostState): void => {
    const [step, drift, residual, median, high, ...rest] = memory;
    if (saved !== width || step?.length !== 3 || drift?.length !== 3 || residual?.length !== 3) return;
    const tails = [step, drift, residual].map(([a, b, c]) => ({ median: a!, high: b!, excess: c! })) as TailFacts[];
    const level = { median: median?.[0] ?? 0, high: high?.[0] ?? 0 };
    const next = createJudge({ step: tails[0]!, drift: tails[1]!, residual: tails[2]!, level, threshold: 1 });
    const places = memoryOf(next);
    if (rest.length !== places.length || places.some((place, n) => place.length !== rest[n]?.length)) return;
    places.forEach((place, n) => place.set(rest[n]!));
    by = next;
  };
  if (state !== undefined) restore(state);
  let usual = past?.calibration.level;
  return {
    push(row) {
      if (by === undefined) {
        learn(row);
        if (by !== undefined) usual = calibrator?.calibration().level;
        return verdict;
      }
      verdict.learning = false;
      found.read(row);
      judge(by, found, verdict);
      return verdict;
    },
    causes: (most) => (by === undefined ? [] : causesOf(found, by, most)),
    save() {
      if (by === undefined || usual === undefined) return undefined;
      const heads = [pack(by.step), pack(by.drift), pack(by.residual), [usual.median], [usual.high]];
      return { width, memory: [...heads, ...memoryOf(by).map((place) => [...place])] };
    },
  };
}
