import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMiner, fill, idOf, plainTextOf, rootOf, textOfTemplate, type Miner, type Template } from './index.ts';

const take = (miner: Miner, line: string | Buffer): Template => {
  const bytes = typeof line === 'string' ? Buffer.from(line) : line;
  return miner.take(bytes, 0, bytes.length);
};

/** The templates of lines, after all of them were seen. */
function mined(lines: readonly string[]): string[] {
  const miner = createMiner();
  lines.forEach((line) => take(miner, line));
  miner.settle();
  return miner.templates().map(textOfTemplate).sort();
}

test.each([
  ['Connection from 10.2.3.4 port 4711', 'Connection from <ip> port <num>'],
  ['job 6f9619ff-8b86-d011-b42d-00c04fc964ff took 12.5 ms', 'job <uuid> took <duration>'],
  ['read 1190 bytes (1.16 KB) from /var/lib/app/7.db', 'read <size> from <path>'],
  ['page fault at 0x7ffee4 of 00:11:43:e3:ba:c3', 'page fault at <hex> of <mac>'],
  ['2026-01-31T07:05:59.123Z INFO ready', '<time> INFO ready'],
  ['[Sun Dec 04 04:47:44 2005] [notice] child 6725 is up', '[<time>] [notice] child <num> is up'],
  ['GET https://shop.example.com/items?id=7 answered 200', 'GET https://<url> answered <num>'],
  ['resolved db-1.example.com to fe80::1%eth0', 'resolved <host> to <ip>%eth0'],
  ['retry=true last=null', 'retry=<flag> last=<flag>'],
  ['disks 1 2 3 4 5 6 are fine', 'disks <list> are fine'],
  ['session opened for user root by (uid=0)', 'session opened for user <user> by (uid=<num>)'],
  ['what says <num> or <ws> is a value', 'what says <*> or <*> is a value'],
])('finds the values of %j', (line, template) => {
  expect(mined([line])).toEqual([template]);
});

test('takes a word for a value where enough others stand in its place', () => {
  const lines = ['ada', 'ben', 'cleo', 'dan'].map((user) => `session of user ${user} was closed`);
  expect(mined(lines)).toEqual(['session of user <*> was closed']);
});

test('keeps words apart that only few others stand in for', () => {
  const lines = ['Starting the worker', 'Stopping the worker', 'Restarting the worker'];
  expect(mined(lines)).toEqual([...lines].sort());
});

test('takes nothing for a value like any other: an empty place and a filled one are one template', () => {
  expect(mined(['connection from 10.0.0.1 () at 7', 'connection from 10.0.0.2 (10.0.0.9) at 9'])).toEqual([
    'connection from <ip> (<*>) at <num>',
  ]);
});

test('writes wildcards as benchmarks do where that is asked for', () => {
  const miner = createMiner();
  const template = take(miner, 'Received block blk_-35217 of 64 bytes from /10.1.2.3:50010 and  10.1.2.4');
  expect(plainTextOf(template)).toBe('Received block <*> of <*> bytes from <*>:<*> and <*>');
});

const word = fc.oneof(
  fc.constantFrom(
    'error',
    'from',
    'user',
    'root',
    'of',
    '(',
    ')',
    '()',
    '[',
    ']',
    '=',
    'a=',
    '"',
    'x="b c"',
    '<num>',
    '<*>',
    '<1 sec',
  ),
  fc.constantFrom(' ', '  ', '\t', ', ', ': ', '..', '/', '-', '://', '@', '#'),
  fc.nat().map(String),
  fc.nat().map((n) => `0x${n.toString(16)}`),
  fc.ipV4(),
  fc.ipV6(),
  fc.uuid(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string({ maxLength: 12, unit: 'grapheme' }),
  fc.nat(9).map((n) => `node${n}`),
  fc.constantFrom(
    '12 ms',
    '3 bytes (1 KB)',
    '1 2 3 4 5 6',
    'core.2275',
    'C:\\x\\y',
    './run/it',
    '3:04',
    'Jun 17 07:07:00 2005',
  ),
);
const line = fc
  .array(word, { maxLength: 30 })
  .chain((words) => fc.constantFrom('', ' ').map((between) => words.join(between)));

/** Fills a template of which nothing but its text is known. */
function filledText(text: string, values: readonly Buffer[]): string {
  let next = 0;
  return text.replace(/<(?:\*|[a-z]+)>/g, (found) => (WILDCARD.test(found) ? String(values[next++]) : found));
}
const WILDCARD = /^<(?:\*|num|ip|hex|uuid|mac|time|path|url|flag|user|host|size|duration|list|ws)>$/;

test('a template filled with the values of a line is that line, byte for byte, also when it has changed since', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 40 }), (lines) => {
      const miner = createMiner();
      for (const round of [1, 2]) {
        for (const text of lines) {
          const bytes = Buffer.from(text);
          const template = miner.take(bytes, 0, bytes.length);
          const values = miner.parameters(template);
          expect(fill(template, values).toString()).toBe(text);
          expect(filledText(textOfTemplate(template), values)).toBe(text);
        }
        if (round === 1) miner.settle();
      }
    }),
    { numRuns: 400 },
  );
});

