import { AGGREGATE_ATTRIBUTE } from '#proto/metrics.ts';

/** Series that one model looks at: at most, so that with its shadow it fits into one message of NATS, and at least, because fewer do not go together with anything. */
export const MOST_CHOSEN = 128;
export const FEWEST_CHOSEN = 4;
/** A series has to have a sample in this share of the times in which its host had any. */
const PRESENT = 0.8;

/** What tells one series of a host from the others. */
interface Named {
  name: string;
  attributes: Readonly<Record<string, string>>;
}

/** A series that a model may look at, with what was seen of it. */
export interface Candidate<Series extends Named> {
  series: Series;
  /** Times in which it had a sample. */
  present: number;
  least: number;
  greatest: number;
}

/** What the agent says of itself is not the host's doing, and kinds of log lines come and go; the rest are the bounds of a feature. */
export const mayBeFeature = ({ name, attributes }: Named): boolean =>
  !name.startsWith('outrider.') &&
  name.length <= 200 &&
  !(AGGREGATE_ATTRIBUTE in attributes) &&
  Object.entries(attributes).every(([key, value]) => key !== '' && key.length <= 200 && value.length <= 1000) &&
  Object.keys(attributes).length <= 32;

/** Of candidates that were looked at so many times, those that a model is made of: nearly always there and moving, a machine's totals before their parts. */
export function chooseFeatures<Series extends Named>(
  candidates: readonly Candidate<Series>[],
  times: number,
): Series[] {
  const moves = ({ least, greatest }: Candidate<Series>): boolean =>
    greatest - least > 1e-6 * Math.max(Math.abs(least), Math.abs(greatest));
  const parts = ({ attributes }: Series): number => Object.keys(attributes).length;
  const wordOf = ({ name, attributes }: Series): string => name + JSON.stringify(attributes);
  return candidates
    .filter((one) => one.present > 0 && one.present >= PRESENT * times && moves(one))
    .map(({ series }) => series)
    .sort((a, b) => parts(a) - parts(b) || (wordOf(a) < wordOf(b) ? -1 : 1))
    .slice(0, MOST_CHOSEN);
}
