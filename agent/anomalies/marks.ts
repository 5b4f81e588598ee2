import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '#sdk';
import type { Context } from './events.ts';

/** What a person or a program may say is done to the host. */
export const MARK_KINDS = ['deploy', 'ci-job', 'backup', 'maintenance', 'test'] as const;
export type MarkKind = (typeof MARK_KINDS)[number];

/** Characters of a mark's name. */
export const MARK_NAME = 200;
/** A mark that nobody ended ends by itself after so long, milliseconds. */
export const LONGEST_MARK_MS = 24 * 3_600_000;
/** A mark explains what happens until so long after its end, milliseconds: caches are cold, queues are long. */
const AFTER_MS = 300_000;
/** Marks that are kept when they explain nothing any more; and those that are read: more are a program gone wrong. */
const MOST_KEPT = 200;
const MOST_MARKS = 2000;
const MARK_BYTES = 4096;

/** A mark as it lies in the data folder, a file each: `<id>.json`. */
export interface Mark {
  id: string;
  kind: MarkKind;
  name: string;
  fromMs: number;
  /** Undefined while it goes on. */
  toMs: number | undefined;
}

export const marksFolder = (dataFolder: string): string => join(dataFolder, 'marks');

/** What a file says, or undefined where it is none of ours or damaged. */
function markIn(folder: string, file: string): Mark | undefined {
  const id = /^([\w-]{1,64})\.json$/.exec(file)?.[1];
  if (id === undefined) return undefined;
  try {
    const text = readFileSync(join(folder, file), 'utf8');
    if (text.length > MARK_BYTES) return undefined;
    const { kind, name, fromMs, toMs } = JSON.parse(text) as Partial<Record<keyof Mark, unknown>>;
    const known = MARK_KINDS.find((one) => one === kind);
    if (known === undefined || typeof name !== 'string' || name.length > MARK_NAME) return undefined;
    if (!Number.isFinite(fromMs) || !(toMs === undefined || Number.isFinite(toMs))) return undefined;
    return { id, kind: known, name, fromMs: fromMs as number, toMs: toMs as number | undefined };
  } catch {
    return undefined; // Being written, or not ours.
  }
}

/** All marks, oldest first. */
export function readMarks(dataFolder: string): Mark[] {
  const folder = marksFolder(dataFolder);
  let files: string[];
  try {
    files = readdirSync(folder).slice(0, MOST_MARKS);
  } catch {
    return []; // Nobody has made a mark yet.
  }
  return files.flatMap((file) => markIn(folder, file) ?? []).sort((a, b) => a.fromMs - b.fromMs);
}

/** Writes a mark so that a reader sees all of it or nothing. */
export function writeMark(dataFolder: string, { id, ...mark }: Mark): void {
  const folder = marksFolder(dataFolder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileDurably(join(folder, `${id}.json`), JSON.stringify(mark));
}

/** Removes marks that explain nothing any more: after a day, where there are many the oldest sooner. Gives the others. */
export function forgetMarks(dataFolder: string, nowMs: number): Mark[] {
  const marks = readMarks(dataFolder);
  return marks.filter(({ id, fromMs, toMs }, n) => {
    const over = nowMs - (toMs ?? fromMs + LONGEST_MARK_MS);
    if (over <= (n < marks.length - MOST_KEPT ? AFTER_MS : LONGEST_MARK_MS)) return true;
    rmSync(join(marksFolder(dataFolder), `${id}.json`), { force: true });
    return false;
  });
}

/** What was under way between two times, or had just ended. */
export function contextsBetween(marks: readonly Mark[], fromMs: number, toMs: number): Context[] {
  return marks.flatMap(({ kind, name, fromMs: began, toMs: ended }) => {
    const end = ended ?? began + LONGEST_MARK_MS;
    return began <= toMs && end + AFTER_MS >= fromMs ? [{ kind, name, fromMs: began, toMs: ended }] : [];
  });
}
