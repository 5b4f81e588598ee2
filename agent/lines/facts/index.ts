import { Level } from '#proto/agent/v1/index.ts';
import { jsonFields, logfmtFields, type FoundFields } from './fields.ts';
import { levelInText, levelOfField, levelOfSeverity } from './levels.ts';
import { isPlausible, klogTime, timeInText, timeOfField, type TimeGiven } from './times.ts';

export { levelInText } from './levels.ts';
export { createZone, isZone } from './zones.ts';

/** How lines are written; `auto` looks at each. */
export const FORMATS = ['auto', 'json', 'logfmt', 'syslog', 'clf', 'klog', 'plain'] as const;
export type LineFormat = (typeof FORMATS)[number];
/** What a line turned out to be. */
export type FoundFormat = Exclude<LineFormat, 'auto'>;

/** What is worked out of a line. */
export interface LineFacts {
  level: Level;
  timeMs: number;
  format: FoundFormat;
}

/** So much of a line is looked at: a request may be long before its status comes, and a JSON line's fields may come last. */
const HEAD = 1024;
const JSON_HEAD = 16_384;
/** Level and time of any other line stand nearer to its beginning. */
const NEAR = 240;

/** `<165>` of RFC 3164 and RFC 5424. */
const PRIORITY = /^<(\d{1,3})>/;
/** A request in a web server's log and what became of it: NCSA's common and combined formats, and nginx's default. */
const REQUEST =
  /^\S+ \S+ \S[^[]{0,80}\[\d\d\/[A-Z][a-z]{2}\/\d{4}:[^\]]{1,20}\] "(?:[^"\\]|\\.){0,8000}" (\d{3})(?: |$)/;
const KLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d/;
const KLOG_LEVELS: Readonly<Record<string, Level>> = {
  I: Level.INFO,
  W: Level.WARN,
  E: Level.ERROR,
  F: Level.FATAL,
};

interface Finding {
  level: Level;
  timeMs: number | undefined;
}
/** Undefined: the line is written in another way. */
type Reader = (head: string, given: TimeGiven) => Finding | undefined;

function fromFields(fields: FoundFields | undefined, given: TimeGiven): Finding | undefined {
  if (fields === undefined) return undefined;
  const { level, time } = fields;
  return {
    level: level === undefined ? Level.UNSPECIFIED : levelOfField(level),
    timeMs: time === undefined ? undefined : timeOfField(time, given),
  };
}

const READERS: Readonly<Record<FoundFormat, Reader>> = {
  json: (head, given) => fromFields(jsonFields(head), given),
  logfmt: (head, given) => fromFields(logfmtFields(head), given),
  syslog(head, given) {
    const priority = PRIORITY.exec(head)?.[1];
    const timeMs = timeInText(head.slice(0, NEAR), given);
    if (priority !== undefined) return { level: levelOfSeverity(Number(priority) & 7), timeMs };
    return /^[A-Z][a-z]{2} [ \d]\d \d\d:/.test(head) ? { level: levelInText(head.slice(0, NEAR)), timeMs } : undefined;
  },
  clf(head, given) {
    const status = REQUEST.exec(head)?.[1];
    if (status === undefined) return undefined;
    const level = status >= '500' ? Level.ERROR : status >= '400' ? Level.WARN : Level.INFO;
    return { level, timeMs: timeInText(head.slice(0, NEAR), given) };
  },
  klog(head, given) {
    const letter = KLOG.exec(head)?.[1];
    return letter === undefined
      ? undefined
      : { level: KLOG_LEVELS[letter] ?? Level.UNSPECIFIED, timeMs: klogTime(head, given) };
  },
  plain(head, given) {
    const near = head.length > NEAR ? head.slice(0, NEAR) : head;
    return { level: levelInText(near), timeMs: timeInText(near, given) };
  },
};

const BRACE = 123;
const ANGLE = 60;

/** The beginning of a line that level and time are looked for in, as latin1. */
export function headOf(bytes: Buffer, start: number, end: number): string {
  const limit = bytes[start] === BRACE ? JSON_HEAD : HEAD;
  return bytes.toString('latin1', start, end - start > limit ? start + limit : end);
}

/** What a line may be by its first characters, likeliest first. */
function guesses(head: string): readonly FoundFormat[] {
  const first = head.charCodeAt(0);
  if (first === BRACE) return ['json'];
  if (first === ANGLE) return ['syslog'];
  if (head.charCodeAt(4) === 45 && head.charCodeAt(7) === 45) return []; // A date.
  const second = head.charCodeAt(1);
  const isDigit = second >= 48 && second <= 57;
  if (first >= 65 && first <= 90) return isDigit ? ['klog'] : ['syslog', 'logfmt'];
  return head.includes('[') ? ['clf', 'logfmt'] : ['logfmt'];
}

/** Finds a line's level and time. `head` is its beginning in latin1; without a plausible time it is now. */
export function factsOf(head: string, format: LineFormat, given: TimeGiven): LineFacts {
  for (const guess of format === 'auto' ? guesses(head) : [format]) {
    const finding = READERS[guess](head, given);
    if (finding !== undefined) return finished(finding, guess, given);
  }
  return finished(READERS.plain(head, given) ?? { level: Level.UNSPECIFIED, timeMs: undefined }, 'plain', given);
}

function finished({ level, timeMs }: Finding, format: FoundFormat, { nowMs }: TimeGiven): LineFacts {
  return { level, timeMs: isPlausible(timeMs, nowMs) ? timeMs : nowMs, format };
}
