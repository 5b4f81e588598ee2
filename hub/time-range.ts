import { defineProblems } from '#sdk';

const problems = defineProblems('time', {
  unreadable: { status: 400, title: 'A time cannot be read.' },
  badRange: { status: 400, title: 'The time range is empty or too long for its step.' },
});

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A duration like `90`, `90s`, `5m`, `1h`; a bare number is seconds. Milliseconds; undefined when it is none. */
export function readDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1000);
}

/** A time: `now`, relative to it (`-2h`, `+5m`), milliseconds since 1970, or ISO 8601. Milliseconds since 1970. */
export function readTime(text: string, nowMs: number): number {
  const trimmed = text.trim();
  if (trimmed === 'now') return nowMs;
  const relative = /^([+-])(.+)$/.exec(trimmed);
  const offset = relative === null ? undefined : readDuration(relative[2] ?? '');
  if (relative !== null && offset !== undefined) return relative[1] === '-' ? nowMs - offset : nowMs + offset;
  if (/^\d{9,15}$/.test(trimmed)) return Number(trimmed);
  const parsed = /^\d{4}-\d{2}-\d{2}/.test(trimmed) ? Date.parse(trimmed) : NaN;
  if (Number.isFinite(parsed)) return parsed;
  throw problems.unreadable(`"${text}" is no time. Use now, -2h, milliseconds since 1970 or 2026-01-31T12:00:00Z.`);
}

/** Steps that people read easily, milliseconds. */
const STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400].map(
  (s) => s * 1000,
);

const POINTS = 600;
const POINT_LIMIT = 11_000;

/** A range with a step that divides it into a number of points that can be answered. */
export interface SteppedRange {
  from: number;
  to: number;
  step: number;
}

/** Reads a range; without a step takes one that gives at most 600 points. */
export function readRange(query: { from?: string; to?: string; step?: string }, nowMs: number): SteppedRange {
  const to = readTime(query.to ?? 'now', nowMs);
  const from = readTime(query.from ?? '-15m', nowMs);
  if (!(to > from)) throw problems.badRange('"from" must be before "to".');
  const asked = query.step === undefined ? undefined : readDuration(query.step);
  if (query.step !== undefined && asked === undefined)
    throw problems.unreadable(`"${query.step}" is no step. Use 10, 10s, 1m or 1h.`);
  if (asked !== undefined && asked < 1000)
    throw problems.badRange(`"${query.step}" is too short. A step is at least 1 s.`);
  const day = 86_400_000;
  const fitting = STEPS.find((one) => (to - from) / one <= POINTS) ?? Math.ceil((to - from) / POINTS / day) * day;
  const step = asked === undefined ? fitting : Math.round(asked / 1000) * 1000;
  if ((to - from) / step > POINT_LIMIT) {
    throw problems.badRange(
      `That would be ${Math.ceil((to - from) / step)} points; at most ${POINT_LIMIT} are answered. Ask for a longer step.`,
    );
  }
  return { from, to, step };
}
