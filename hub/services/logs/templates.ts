import { createHash } from 'node:crypto';
import type { Logs } from '#proto/agent/v1/index.ts';
import type { LogLineWrite } from '../../ports/logstore.ts';

/** A kind of line that an agent tells of, or that lines of a batch are of. */
export interface ToldTemplate {
  id: string;
  /** Undefined where only its lines came. */
  text: string | undefined;
  /** Ids of those that turned out to be this one. */
  merged: readonly string[];
  /** Times of its lines in the batch, milliseconds since 1970; undefined where it has none there. */
  firstMs: number | undefined;
  lastMs: number | undefined;
}

/** Templates that a batch may tell of, and those that they may have taken in together; an agent has no reason for more. */
const MOST_TOLD = 2000;
const MOST_MERGED = 2000;
/** Characters of a template that are kept. */
const TEXT_LENGTH = 4096;
/** Parameters of a line that are kept, and their length together. */
const MOST_PARAMETERS = 64;
const PARAMETERS_LENGTH = 4096;

/** A template's id as people and stores write it; undefined for 0, which is none. */
export function templateId(id: bigint): string | undefined {
  return id === 0n ? undefined : id.toString(16).padStart(16, '0');
}

/** The id that a text must have: the first eight bytes of its SHA-256, little endian. */
export function idOfText(text: string): string | undefined {
  return templateId(createHash('sha256').update(text).digest().readBigUInt64LE(0));
}

/**
 * The parameters of a line: parts of its text by pairs of numbers (bytes of UTF-8 since the end of the one before, and its own). Undefined where there are none, or
 * where a span lies outside the text or within a character: then the line is kept without.
 */
export function parametersOf(text: string, spans: readonly number[]): string[] | undefined {
  if (spans.length === 0 || spans.length % 2 !== 0 || spans.length > 2 * MOST_PARAMETERS) return undefined;
  const bytes = Buffer.from(text);
  const isBoundary = (at: number): boolean => at === bytes.length || ((bytes[at] ?? 0) & 0xc0) !== 0x80;
  const parameters: string[] = [];
  let end = 0;
  let length = 0;
  for (let place = 0; place < spans.length; place += 2) {
    const at = end + (spans[place] ?? 0);
    end = at + (spans[place + 1] ?? 0);
    if (!(end <= bytes.length) || !isBoundary(at) || !isBoundary(end)) return undefined;
    length += end - at;
    if (length > PARAMETERS_LENGTH) return undefined;
    parameters.push(bytes.toString('utf8', at, end));
  }
  return parameters;
}

/** What a batch says of templates, bounded: those that it tells of, then those that its lines are of. A text that has another id is somebody's invention and is left out. */
export function templatesOf({ templates }: Logs, lines: readonly LogLineWrite[]): ToldTemplate[] {
  const told = new Map<string, ToldTemplate>();
  let left = MOST_MERGED;
  for (const { id: number, text, merged } of templates.slice(0, MOST_TOLD)) {
    const id = templateId(number);
    if (id === undefined || text === '' || idOfText(text) !== id) continue;
    const others = merged.slice(0, left).flatMap((one) => templateId(one) ?? []);
    // PostgreSQL's texts hold no NUL.
    const kept = text.replaceAll('\0', '').slice(0, TEXT_LENGTH);
    left -= others.length;
    const taken = others.filter((one) => one !== id);
    told.set(id, { id, text: kept, merged: taken, firstMs: undefined, lastMs: undefined });
  }
  for (const { template, timeMs } of lines) {
    if (template === undefined) continue;
    const known = told.get(template);
    if (known === undefined && told.size >= 2 * MOST_TOLD) continue;
    const { text, merged = [], firstMs = timeMs, lastMs = timeMs } = known ?? { text: undefined };
    told.set(template, {
      ...{ id: template, text, merged },
      ...{ firstMs: Math.min(firstMs, timeMs), lastMs: Math.max(lastMs, timeMs) },
    });
  }
  return [...told.values()];
}

/** The template that stands for each: itself, or the one that took it in, however many steps away. Circles, which only a broken agent makes, end at their first. */
export function standsFor(mergedInto: ReadonlyMap<string, string>): (id: string) => string {
  return (id) => {
    const seen = new Set([id]);
    let at = id;
    for (let next = mergedInto.get(at); next !== undefined; next = mergedInto.get(at)) {
      if (seen.has(next)) {
        const circle = [...seen].slice([...seen].indexOf(next));
        return circle.reduce((least, one) => (one < least ? one : least));
      }
      seen.add(next);
      at = next;
    }
    return at;
  };
}
