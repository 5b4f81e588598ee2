import { clockTime, exactTime } from '../../time/wording.ts';
import type { Zone } from '../../time/range.ts';
import { count, quantity } from '../../units/quantity.ts';

/** A loss as the hub answers it. */
interface LossSaid {
  source: string;
  /** 0: nobody could count them. */
  lines: number;
  bytes: number;
  fromMs: number;
  toMs: number;
  cause: string;
}

const CAUSES: Readonly<Record<string, string>> = {
  truncated: 'the file was truncated before it was read to its end, and no copy has the rest',
  copytruncate: 'copytruncate',
  removed: 'the file was removed before it was read to its end',
  unreadable: 'the file could not be read',
  'spool-damaged': 'the agent’s spool was damaged on its disk',
  refused: 'the hub refused the batch that held them',
};

const causeWords = (cause: string): string => CAUSES[cause] ?? cause.replaceAll('-', ' ');

const minute = (ms: number, zone: Zone): string => clockTime(ms, zone).slice(0, 5);
const day = (ms: number, zone: Zone): string => exactTime(ms, zone).replace(/ \d\d:.*$/, '');

function between(fromMs: number, toMs: number, zone: Zone, nowMs: number): string {
  const [from, to] = [minute(fromMs, zone), minute(toMs, zone)];
  const on = day(toMs, zone) === day(nowMs, zone) ? '' : ` on ${day(toMs, zone)}`;
  if (day(fromMs, zone) !== day(toMs, zone)) return `between ${exactTime(fromMs, zone)} and ${exactTime(toMs, zone)}`;
  return from === to ? `at ${to}${on}` : `between ${from} and ${to}${on}`;
}

/** Without its folders. */
const fileName = (source: string): string => source.slice(source.lastIndexOf('/') + 1) || source || 'its spool';

/** A loss in one sentence: web-1 lost 873 lines of app.log between 10:02 and 10:03: copytruncate. */
export function lossSentence(host: string, loss: LossSaid, { zone, nowMs }: { zone: Zone; nowMs: number }): string {
  const { source, lines, bytes, fromMs, toMs, cause } = loss;
  const what =
    lines > 0
      ? `${count(lines)} ${lines === 1 ? 'line' : 'lines'}`
      : bytes > 0
        ? `${quantity(bytes, 'By')}`
        : 'an unknown number of lines';
  return `${host} lost ${what} of ${fileName(source)} ${between(fromMs, toMs, zone, nowMs)}: ${causeWords(cause)}`;
}
