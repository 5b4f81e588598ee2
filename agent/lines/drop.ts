import { Level } from '#proto/agent/v1/index.ts';

/** The levels that a rule may name, in rising order. */
export const LEVEL_NAMES = ['debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LevelName = (typeof LEVEL_NAMES)[number];

/** Which lines are left out. */
export interface DropRule {
  /** What the ledger counts it under. */
  rule: string;
  /** Those that fit this pattern. */
  pattern?: string;
  /** Those that are less than this. */
  below?: LevelName;
}

/** Gives the name of the rule that leaves an event out. `text` is made only where a pattern asks for it. */
export type DropEvent = (level: Level, text: () => string) => string | undefined;

const RANKS: Readonly<Record<LevelName, Level>> = {
  debug: Level.DEBUG,
  info: Level.INFO,
  warn: Level.WARN,
  error: Level.ERROR,
  fatal: Level.FATAL,
};

/** The name of a level. */
export function nameOfLevel(level: Level): LevelName | 'unknown' {
  return LEVEL_NAMES.find((name) => RANKS[name] === level) ?? 'unknown';
}

/** Prepares rules; a line must fit all that a rule says. A line whose level is unknown is below none. */
export function createDrop(rules: readonly DropRule[]): DropEvent | undefined {
  if (rules.length === 0) return undefined;
  const prepared = rules.map(({ rule, pattern, below }) => ({
    rule,
    pattern: pattern === undefined ? undefined : new RegExp(pattern, 'u'),
    limit: below === undefined ? undefined : RANKS[below],
  }));
  return (level, text) =>
    prepared.find(
      ({ pattern, limit }) =>
        (limit === undefined || (level !== Level.UNSPECIFIED && level < limit)) &&
        (pattern === undefined || pattern.test(text())),
    )?.rule;
}
