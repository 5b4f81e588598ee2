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

/**
 * Where the values of a line that was scanned stand: for each the bytes since the end of the one before, then its own, written to `out`, which must hold
 * `2 * MOST_PLACES` numbers. Returns how many values there are.
 */
export function placesOf(template: Template, tokens: Tokens, length: number, out: Uint32Array): number {
  const { count, spacing, kind } = template;
  let found = 0;
  let last = 0;
  const put = (from: number, to: number): void => {
    out[2 * found] = from - last;
    out[2 * found + 1] = to - from;
    found += 1;
    last = to;
  };
  for (let at = 0; at <= count; at++) {
    const start = at === count ? length : (tokens.start[at] ?? 0);
    if (spacing[at] === 1) put(at === 0 ? 0 : (tokens.end[at - 1] ?? 0), start);
    if (at < count && isValue(kind[at])) put(start, tokens.end[at] ?? start);
  }
  return found;
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
