import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { LONGEST_MARK_MS, MARK_NAME, marksFolder, readMarks, writeMark, type Mark, type MarkKind } from '../anomalies/marks.ts'; // prettier-ignore
import { commandHint } from '../command-hint.ts';
import { problems } from '../errors.ts';

/** What is marked. */
export interface MarkWish {
  kind: MarkKind;
  name: string;
  /** How long it takes, as `90s`, `10m` or `2h`; until it is ended unless given. */
  for?: string | undefined;
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

function durationOf(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  const ms = Number(count) * (UNITS[unit] ?? NaN);
  if (Number.isFinite(ms) && ms > 0 && ms <= LONGEST_MARK_MS) return ms;
  throw problems.badMark(`${text} is not a time of at most 24 hours such as 90s, 10m or 2h.`);
}

const words = ({ kind, name }: Mark): string => `${kind} ${name}`;

/** Says that something is done to this host now, so that what it stirs up is told with its cause. */
export function beginMark(dataFolder: string, { kind, name, for: how }: MarkWish, nowMs: number): string {
  if (name.trim() === '' || name.length > MARK_NAME)
    throw problems.badMark(`A mark needs a name of 1 to ${MARK_NAME} characters.`);
  if (!existsSync(dataFolder))
    throw problems.badMark(
      `There is no ${dataFolder}: no agent has its data there. Name the folder of the one that runs with --data.`,
    );
  const toMs = how === undefined ? undefined : nowMs + durationOf(how);
  const mark: Mark = { id: randomUUID(), kind, name, fromMs: nowMs, toMs };
  writeMark(dataFolder, mark);
  return toMs === undefined
    ? `marked ${words(mark)} from now on; end it with: ${commandHint(`mark end ${kind} "${name}"`, dataFolder)}\n`
    : `marked ${words(mark)} until ${new Date(toMs).toISOString()}\n`;
}

/** Says that it is done. */
export function endMark(dataFolder: string, { kind, name }: MarkWish, nowMs: number): string {
  const open = readMarks(dataFolder).filter((one) => one.kind === kind && one.name === name && (one.toMs ?? Infinity) > nowMs); // prettier-ignore
  if (open.length === 0) throw problems.badMark(`No ${kind} "${name}" is under way in ${marksFolder(dataFolder)}. To see all, run: ${commandHint('mark list', dataFolder)}`); // prettier-ignore
  for (const mark of open) writeMark(dataFolder, { ...mark, toMs: nowMs });
  return `ended ${kind} ${name}\n`;
}

/** The marks of the last day. */
export function listMarks(dataFolder: string, json: boolean): string {
  const marks = readMarks(dataFolder);
  if (json) return `${JSON.stringify(marks, null, 2)}\n`;
  if (marks.length === 0) return `No marks. Make one with: ${commandHint('mark begin deploy NAME', dataFolder)}\n`;
  const time = (ms: number | undefined): string => (ms === undefined ? 'goes on' : new Date(ms).toISOString());
  return marks.map((mark) => `${mark.kind.padEnd(12)} ${time(mark.fromMs)}  ${time(mark.toMs).padEnd(24)}  ${mark.name}\n`).join(''); // prettier-ignore
}
