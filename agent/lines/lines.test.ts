import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '#kit/log-lines.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { Level, type LogLine } from '#proto/agent/v1/index.ts';
import { createRedactor } from '../redact/index.ts';
import type { FileCheckpoint } from '../spool/index.ts';
import { DEFAULT_LINES, type LineSettings } from './config.ts';
import { createLineCounts, createLines, type TailedLines } from './lines.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const PATH = '/var/log/app.log';

/** A file that is read in pieces, and what would have been spooled. */
function createReader(settings: Partial<LineSettings> = {}) {
  const clock = createManualClock(NOW);
  const events: LogLine[] = [];
  const spooled = { offset: 0, lines: 0 };
  const counts = createLineCounts();
  const lines = createLines({
    settingsOf: () => ({ ...DEFAULT_LINES, ...settings }),
    redactor: createRedactor({ secrets: true, email: false, ip: false, patterns: [] }),
    clock,
    counts,
    addEvents({ path, events: encoded, lines: count, checkpoint }) {
      events.push(...linesOf(path, encoded));
      spooled.offset = (checkpoint as FileCheckpoint).offset;
      spooled.lines += count;
    },
  });
  let offset = 0;
  const read = (bytes: Buffer | string, more: { cut?: boolean; isLast?: boolean; inode?: number } = {}): void => {
    const { cut = false, isLast = false, inode = 2 } = more;
    const piece = { bytes: Buffer.from(bytes), cut };
    offset += piece.bytes.length;
    const checkpoint = { path: PATH, device: 1, inode, fingerprint: '', fingerprintLength: 0, offset };
    lines.addLines({ path: PATH, piece, checkpoint, isLast } satisfies TailedLines);
  };
  return {
    clock,
    counts,
    events,
    lines,
    read,
    spooled,
    seek: (to: number) => void (offset = to),
    texts: (): string[] => events.map(({ text }) => text),
  };
}
function textsOf(text: string | Buffer, settings: Partial<LineSettings> = {}): string[] {
  const reader = createReader(settings);
  reader.read(text);
  reader.lines.stop();
  return reader.texts();
}
const OFF: Partial<LineSettings> = { multiline: { mode: 'off', flushSeconds: 1 } };

test('lines end at a newline, with or without a carriage return, and empty ones count', () => {
  for (const settings of [{}, OFF])
    expect(textsOf('one\r\ntwo\n\n\r\nfive\n', settings)).toEqual(['one', 'two', '', '', 'five']);
});

test('the last line of a file that ended may lack its newline', () => {
  const reader = createReader();
  reader.read('one\ntwo', { isLast: true });
  expect(reader.texts()).toEqual(['one', 'two']);
});

test('bytes that are no UTF-8 become the replacement character, and harm no other line', () => {
  const bytes = Buffer.concat([Buffer.from('é\n'), Buffer.from([0x61, 0xff, 0x62, 10]), Buffer.from('ü\n')]);
  expect(textsOf(bytes)).toEqual(['é', 'a\uFFFDb', 'ü']);
});

test('a line that is too long is cut and flagged, between characters and not inside a word that may be half a secret', () => {
  const reader = createReader();
  reader.read(`${'ü'.repeat(200_000)}\n${'ab '.repeat(87_400)}ghp_0123456789\nshort\n`);
  reader.lines.stop();
  const [whole, words, other] = reader.events;
  expect(whole).toMatchObject({ truncated: true, text: 'ü'.repeat(131_072) });
  expect(words?.truncated).toBe(true);
  expect(words?.text.endsWith('ab ')).toBe(true);
  expect(other).toMatchObject({ text: 'short', truncated: false });
  reader.read(Buffer.from('xy zü').subarray(0, 5), { cut: true });
  expect(reader.events.at(-1)).toMatchObject({ text: 'xy ', truncated: true });
});

test('each line has its level and time', () => {
  const reader = createReader();
  reader.read('2026-01-31T11:00:00.250Z ERROR boom\nno more\n');
  reader.lines.stop();
  expect(reader.events).toMatchObject([
    { level: Level.ERROR, timeMs: BigInt(NOW - 3_599_750) },
    { level: Level.UNSPECIFIED, timeMs: BigInt(NOW) },
  ]);
});

test('an event that may go on is held back with its place, and goes on in the next piece', () => {
  const reader = createReader();
  reader.read('one\nError: boom\n');
  expect(reader.texts()).toEqual(['one']);
  expect(reader.spooled).toEqual({ offset: 4, lines: 1 });
  reader.read('    at f (/app/a.js:1:2)\n');
  expect(reader.spooled.offset).toBe(4);
  reader.read('next\n');
  expect(reader.texts()).toEqual(['one', 'Error: boom\n    at f (/app/a.js:1:2)']);
  expect(reader.spooled.lines).toBe(3);
  reader.lines.stop();
  expect(reader.spooled.offset).toBe('one\nError: boom\n    at f (/app/a.js:1:2)\nnext\n'.length);
});

test('an event that nothing was added to for a second is whole', async () => {
  const reader = createReader();
  reader.read('Error: boom\n');
  await reader.clock.advance(900);
  reader.read('    at f (/app/a.js:1:2)\n');
  await reader.clock.advance(900);
  expect(reader.texts()).toEqual([]);
  await reader.clock.advance(200);
  expect(reader.texts()).toEqual(['Error: boom\n    at f (/app/a.js:1:2)']);
});

