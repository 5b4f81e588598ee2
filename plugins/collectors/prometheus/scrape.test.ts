import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createScrapeReader, type Scrape, type ScrapeRules } from './scrape.ts';

const rules = (more: Partial<ScrapeRules> = {}): ScrapeRules => ({ labels: { job: 'shop' }, keep: [], drop: [], maxSeries: 1000, ...more }); // prettier-ignore

function told(scrape: Scrape): string[] {
  const lines: string[] = [];
  scrape.tell((metric, value, attributes) => {
    const { name, kind } = metric as { name: string; kind: string };
    lines.push(`${kind} ${name} ${JSON.stringify(attributes)} ${value}`);
  });
  return lines;
}

test('both formats are read: timestamps, exemplars, comments and empty lines are skipped', () => {
  const text = [
    '# HELP a_total What "# TYPE a_total gauge" means.',
    '# TYPE a_total counter',
    '',
    'a_total{code="200"} 5 1700000000000',
    '# TYPE h histogram',
    'h_bucket{le="+Inf"} 7 # {trace_id="x"} 0.5 1700000000.1',
    'h_created 1700000000.1',
    'g NaN',
    '# EOF',
  ].join('\n');
  expect(told(createScrapeReader(rules())(text))).toEqual([
    'counter a_total {"code":"200","job":"shop"} 5',
    'counter h_bucket {"le":"+Inf","job":"shop"} 7',
    'gauge g {"job":"shop"} NaN',
  ]);
});

test('labels of the target win, and the endpoint’s own of that name are renamed; an empty one is none', () => {
  expect(told(createScrapeReader(rules())('a{job="other",b=""} 1\n'))).toEqual([
    'gauge a {"exported_job":"other","job":"shop"} 1',
  ]);
});

test('names are kept and left out by globs', () => {
  const read = createScrapeReader(rules({ keep: ['http_*', 'up'], drop: ['*_bucket'] }));
  for (let n = 0; n < 2; n += 1) {
    const scrape = read('http_a 1\nhttp_b_bucket 2\nupper 3\nup 4\ngo.x 5\n'.replace('go.x', 'go_x'));
    expect(told(scrape)).toEqual(['gauge http_a {"job":"shop"} 1', 'gauge up {"job":"shop"} 4']);
    expect([scrape.samples, scrape.kept, scrape.overflow]).toEqual([5, 2, 0]);
  }
});

test('series beyond the limit, and labels that are too long or too many, are left out and counted in each scrape', () => {
  const read = createScrapeReader(rules({ maxSeries: 2 }));
  const many = Array.from({ length: 65 }, (_, n) => `l${n}="x"`).join(',');
  const text = `a{l="${'x'.repeat(1025)}"} 1\nb{${many}} 1\nc 1\nd 2\ne 3\n`;
  for (let n = 0; n < 2; n += 1) {
    const scrape = read(text);
    expect(told(scrape)).toEqual(['gauge c {"job":"shop"} 1', 'gauge d {"job":"shop"} 2']);
    expect([scrape.samples, scrape.kept, scrape.overflow]).toEqual([5, 2, 3]);
  }
});

test('series that are gone make room for others after a while', () => {
  const read = createScrapeReader(rules({ maxSeries: 1 }));
  read('a 1\n');
  expect(read('b 1\n').overflow).toBe(1);
  for (let n = 0; n < 61; n += 1) read('b 1\n');
  expect(told(read('b 2\n'))).toEqual(['gauge b {"job":"shop"} 2']);
});

test('a line that is no sample is a fault that names its line, and the next answer is read again', () => {
  const read = createScrapeReader(rules());
  expect(() => read('a 1\n<html>\n')).toThrow('line 2 of the answer');
  expect(() => read('a 1\nb\n')).toThrow('line 2 of the answer has no value');
  expect(() => read('a 1\nb{c="d 1\n')).toThrow('line 2 of the answer is no sample');
  expect(told(read('a 2\n'))).toEqual(['gauge a {"job":"shop"} 2']);
});

test('a type that changes changes the kind of the series with the next answer', () => {
  const read = createScrapeReader(rules());
  const as = (type: string) => [0, 1].map(() => told(read(`# TYPE a ${type}\na 1\n`))).at(-1) ?? [];
  expect([as('gauge'), as('counter'), as('gauge')].flat().map((line) => line.split(' ')[0])).toEqual(['gauge', 'counter', 'gauge']); // prettier-ignore
});

test('a steady target gives the same objects in each scrape, wherever its lines stand', () => {
  const read = createScrapeReader(rules());
  const objects = (text: string): Map<string, unknown[]> => {
    const found = new Map<string, unknown[]>();
    read(text).tell((metric, _value, attributes) => found.set((metric as { name: string }).name, [metric, attributes]));
    return found;
  };
  const first = objects('a{x="1"} 1\nb 2\nc 3\n');
  for (const text of ['a{x="1"} 5\nb 6\nc 7\n', 'c 3\na{x="1"} 1\nd 1\nb 2\n', 'b 2\nc 3\n']) {
    for (const [name, [metric, attributes]] of objects(text)) {
      if (name === 'd') continue;
      expect(metric).toBe(first.get(name)?.[0]);
      expect(attributes).toBe(first.get(name)?.[1]);
    }
  }
});

test('whatever was read before, an answer says the same as to a reader that never read one', () => {
  const line = fc.constantFrom('a 1', 'a 2', 'a_b 1', 'b{x="1"} 1', 'b{x="2"} 1', 'b {x="1"} 3', '# TYPE a counter', '# TYPE a gauge', '# TYPE b counter', '# HELP a x', '', 'c_total 1 5'); // prettier-ignore
  const family = (text: string): string => (text.startsWith('# TYPE') ? (text.split(' ')[2] ?? '') : '');
  const once = (text: string, n: number, all: readonly string[]): boolean =>
    family(text) === '' || all.findIndex((other) => family(other) === family(text)) === n;
  const answer = fc.array(line, { maxLength: 8 }).map((lines) => lines.filter(once).join('\n'));
  fc.assert(
    fc.property(fc.array(answer, { minLength: 1, maxLength: 6 }), (answers) => {
      const read = createScrapeReader(rules());
      const last = answers.at(-1) ?? '';
      for (const text of [...answers, last]) read(text);
      // Types stay known from one answer to the next, so the fresh reader is told them too.
      const types = answers.flatMap((text) => text.split('\n').filter((one) => one.startsWith('# TYPE')));
      const fresh = createScrapeReader(rules());
      fresh(types.join('\n'));
      fresh(last);
      expect(told(read(last))).toEqual(told(fresh(last)));
    }),
  );
});
