import { Level } from '#proto/agent/v1/index.ts';

const LEVELS: Readonly<Record<string, Level>> = {
  trace: Level.DEBUG, trc: Level.DEBUG, vrb: Level.DEBUG, debug: Level.DEBUG, dbg: Level.DEBUG, d: Level.DEBUG, verbose: Level.DEBUG, fine: Level.DEBUG, finer: Level.DEBUG, finest: Level.DEBUG, config: Level.DEBUG, debug1: Level.DEBUG,
  info: Level.INFO, inf: Level.INFO, notice: Level.INFO, information: Level.INFO, i: Level.INFO, log: Level.INFO,
  warn: Level.WARN, wrn: Level.WARN, warning: Level.WARN, w: Level.WARN,
  error: Level.ERROR, err: Level.ERROR, severe: Level.ERROR, e: Level.ERROR,
  fatal: Level.FATAL, ftl: Level.FATAL, crit: Level.FATAL, critical: Level.FATAL, alert: Level.FATAL, emerg: Level.FATAL, emergency: Level.FATAL, panic: Level.FATAL, dpanic: Level.FATAL, f: Level.FATAL,
}; // prettier-ignore

/** Syslog's severities, from 0. */
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

/** Where fatal, error, warn and info begin. */
const PINO = [60, 50, 40, 30] as const;
const MONOLOG = [500, 400, 300, 200] as const;

/** A level as a word of its own, as most programs write it near the beginning. */
const WORD =
  /(?:^|[\s[(<|:])(TRACE|TRC|DEBUG|DBG|VRB|INFO|INF|WRN|FTL|NOTICE|WARN|WARNING|ERROR|ERR|SEVERE|FATAL|CRIT|CRITICAL|ALERT|EMERG|PANIC|LOG|trace|debug|info|notice|warn|warning|error|crit|fatal|critical|panic)(?=[\s\])>|:,[]|$)/;
/** `[core:error]` of Apache, `app.CRITICAL:` of Monolog. */
const QUALIFIED =
  /[[.\w](?::|\.)(debug|info|notice|warn|error|crit|alert|emerg|DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY)[\]:]/;

/** `[Warning]` of MySQL and others; without brackets it may be any word of a sentence. */
const BRACKETED = /[[(](Debug|Information|Info|Warning|Warn|Error|Critical|Fatal)[\])]/;
/** `level=warn` after a date or the name of a program; what stands in quotes is a text. */
const FIELD =
  /[\s,;](?:[\w.]{0,20}level|lvl|levelname|severity)=(?:"([A-Za-z]{1,11})"|([A-Za-z]{1,11}|\d{1,3})(?=[\s,;]|$))/;

/** As they are mostly written: to look one up costs less than to make a word small, for each line. */
const BY_WORD = new Map(
  Object.entries(LEVELS).flatMap(([word, level]): [string, Level][] => [
    [word, level],
    [word.toUpperCase(), level],
  ]),
);

/** The level that a word means. */
export function levelNamed(word: string): Level {
  return BY_WORD.get(word) ?? BY_WORD.get(word.toLowerCase()) ?? Level.UNSPECIFIED;
}

/** The level of a syslog severity. */
export function levelOfSeverity(severity: number): Level {
  return BY_SEVERITY[severity] ?? Level.UNSPECIFIED;
}

/** The level that a number means: syslog's 0 to 7 (GELF), 10 to 60 of pino and bunyan, 100 to 600 of Monolog. */
export function levelNumbered(value: number): Level {
  if (value < 8) return levelOfSeverity(value);
  const [fatal, error, warn, info] = value >= 100 ? MONOLOG : PINO;
  if (value >= fatal) return Level.FATAL;
  if (value >= error) return Level.ERROR;
  if (value >= warn) return Level.WARN;
  return value >= info ? Level.INFO : Level.DEBUG;
}

/** The level that a field's value means, a word or a number. */
export function levelOfField(value: string): Level {
  const number = value === '' ? NaN : Number(value);
  return Number.isFinite(number) ? levelNumbered(number) : levelNamed(value);
}

/** The level that stands as a word in a line's beginning. */
export function levelInText(head: string): Level {
  const found = WORD.exec(head);
  // A message may hold such a word too: what comes first counts.
  const field = head.includes('=') ? FIELD.exec(head) : null;
  if (field !== null && (found === null || field.index < found.index)) return levelOfField(field[1] ?? field[2] ?? '');
  const word = found?.[1] ?? QUALIFIED.exec(head)?.[1] ?? BRACKETED.exec(head)?.[1];
  return word === undefined ? Level.UNSPECIFIED : levelNamed(word);
}