test('what is held back of a file that was truncated stays an event of its own', () => {
  const reader = createReader();
  reader.read('Error: boom\n');
  reader.seek(0);
  reader.read('    at f (/app/a.js:1:2)\nnext\n', {});
  reader.lines.stop();
  expect(reader.texts()).toEqual(['Error: boom', '    at f (/app/a.js:1:2)', 'next']);
});

test('two files of one name do not mix', () => {
  const reader = createReader();
  reader.read('Error: old\n', { inode: 2 });
  reader.read('Error: new\n', { inode: 3 });
  reader.read('    at g (/app/b.js:1:2)\n', { inode: 3 });
  reader.lines.stop();
  expect(reader.texts()).toEqual(['Error: old', 'Error: new\n    at g (/app/b.js:1:2)']);
});

test('an event ends at a thousand lines and at 256 kB', () => {
  const frames = (count: number, length: number): string => `\tat ${'x'.repeat(length)}\n`.repeat(count);
  const many = textsOf(`Exception in thread "main" a.BError: c\n${frames(1500, 10)}`);
  expect(many.map((text) => text.split('\n').length)).toEqual([1000, 501]);
  const long = textsOf(`Exception in thread "main" a.BError: c\n${frames(400, 1000)}`);
  expect(long).toHaveLength(2);
  expect(long.every((text) => text.length < 263_000)).toBe(true);
});

test('indented lines, or all up to a first line, are joined where the settings say so', () => {
  const indented = { multiline: { mode: 'indent' as const, flushSeconds: 1 } };
  expect(textsOf('a\n b\n\tc\nd\n', indented)).toEqual(['a\n b\n\tc', 'd']);
  const started = { multiline: { mode: 'start' as const, start: '^\\d{4}-', flushSeconds: 1 } };
  expect(textsOf('x\n2026-01 a\nb\n\nc\n2026-02 d\n', started)).toEqual(['x', '2026-01 a\nb\n\nc', '2026-02 d']);
});

test('UTF-16 and latin1 become text, and what is held back of them has its place in their bytes', () => {
  const text = 'Größe\nError: ü\n';
  const little = createReader({ encoding: 'utf-16le' });
  little.read(Buffer.from(`\uFEFF${text}`, 'utf16le'));
  expect(little.texts()).toEqual(['Größe']);
  expect(little.spooled.offset).toBe(2 + 2 * 6);
  const big = createReader({ encoding: 'utf-16be' });
  big.read(Buffer.from(text, 'utf16le').swap16());
  expect(big.spooled.offset).toBe(2 * 6);
  const latin = createReader({ encoding: 'latin1' });
  latin.read(Buffer.from(text, 'latin1'));
  expect(latin.spooled.offset).toBe(6);
  for (const reader of [little, big, latin]) {
    reader.lines.stop();
    expect(reader.texts()).toEqual(['Größe', 'Error: ü']);
  }
});

test('lines that a rule names, or that are of too low a level, are left out and counted', () => {
  const drop = [
    { rule: 'health', pattern: 'GET /health' },
    { rule: 'debug', below: 'info' as const },
  ];
  const reader = createReader({ drop });
  reader.read('GET /health 200\nDEBUG x\nINFO GET /\nlevel unknown\n');
  reader.lines.stop();
  expect(reader.texts()).toEqual(['INFO GET /', 'level unknown']);
  expect([...reader.counts.drops]).toEqual([['health', 1], ['debug', 1]]); // prettier-ignore
  expect(reader.spooled.offset).toBe('GET /health 200\nDEBUG x\nINFO GET /\nlevel unknown\n'.length);
});

const PIECES = [
  'plain\n',
  '2026-01-31T12:00:00Z ERROR it failed\n',
  'Traceback (most recent call last):\n',
  '  File "a.py", line 1, in f\n',
  'ValueError: x\n',
  '\n',
  'During handling of the above exception, another exception occurred:\n',
  'panic: boom\n',
  'goroutine 1 [running]:\n',
  'main.f(0x1)\n',
  '\t/a.go:1 +0x1\n',
  'java.lang.IllegalStateException: x\n',
  '\tat a.b.C.d(C.java:1)\n',
  'Caused by: a.BException: y\n',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n',
  'password=hunter2 é\n',
];

test('however a file is cut into pieces, wherever the agent is killed: the same events, none lost, none twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
      fc.integer({ min: 0, max: 8 }),
      (parts, sizes, killAfter) => {
        const whole = createReader();
        whole.read(parts.join(''));
        whole.lines.stop();
        const collected: string[] = [];
        let place = 0;
        for (const kills of [killAfter, Infinity]) {
          const reader = createReader();
          const bytes = Buffer.from(parts.join(''));
          let at = place;
          reader.seek(at);
          for (let n = 0; n < kills && at < bytes.length; n++) {
            let end = at;
            for (let lines = sizes.next().value; lines > 0 && end < bytes.length; lines--)
              end = bytes.indexOf(10, end) + 1;
            reader.read(bytes.subarray(at, end));
            at = end;
          }
          if (kills === Infinity) reader.lines.stop();
          collected.push(...reader.texts());
          place = Math.max(place, reader.spooled.offset);
        }
        expect(collected).toEqual(whole.texts());
        expect(collected.join('\n')).not.toMatch(/hunter2|MIIEvQ/);
      },
    ),
  );
});
