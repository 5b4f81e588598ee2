import { RegExpParser, type AST } from '@eslint-community/regexpp';
import { LEVEL_NAMES, type LineSettings } from '../lines/index.ts';

type Rule = LineSettings['drop'][number];

/** Texts that a pattern which fits every line fits. */
const LINES = ['a', '0', '!', ' ', 'ERROR a 0!'];

const fitsAll = (pattern: string): boolean => LINES.every((line) => new RegExp(pattern, 'u').test(line));

/** True where a `^` comes after something, or something after a `$`: no event fits that. */
function isImpossible({ elements }: AST.Alternative): boolean {
  const takes = elements.map((one) => one.type !== 'Assertion' && !(one.type === 'Quantifier' && one.min === 0));
  return elements.some((one, at) => {
    if (one.type !== 'Assertion') return false;
    if (one.kind === 'start') return takes.slice(0, at).includes(true);
    return one.kind === 'end' && takes.slice(at + 1).includes(true);
  });
}

/** True of a pattern that no event can fit. */
export function fitsNothing(pattern: string): boolean {
  const tree = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(pattern, 0, pattern.length, { unicode: true });
  return tree.alternatives.every(isImpossible);
}

const rank = ({ below }: Rule): number => (below === undefined ? Infinity : LEVEL_NAMES.indexOf(below));

/** True where all that one rule drops is dropped by another. */
const covers = (other: Rule, rule: Rule): boolean =>
  rank(other) >= rank(rule) &&
  (other.pattern === undefined ||
    other.pattern === rule.pattern ||
    (rank(other) === Infinity && fitsAll(other.pattern)));

/** What is odd about a pattern by itself; `all` says what becomes of lines when every one fits it. */
export function warningsOfPattern(pattern: string, place: string, all: string | undefined): string[] {
  if (fitsNothing(pattern)) return [`${place}: no line can fit it: ^ is a line’s beginning and $ its end`];
  return all !== undefined && fitsAll(pattern) ? [`${place}: fits every line, so ${all}`] : [];
}

/** Rules that drop nothing, and those that drop everything. */
export function warningsOfRules(rules: readonly Rule[], place: string): string[] {
  return rules.flatMap((rule, index) => {
    const at = `${place}.${index}`;
    const { pattern, below } = rule;
    const first = rules.slice(0, index).find((other) => covers(other, rule));
    if (first !== undefined)
      return [`${at}: drops nothing, because the rule ${first.rule} before it drops all that it would drop`];
    if (below === 'debug') return [`${at}.below: drops nothing, because no level is below debug`];
    if (pattern === undefined) return [];
    return warningsOfPattern(pattern, `${at}.pattern`, below === undefined ? 'all of them are dropped' : undefined);
  });
}
