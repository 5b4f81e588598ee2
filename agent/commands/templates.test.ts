import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { writeTemplates, type TemplatesOptions } from './templates.ts';

const scratch: string[] = [];
afterEach(() => scratch.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function fileOf(name: string, text: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'outrider-templates-test-'));
  scratch.push(folder);
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function run(options: Partial<TemplatesOptions> & { file: string }, input = ''): Promise<string> {
  const parts: Buffer[] = [];
  const output = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part);
      setImmediate(done);
    },
  });
  const all = { column: undefined, out: undefined, plain: false, summary: false, json: false, ...options };
  await writeTemplates(all, { input: Readable.from([Buffer.from(input)]), output, progress: undefined });
  return Buffer.concat(parts).toString();
}

const LOG = ['ada', 'ben', 'cleo', 'dan'].map((user, n) => `session of user ${user} took ${n} ms\r\n`).join('');

test('writes a row for each line, with what its template has become by the end', async () => {
  const rows = (await run({ file: fileOf('a.log', `${LOG}restart, "now"`) })).trimEnd().split('\n');
  expect(rows[0]).toBe('LineId,EventId,EventTemplate');
  expect(rows.slice(1, 5).map((row) => row.replace(/,[0-9a-f]{16},/, ','))).toEqual(
    [1, 2, 3, 4].map((line) => `${line},session of user <*> took <duration>`),
  );
  expect(rows[5]).toMatch(/^5,[0-9a-f]{16},"restart, ""now"""$/);
});

test('reads a column of CSV, with quotes and lines in it, and writes every wildcard as benchmarks do', async () => {
  const text = '\ufeffLineId,Content,"Level"\r\n1,"a 7, ""b""\nc",x\n2,,y\n3,a 8,z';
  const rows = await run({ file: fileOf('a.csv', text), column: 'Content', plain: true });
  expect(rows.replace(/,[0-9a-f]{16},/g, ',')).toBe(
    'LineId,EventId,EventTemplate\n'.replace('EventId,', 'EventId,') + '1,"a <*>, ""b"" c"\n2,\n3,a <*>\n',
  );
});

test('sums up: lines, first and last of them, an example, the most frequent first', async () => {
  const summary = JSON.parse(await run({ file: '-', summary: true, json: true }, `start\n${LOG}start\nend`)) as {
    lines: number;
    templates: { template: string; lines: number; first: number; last: number; example: string }[];
  };
  expect(summary.lines).toBe(7);
  expect(summary.templates.map(({ template, lines, first, last }) => [template, lines, first, last])).toEqual([
    ['session of user <*> took <duration>', 4, 2, 5],
    ['start', 2, 1, 6],
    ['end', 1, 7, 7],
  ]);
  expect(summary.templates[0]?.example).toBe('session of user ada took 0 ms');
  expect(await run({ file: '-', summary: true }, 'start\nstart')).toContain('2 lines, 1 templates');
});

test('writes JSON, an object for each line', async () => {
  const rows = (await run({ file: '-', json: true }, 'a 1\n\nb')).trimEnd().split('\n');
  expect(rows.map((row) => (JSON.parse(row) as { line: number; template: string }).template)).toEqual([
    'a <num>',
    '',
    'b',
  ]);
});

test('a line belongs to what its template has become also when templates were forgotten since', async () => {
  const words = (n: number): string => n.toString(26).replace(/[0-9]/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '');
  const lines = Array.from({ length: 9000 }, (_, n) => `${words(n * 7919 + 1e6)} ${words(n * 104_729 + 1e6)} ended`);
  const rows = (await run({ file: '-', plain: true }, lines.join('\n'))).trimEnd().split('\n').slice(1);
  expect(rows).toHaveLength(lines.length);
  rows.forEach((row, at) => {
    const template = row.slice(row.lastIndexOf(',') + 1);
    const pattern = new RegExp(`^${template.replaceAll('<*>', '.*')}$`);
    expect(lines[at]).toMatch(pattern);
  });
});

test('says what it cannot read or write, and leaves nothing behind', async () => {
  const left = (): string[] => readdirSync(tmpdir()).filter((name) => /^outrider-templates-(?!test)/.test(name));
  const before = left().length;
  const csv = fileOf('a.csv', 'Line,Level\n1,x');
  await expect(run({ file: '/nowhere/a.log' })).rejects.toThrow('there is no file /nowhere/a.log');
  await expect(run({ file: tmpdir() })).rejects.toThrow('is a folder');
  await expect(run({ file: csv, column: 'Content' })).rejects.toThrow(
    'has no column Content; it has Line, Level. Name one of them with --column',
  );
  await expect(run({ file: csv, out: csv })).rejects.toThrow('is the file that is read');
  await expect(run({ file: csv, out: '/nowhere/b.csv' })).rejects.toThrow('/nowhere/b.csv cannot be written');
  expect(readFileSync(csv, 'utf8')).toBe('Line,Level\n1,x');
  expect(left().length).toBeLessThanOrEqual(before);
});

test('refuses what is no text', async () => {
  const packed = fileOf('a.log.gz', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]));
  await expect(run({ file: packed })).rejects.toThrow('a.log.gz holds bytes that no text has');
});

test('writes to a file where one is named', async () => {
  const out = join(fileOf('a.log', ''), '..', 'out.csv');
  expect(await run({ file: '-', out }, 'a 1\nb')).toBe('');
  expect(readFileSync(out, 'utf8').split('\n')).toHaveLength(4);
});
