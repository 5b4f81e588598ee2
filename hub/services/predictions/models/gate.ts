import { createHostScore, pastOf, type HostModel } from '../../../../plugins/models/index.ts';
import type { Gate, GateCheck } from '../tables.ts';
import type { Past } from './past.ts';

/** Half an hour of rows that the model has not seen: fewer prove nothing. */
const FEWEST_ROWS = 180;
/** A change alerts in one row of a hundred by the alarm's design; three times that is a model that does not know its host. */
const MOST_ALERTS = 0.03;
/** Share of rows in which the host's state may be unlike all that was learnt: one quiet hour in ten. */
const MOST_HIGH = 0.1;
/** A new model may alert so many times as often as the champion does on the same rows, or as the alarm's design lets through. */
const WORSE = 1.5;
const BY_DESIGN = 0.01;

/** How a model does on rows that it has not seen. */
export interface Trial {
  rows: number;
  /** Shares of rows. */
  alerts: number;
  high: number;
}

/** Rows that are judged before others get their turn: some 20 ms. */
const AT_ONCE = 500;

/** Lets a model judge the rows of a past from one on, which come by the names of series; a series that the past has not is missing. */
export async function tryOut(model: HostModel, past: Past, from: number, pause: () => Promise<void>): Promise<Trial> {
  const { features } = model.document;
  const columns = features.map((feature) => past.columnOf(feature));
  const score = createHostScore(features.length, pastOf(model));
  const row = new Float64Array(features.length);
  const trial = { rows: past.rows - from, alerts: 0, high: 0 };
  for (let n = from; n < past.rows; n++) {
    columns.forEach((column, j) => (row[j] = column < 0 ? NaN : past.at(n, column)));
    const verdict = score.push(row);
    if (verdict.score >= 0.5) trial.alerts += 1;
    if (verdict.isHigh) trial.high += 1;
    if (n % AT_ONCE === 0) await pause();
  }
  const shareOf = (count: number): number => (trial.rows === 0 ? 0 : count / trial.rows);
  return { rows: trial.rows, alerts: shareOf(trial.alerts), high: shareOf(trial.high) };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Decides whether a model may judge, by how it does on rows that it has not seen; `champion`: how the one that judges now does on them. */
export function gateOf(trial: Trial, champion?: Trial): Gate {
  const most = (name: string, value: number, limit: number, words: string): GateCheck => ({
    ...{ name, value, limit, passed: value <= limit },
    words: `${percent(value)} ${words}; at most ${percent(limit)} may.`,
  });
  const checks: GateCheck[] = [
    {
      ...{ name: 'rows', value: trial.rows, limit: FEWEST_ROWS, passed: trial.rows >= FEWEST_ROWS },
      words: `${trial.rows} rows were left aside to try it on; it takes ${FEWEST_ROWS}.`,
    },
    most('alerts', trial.alerts, MOST_ALERTS, 'of the rows that it had not seen alert'),
    most('high', trial.high, MOST_HIGH, 'of them are unlike all that it learnt'),
  ];
  if (champion !== undefined)
    checks.push(
      most('champion', trial.alerts, Math.max(BY_DESIGN, WORSE * champion.alerts), `of them alert, where the champion alerts in ${percent(champion.alerts)}`), // prettier-ignore
    );
  return { passed: checks.every(({ passed }) => passed), checks };
}
