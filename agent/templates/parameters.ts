import { gapOf, isValue, textOf, type Template } from './template.ts';
import type { Tokens } from './scan.ts';

/** The values of a line that was scanned, in their order: views of its bytes. */
export function parametersOf(template: Template, tokens: Tokens, line: Buffer): Buffer[] {
  const values: Buffer[] = [];
  const { count, spacing, kind } = template;
  for (let at = 0; at <= count; at++) {
    const start = at === count ? line.length : (tokens.start[at] ?? 0);
    if (spacing[at] === 1) values.push(line.subarray(at === 0 ? 0 : tokens.end[at - 1], start));
    if (at < count && isValue(kind[at])) values.push(line.subarray(start, tokens.end[at]));
  }
  return values;
}

/** Puts values into a template: the line that they came from, byte for byte. */
export function fill(template: Template, values: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [];
  let next = 0;
  for (let at = 0; at <= template.count; at++) {
    parts.push(template.spacing[at] === 1 ? (values[next++] ?? EMPTY) : Buffer.from(gapOf(template, at), 'latin1'));
    if (at === template.count) break;
    parts.push(isValue(template.kind[at]) ? (values[next++] ?? EMPTY) : Buffer.from(textOf(template, at), 'latin1'));
  }
  return Buffer.concat(parts);
}

const EMPTY = new Uint8Array(0);
