import { Level } from '#proto/agent/v1/index.ts';

/** What is worked out of a line's beginning. */
export interface LineFacts {
  level: Level;
  timeMs: number;
}

/** Only this much of a line is looked at. */
const LOOK = 240;

const LEVELS: Readonly<Record<string, Level>> = {
  trace: Level.DEBUG, debug: Level.DEBUG, dbg: Level.DEBUG, d: Level.DEBUG,
  info: Level.INFO, notice: Level.INFO, information: Level.INFO, i: Level.INFO,
  warn: Level.WARN, warning: Level.WARN, w: Level.WARN,
  error: Level.ERROR, err: Level.ERROR, severe: Level.ERROR, e: Level.ERROR,
  fatal: Level.FATAL, crit: Level.FATAL, critical: Level.FATAL, alert: Level.FATAL, emerg: Level.FATAL, emergency: Level.FATAL, panic: Level.FATAL, f: Level.FATAL,
}; // prettier-ignore

/** `"level":"warn"` of JSON, `level=warn` of logfmt, and pino's and bunyan's numbers. */
const FIELD = /["']?(?:level|severity|lvl|loglevel|log\.level)["']?\s*[:=]\s*["']?(\w+)/i;
/** klog: `E0131 12:00:00.000000`. */
const KLOG = /^([IWEF])\d{4} \d\d:\d\d:\d\d/;
/** A level as a word of its own, as most programs write it near the beginning. */
const WORD =
  /(?:^|[\s[(<|:])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|CRIT|CRITICAL|ALERT|EMERG|PANIC|trace|debug|info|notice|warn|warning|error|fatal|critical|panic)(?=[\s\])>|:,]|$)/;
/** The priority of RFC 3164 and RFC 5424. */
const PRIORITY = /^<(\d{1,3})>/;
const BY_SEVERITY = [
  Level.FATAL,
  Level.FATAL,
  Level.FATAL,
  Level.ERROR,
  Level.WARN,
  Level.INFO,
  Level.INFO,
  Level.DEBUG,
];

function numbered(value: number): Level {
  if (value >= 60) return Level.FATAL;
  if (value >= 50) return Level.ERROR;
  if (value >= 40) return Level.WARN;
  return value >= 30 ? Level.INFO : Level.DEBUG;
}

function levelOf(head: string): Level {
  const priority = PRIORITY.exec(head);
  if (priority !== null) return BY_SEVERITY[Number(priority[1]) & 7] ?? Level.UNSPECIFIED;
  const field = FIELD.exec(head)?.[1];
  if (field !== undefined) {
    const number = Number(field);
    if (Number.isFinite(number)) return numbered(number);
    const known = LEVELS[field.toLowerCase()];
    if (known !== undefined) return known;
  }
  const letter = KLOG.exec(head)?.[1];
  const word = letter ?? WORD.exec(head)?.[1];
  return word === undefined ? Level.UNSPECIFIED : (LEVELS[word.toLowerCase()] ?? Level.UNSPECIFIED);
}

const ISO = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/;
/** `Jan 31 12:00:00` of RFC 3164: no year, local time. */
const SYSLOG = /^(?:<\d{1,3}>)?([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)/;
/** `31/Jan/2026:12:00:00 +0000` of web servers. */
const WEB = /(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)/;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const DAY_MS = 86_400_000;

/** The last time of RFC 3164 that was worked out: local time costs a microsecond, and lines come many to a second. */
let lastSyslog = { text: '', year: 0, timeMs: NaN };

function syslogTime(text: string, [, month = '', day, hour, minute, second]: RegExpExecArray, nowMs: number): number {
  const year = new Date(nowMs).getFullYear();
  if (lastSyslog.text !== text || lastSyslog.year !== year) {
    const timeMs = new Date(
      year,
      MONTHS.indexOf(month),
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    ).getTime();
    lastSyslog = { text, year, timeMs };
  }
  const { timeMs } = lastSyslog;
  // In January, a line of December belongs to the year before.
  return timeMs > nowMs + DAY_MS ? new Date(timeMs).setFullYear(year - 1) : timeMs;
}

function timeOf(head: string, nowMs: number): number | undefined {
  const iso = ISO.exec(head)?.[0];
  if (iso !== undefined) return Date.parse(iso.replace(' ', 'T').replace(',', '.'));
  const web = WEB.exec(head);
  if (web !== null) {
    const month = String(MONTHS.indexOf(web[2] ?? '') + 1).padStart(2, '0');
    return Date.parse(`${web[3]}-${month}-${web[1]}T${web[4]}${web[5]}:${web[6]}`);
  }
  const syslog = SYSLOG.exec(head);
  return syslog !== null && MONTHS.includes(syslog[1] ?? '') ? syslogTime(syslog[0], syslog, nowMs) : undefined;
}

/** A time this far off belongs to something else than the line. */
const PAST_MS = 7 * DAY_MS;
const FUTURE_MS = 60_000;

/** Finds a line's level and time near its beginning. Without a plausible time it is now. */
export function factsOf(line: string, nowMs: number): LineFacts {
  const head = line.length > LOOK ? line.slice(0, LOOK) : line;
  const time = timeOf(head, nowMs);
  const plausible = time !== undefined && time > nowMs - PAST_MS && time < nowMs + FUTURE_MS;
  return { level: levelOf(head), timeMs: plausible ? time : nowMs };
}
