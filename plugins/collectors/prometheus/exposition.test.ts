import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOfSeries, kindOf, parseSeries, parseType, parseValue } from './exposition.ts';

const name = fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,20}$/);
const label = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,12}$/);
const value = fc.string({ unit: 'grapheme', maxLength: 20 });
const series = fc.record({ name, labels: fc.array(fc.tuple(label, value), { maxLength: 5 }) });
const blanks = fc.constantFrom('', ' ', '\t ');

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
const written = (one: { name: string; labels: [string, string][] }, gap: string): string => {
  const pairs = one.labels.map(([key, text]) => `${gap}${key}${gap}=${gap}"${escaped(text)}"${gap}`);
  return pairs.length === 0 ? one.name : `${one.name}${gap}{${pairs.join(',')}}`;
};

test('every series that can be written is read, with any blanks and an optional comma at the end', () => {
  fc.assert(
    fc.property(series, blanks, fc.boolean(), (one, gap, hasComma) => {
      const text = written(one, gap);
      const given = hasComma ? text.replace(/\}$/, ',}') : text;
      expect(parseSeries(given)).toEqual(one);
      const line = `${given} 1 2`;
      expect(endOfSeries(line, 0, line.length)).toBe(given.length);
    }),
  );
});

test('every finite number is read, and the words that are none', () => {
  const read = (text: string) => parseValue(`x ${text} 1700000000000`, 1, text.length + 16);
  fc.assert(
    fc.property(fc.double({ noDefaultInfinity: true, noNaN: true }), (n) => void expect(read(String(n))).toBe(n + 0)),
  );
  fc.assert(fc.property(fc.maxSafeInteger(), (n) => void expect(read(String(n))).toBe(n)));
  for (const [text, n] of [['+Inf', Infinity], ['-Inf', -Infinity], ['inf', Infinity], ['NaN', NaN], ['.5', 0.5], ['5.', 5], ['-1e+3', -1000]] as const) expect(read(text)).toBe(n); // prettier-ignore
  for (const text of ['', 'x', '0x10', '1_000', '1e', '--1', '1,5', 'Info']) expect([text, read(text)]).toEqual([text, text === '' ? 1_700_000_000_000 : undefined]); // prettier-ignore
});

test('no text at all makes a reader fail in another way than by saying that it is none', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseSeries(text);
      parseValue(text, 0, text.length);
      expect(endOfSeries(text, 0, text.length)).toBeLessThanOrEqual(text.length);
      kindOf(text, new Map());
      parseType(text);
    }),
  );
  for (const text of ['', '1x', 'a{', 'a{b}', 'a{b="c}', 'a{b="c" d="e"}', '{}', '{b="c"}', 'a{b="c"}x', 'a{"n"}'])
    expect([text, parseSeries(text)]).toEqual([text, undefined]);
});

test('a name in quotes may hold any letter', () => {
  expect(parseSeries('{"http.server.duration", "le.x"="1", route="/\\"a\\""}')).toEqual({
    name: 'http.server.duration',
    labels: [
      ['le.x', '1'],
      ['route', '/"a"'],
    ],
  });
});

test('a type says which samples of its family count, in both formats', () => {
  const types = new Map([['old_total', 'counter'], ['new', 'counter'], ['h', 'histogram'], ['s', 'summary'], ['g', 'gauge'], ['gh', 'gaugehistogram'], ['i', 'info'], ['st', 'stateset'], ['u', 'unknown']]); // prettier-ignore
  const counters = ['old_total', 'new_total', 'h_bucket', 'h_sum', 'h_count', 's_sum', 's_count', 'nobody_said_total'];
  const gauges = ['g', 's', 'gh_bucket', 'gh_gsum', 'gh_gcount', 'i_info', 'st', 'u', 'nobody_said', 'g_count'];
  expect(counters.filter((one) => kindOf(one, types) !== 'counter')).toEqual([]);
  expect(gauges.filter((one) => kindOf(one, types) !== 'gauge')).toEqual([]);
  for (const one of ['new_created', 'h_created', 's_created']) expect(kindOf(one, types)).toBe('none');
  expect(parseType('# TYPE http_requests_total counter')).toEqual({ family: 'http_requests_total', type: 'counter' });
  expect(parseType('# HELP TYPE x counter')).toBeUndefined();
});