test('bytes that are no text come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (lines) => {
      const miner = createMiner();
      for (const bytes of lines.map((one) => Buffer.from(one))) {
        const template = miner.take(bytes, 0, bytes.length);
        expect(fill(template, miner.parameters(template)).equals(bytes)).toBe(true);
      }
    }),
  );
});

test('what stands behind a line says nothing of it', () => {
  fc.assert(
    fc.property(line, line, (text, behind) => {
      const [one, other] = [createMiner(), createMiner()];
      const bytes = Buffer.from(text);
      const alone = one.take(bytes, 0, bytes.length);
      const followed = other.take(Buffer.from(text + behind), 0, bytes.length);
      expect(textOfTemplate(followed)).toBe(textOfTemplate(alone));
    }),
    { numRuns: 2000 },
  );
});

test('the order of lines changes no template', () => {
  const shapes = fc.constantFrom(
    (n: number, name: string) => `user ${name} signed in from 10.0.0.${n % 250}`,
    (n: number, name: string) => `request ${n} of host ${name} took ${n % 97} ms`,
    (n: number) => `worker ${n % 8} has stopped`,
    (n: number) => `worker ${n % 8} has started with code=${n % 3 === 0 ? 'none' : n}`,
  );
  const name = fc.stringMatching(/^[a-z]{3,8}$/);
  const lines = fc.array(
    fc.tuple(shapes, fc.nat(9999), name).map(([shape, n, text]) => shape(n, text)),
    {
      minLength: 20,
      maxLength: 80,
    },
  );
  fc.assert(
    fc.property(
      lines.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        expect(mined(shuffled)).toEqual(mined(all));
      },
    ),
    { numRuns: 60 },
  );
});

test('the id of a template is the same wherever its text is', () => {
  const [one, other] = [createMiner(), createMiner()];
  take(other, 'something else came first');
  const [mine, theirs] = [take(one, 'disk 1 is full'), take(other, 'disk 22 is full')];
  expect(idOf(mine)).toBe(idOf(theirs));
  expect(idOf(mine)).toMatch(/^[0-9a-f]{16}$/);
  expect(idOf(take(one, 'disk 1 is fine'))).not.toBe(idOf(mine));
});

test('a restart goes on with what was known', () => {
  const miner = createMiner();
  for (const user of ['ada', 'ben', 'cleo', 'dan']) take(miner, `user ${user} took  ${user.length} ms`);
  take(miner, 'user ada took 3 ms');
  miner.settle();
  const next = createMiner(JSON.parse(JSON.stringify(miner.save())) as ReturnType<Miner['save']>);
  expect(next.templates().map(idOf)).toEqual(miner.templates().map(idOf));
  const bytes = Buffer.from('user eve took   9 s');
  const template = next.take(bytes, 0, bytes.length);
  expect(textOfTemplate(template)).toBe('user <*> took<ws><duration>');
  expect(next.templates()).toHaveLength(1);
});

test.each([[undefined], [7], [{ version: 2 }], [{ version: 1, lines: 0, templates: [{ number: 1 }] }]])(
  'a state that is none (%j) makes an empty miner',
  (saved) => {
    expect(createMiner(saved as never).templates()).toEqual([]);
  },
);

test('hostile lines are bounded in what they cost and come back whole', () => {
  const hostile = [
    'x'.repeat(256_000),
    '1 '.repeat(128_000),
    'a b '.repeat(64_000),
    '/'.repeat(256_000),
    'a='.repeat(128_000),
    '("'.repeat(128_000),
    'k="'.repeat(85_000),
    '<1'.repeat(128_000),
    ':'.repeat(256_000),
    'ab:'.repeat(85_000),
    `x${'é'.repeat(128_000)}`,
    '',
    ' ',
    '\r',
  ];
  const miner = createMiner();
  for (const text of hostile) {
    const bytes = Buffer.from(text);
    const template = miner.take(bytes, 0, bytes.length);
    const values = miner.parameters(template);
    expect(values.length).toBeLessThan(300);
    expect(template.line.length).toBeLessThan(5000);
    expect(fill(template, values).equals(bytes)).toBe(true);
    for (const value of values) expect(value.toString('utf8')).not.toContain('\ufffd');
  }
});

test('lines that have nothing in common do not make it grow', () => {
  const forgotten: number[] = [];
  const miner = createMiner(undefined, { forgotten: ({ number }) => forgotten.push(number) });
  let seed = 7;
  const random = (): string => {
    seed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return (seed >>> 0).toString(36).replace(/\d/g, 'q');
  };
  for (let n = 0; n < 12_000; n++) take(miner, `${random()} ${random()} of ${random()}`);
  expect(miner.templates().length).toBeLessThanOrEqual(4096);
  expect(new Set(forgotten).size).toBe(forgotten.length);
});

test('what was taken for several templates is told when it becomes one', () => {
  const merged: Template[] = [];
  const miner = createMiner(undefined, { merged: (template) => merged.push(template) });
  const taken = ['ada', 'ben', 'cleo'].map((user) => take(miner, `hello user ${user} again`));
  miner.settle();
  expect(merged).toHaveLength(2);
  expect(new Set(taken.map(rootOf))).toEqual(new Set(miner.templates()));
});
