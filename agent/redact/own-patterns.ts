import { createContext, runInContext } from 'node:vm';
import { RegExpParser, visitRegExpAST, type AST } from '@eslint-community/regexpp';
import { reasonOf } from '#sdk';

/** A text of this length must be looked through in `PATIENCE_MS`: linear time takes a hundredth of it, quadratic time several times as much. */
const LENGTH = 30_000;
const PATIENCE_MS = 150;
/** A machine under load may be late: a pattern is refused when it is late so often. */
const TRIES = 3;
/** Texts that a pattern is tried with at most. */
const TEXTS = 60;
/** A repeat of fewer than this cannot take long by itself. */
const FEW = 8;

/** A character that a class holds. */
function memberOf(element: AST.Node): string {
  switch (element.type) {
    case 'Character':
      return String.fromCodePoint(element.value);
    case 'CharacterClassRange':
      return String.fromCodePoint(element.min.value);
    case 'CharacterClass':
      return element.negate ? 'a' : memberOf(element.elements[0] ?? element.parent);
    case 'CharacterSet':
      return element.kind === 'digit' ? '0' : element.kind === 'space' ? ' ' : 'a';
    default:
      return 'a';
  }
}

/** Short texts that a part of a pattern fits, one for each of its alternatives. */
function samplesOf(node: AST.Node): string[] {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.flatMap(samplesOf);
    case 'Alternative':
      return [node.elements.map((element) => samplesOf(element)[0] ?? '').join('')];
    case 'Quantifier':
      return samplesOf(node.element).map((sample) => sample.repeat(Math.min(Math.max(node.min, 1), 100)));
    case 'Assertion':
    case 'Backreference':
      return [''];
    default:
      return [memberOf(node)];
  }
}

/** What comes before a part, as short as it can be. */
function prefixOf(node: AST.Node): string {
  const { parent } = node;
  if (parent === null) return '';
  if (parent.type !== 'Alternative') return prefixOf(parent);
  const before = parent.elements.slice(0, parent.elements.indexOf(node as AST.Element));
  return prefixOf(parent) + before.map((element) => samplesOf(element)[0] ?? '').join('');
}

/** Texts that make a pattern try most: each of its repeats many times, and then something that fits nothing. */
function attacksOn(pattern: AST.Pattern): { repeated: string; text: string }[] {
  const attacks: { repeated: string; text: string }[] = [];
  const add = (prefix: string, repeated: string): void => {
    if (repeated === '' || attacks.length >= TEXTS) return;
    const count = Math.ceil(LENGTH / repeated.length);
    attacks.push({ repeated, text: `${prefix}${repeated.repeat(count)}\u0000` });
  };
  visitRegExpAST(pattern, {
    onQuantifierEnter(node) {
      if (node.max < FEW) return;
      for (const sample of samplesOf(node.element)) {
        add(prefixOf(node), sample);
        add('', sample);
      }
    },
  });
  for (const sample of samplesOf(pattern)) add('', sample);
  return attacks;
}

/** True when a pattern looks through a text in time. The virtual machine's limit ends what would not. */
function isInTime(regexp: RegExp, text: string): boolean {
  const context = createContext({ regexp, text });
  for (let n = 0; n < TRIES; n++) {
    try {
      runInContext('text.replace(regexp, "")', context, { timeout: PATIENCE_MS });
      return true;
    } catch {
      // Too late, this time.
    }
  }
  return false;
}

/** What a parser of regular expressions says, without the pattern and flags that nobody wrote: `Unterminated group`. */
const faultOfParser = (error: unknown): string => reasonOf(error).replace(/^Invalid regular expression: .*: /s, '');

/**
 * Says why a regular expression of the settings is refused; undefined when it is sound. It is tried with texts that are made
 * to hold it up, so that no line can.
 */
export function patternFault(pattern: string, ignoreCase = false): string | undefined {
  const flags = ignoreCase ? 'giu' : 'gu';
  let regexp: RegExp;
  let tree: AST.Pattern;
  try {
    regexp = new RegExp(pattern, flags);
    tree = new RegExpParser({ ecmaVersion: 2025 }).parsePattern(pattern, 0, pattern.length, { unicode: true });
  } catch (error) {
    return `/${pattern}/ is no regular expression: ${faultOfParser(error)}`;
  }
  if (new RegExp(pattern, flags).test('')) return `/${pattern}/ fits the empty text, and so every place of a line`;
  const slow = attacksOn(tree).find(({ text }) => !isInTime(regexp, text));
  if (slow === undefined) return undefined;
  return `/${pattern}/ takes too long on a line that repeats ${JSON.stringify(slow.repeated)}; give its repeats a limit, as in {1,100}, and put no repeat into another`;
}
