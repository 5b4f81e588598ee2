import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { FIRST_MASK } from './kinds.ts';
import { VALUE } from './words.ts';
import type { Scanner } from './scan.ts';
import { isValue, templateOf, type Template } from './template.ts';

const Saved = Type.Object({
  version: Type.Literal(1),
  lines: Type.Integer({ minimum: 0 }),
  templates: Type.Array(
    Type.Object({
      number: Type.Integer({ minimum: 1 }),
      line: Type.String({ maxLength: 8192 }),
      /** A character for each token: its kind, from `A` on. */
      kinds: Type.String({ maxLength: 256 }),
      /** A digit for each token: 1 it was found to be a value, 2 its details differ, 3 both. */
      found: Type.String({ maxLength: 256 }),
      /** A digit for each gap: 1 its white space differs. */
      spacing: Type.String({ maxLength: 256 }),
      lines: Type.Integer({ minimum: 0 }),
      first: Type.Integer({ minimum: 0 }),
      seen: Type.Integer({ minimum: 0 }),
    }),
    { maxItems: 8192 },
  ),
});

/** What a miner needs to go on after a restart; can be written as JSON. */
export type SavedTemplates = Static<typeof Saved>;

/** True for what `save` of this version gave. */
export const isSaved = (value: unknown): value is SavedTemplates => Value.Check(Saved, value);

export function savedOf(templates: readonly Template[], lines: number): SavedTemplates {
  return {
    version: 1,
    lines,
    templates: templates.map((one) => ({
      number: one.number,
      line: one.line,
      kinds: String.fromCharCode(...one.kind.map((kind) => kind + 65)),
      found: Array.from(one.open, (open, at) => open + 2 * (one.loose[at] ?? 0)).join(''),
      spacing: one.spacing.join(''),
      lines: one.lines,
      first: one.first,
      seen: one.seen,
    })),
  };
}

/** The templates of a saved state: none where it is not one, and without those that the scanner reads otherwise by now. */
export function restoredOf(saved: unknown, scanner: Scanner): Template[] {
  if (saved === undefined || !Value.Check(Saved, saved)) return [];
  return saved.templates.flatMap((one) => {
    const bytes = Buffer.from(one.line, 'latin1');
    scanner.scan(bytes, 0, bytes.length);
    const template = templateOf(scanner.tokens, one.line, one.number);
    const { count } = template;
    if (one.kinds.length !== count || one.found.length !== count || one.spacing.length !== count + 1) return [];
    for (let at = 0; at < count; at++) {
      template.kind[at] = one.kinds.charCodeAt(at) - 65;
      const found = one.found.charCodeAt(at) - 48;
      template.open[at] = found & 1;
      template.loose[at] = found >> 1;
      if (isValue(template.kind[at]) && (template.kind[at] ?? 0) >= FIRST_MASK) template.hash[at] = VALUE;
    }
    for (let at = 0; at <= count; at++) template.spacing[at] = one.spacing.charCodeAt(at) - 48;
    template.lines = one.lines;
    template.first = one.first;
    template.seen = one.seen;
    return [template];
  });
}
