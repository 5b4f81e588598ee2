import type { Attributes } from '#sdk';

/** What a program tells in StatsD's own letters: a counter, a gauge, a timer (also as histogram or distribution) or a set. */
export type SampleType = 'counter' | 'gauge' | 'timer' | 'set';

/** What one line told. */
export interface Sample {
  name: string;
  type: SampleType;
  /** As they were written: numbers, but for a set anything. A gauge's with a sign is a change. */
  values: readonly string[];
  /** Share of the occasions that were sent, above 0 and at most 1. */
  rate: number;
  attributes: Attributes;
}

/** What a packet held. */
export interface ParsedPacket {
  samples: Sample[];
  malformed: number;
  /** DogStatsD's events and service checks, which are no metrics. */
  unsupported: number;
}

const TYPES: Readonly<Record<string, SampleType>> = {
  c: 'counter',
  g: 'gauge',
  ms: 'timer',
  h: 'timer',
  d: 'timer',
  s: 'set',
};

/** Longer names and tags are cut, more tags are left out: a packet must not make series that the hub would refuse. */
const MOST_CHARACTERS = 200;
const MOST_TAGS = 30;
const MOST_VALUES = 1000;

const NUMBER = /^[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?$/;
const NAME = /^[\p{L}\p{N}_./~-][\p{L}\p{N}_./~ -]*$/u;

function tagsIn(text: string): Attributes {
  const pairs = text
    .split(',')
    .filter((tag) => tag !== '')
    .slice(0, MOST_TAGS)
    .map((tag): [string, string] => {
      const at = tag.indexOf(':');
      const [key, value] = at <= 0 ? [tag, 'true'] : [tag.slice(0, at), tag.slice(at + 1)];
      return [key.slice(0, MOST_CHARACTERS), value.slice(0, MOST_CHARACTERS)];
    });
  return Object.fromEntries(pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function rateIn(text: string): number | undefined {
  const rate = NUMBER.test(text) ? Number(text) : NaN;
  return rate > 0 && rate <= 1 ? rate : undefined;
}

function parseLine(line: string): Sample | undefined {
  const [head = '', letters = '', ...parts] = line.split('|');
  const [name = '', ...values] = head.split(':');
  const type = Object.hasOwn(TYPES, letters) ? TYPES[letters] : undefined;
  if (type === undefined || !NAME.test(name) || values.length === 0 || values.length > MOST_VALUES) return undefined;
  if (type === 'set' ? values.includes('') : !values.every((value) => NUMBER.test(value))) return undefined;
  const told = parts.find((part) => part.startsWith('@'));
  const rate = told === undefined ? 1 : rateIn(told.slice(1));
  if (rate === undefined) return undefined;
  const tags = parts.find((part) => part.startsWith('#'))?.slice(1) ?? '';
  return { name: name.slice(0, MOST_CHARACTERS), type, values, rate, attributes: tagsIn(tags) };
}

/** Reads a packet of StatsD lines, with DogStatsD's tags, types and packed values. Other parts of a line are passed over. */
export function parsePacket(text: string): ParsedPacket {
  const parsed: ParsedPacket = { samples: [], malformed: 0, unsupported: 0 };
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') continue;
    const sample = parseLine(line);
    if (sample !== undefined) parsed.samples.push(sample);
    else if (/^_(e\{|sc\|)/.test(line)) parsed.unsupported++;
    else parsed.malformed++;
  }
  return parsed;
}
