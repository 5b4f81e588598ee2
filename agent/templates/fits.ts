import { FIRST_MASK, KIND } from './kinds.ts';
import type { Tokens } from './scan.ts';
import type { Template } from './template.ts';

/** Where a line lies in bytes, and the place in them that is looked at. */
export interface Lying {
  bytes: Buffer;
  from: number;
  to: number;
  at: number;
}

const squeezed = (text: string): string => text.replace(/[\0- \x7f]+/g, ' ');

/** Whether text from `start` to `end` is what stands at the place. */
function isText(text: string, start: number, end: number, { bytes, at }: Lying): boolean {
  for (let n = start; n < end; n++) if (text.charCodeAt(n) !== bytes[at + n - start]) return false;
  return true;
}

/** Whether two gaps differ in white space only; notes it. */
function isRespaced(template: Template, at: number, mine: string, other: string): boolean {
  const isLast = at === template.count;
  const [one, two] = [squeezed(mine), squeezed(other)];
  if (isLast ? one.trimEnd() !== two.trimEnd() : one !== two) return false;
  template.spacing[at] = 1;
  template.id = undefined;
  return true;
}

/** Notes what is new about a value. */
function meet(template: Template, at: number, tokens: Tokens): void {
  const kind = template.kind[at];
  if (kind !== tokens.kind[at] && kind !== KIND.any) {
    template.kind[at] = KIND.any;
    template.id = undefined;
  }
  if (template.detail[at] !== tokens.detail[at]) template.loose[at] = 1;
}

/** Whether the constants of a template stand in a line. Notes where its white space and the kinds of its values differ. */
export function fits(template: Template, tokens: Tokens, lying: Lying): boolean {
  const { count, place, kind, line, spacing } = template;
  const { from, bytes } = lying;
  if (count !== tokens.count) return false;
  let own = 0;
  let theirs = 0;
  for (let at = 0; at <= count; at++) {
    const ownEnd = at === count ? line.length : (place[at * 2] ?? 0);
    const theirEnd = at === count ? lying.to - from : (tokens.start[at] ?? 0);
    if (spacing[at] === 0) {
      lying.at = from + theirs;
      const isSame = ownEnd - own === theirEnd - theirs && isText(line, own, ownEnd, lying);
      const other = isSame ? '' : bytes.toString('latin1', from + theirs, from + theirEnd);
      if (!isSame && !isRespaced(template, at, line.slice(own, ownEnd), other)) return false;
    }
    if (at === count) break;
    own = place[at * 2 + 1] ?? 0;
    theirs = tokens.end[at] ?? 0;
    const of = kind[at] ?? 0;
    if (of >= FIRST_MASK || of === KIND.user) meet(template, at, tokens);
    else {
      lying.at = from + theirEnd;
      if (own - ownEnd !== theirs - theirEnd || !isText(line, ownEnd, own, lying)) return false;
    }
  }
  return true;
}
