import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '#kit/log-lines.ts';
import { createManualClock } from '#kit/manual-clock.ts';
import { Level, type LogLine } from '#proto/agent/v1/index.ts';
import { createRedactor } from '../../redact/index.ts';
import type { FileCheckpoint } from '../../spool/index.ts';
import { DEFAULT_LINES, type LineSettings } from '../config.ts';
import { createLineCounts, createLines } from '../lines.ts';

const NOW = Date.UTC(2026, 0, 31, 12);
const PATH = '/var/log/pods/shop_web-1_6f9a/nginx/0.log';

/** A container's file that is read in pieces, and what would have been spooled. */
function createReader(settings: Partial<LineSettings> = {}, path = PATH) {
  const clock = createManualClock(NOW);
  const events: LogLine[] = [];
  const spooled = { offset: 0, lines: 0, bytes: 0, attributes: {} as Readonly<Record<string, string>> };
  const lines = createLines({
    settingsOf: () => ({ ...DEFAULT_LINES, ...settings }),
    redactor: createRedactor({ secrets: true, email: false, ip: false, patterns: [] }),
    clock,
    counts: createLineCounts(),
    addEvents({ events: encoded, lines: count, size, attributes = {}, checkpoint }) {
      events.push(...linesOf(path, encoded));
      spooled.offset = (checkpoint as FileCheckpoint).offset;
      spooled.lines += count;
      spooled.bytes += size;
      spooled.attributes = attributes;
    },
  });
  let offset = 0;
  return {
    clock,
    events,
    lines,
    spooled,
    seek: (to: number) => void (offset = to),
    read(bytes: Buffer | string, { isLast = false } = {}): void {
      const piece = { bytes: Buffer.from(bytes), cut: false };
      offset += piece.bytes.length;
      const checkpoint = { path, device: 1, inode: 2, fingerprint: '', fingerprintLength: 0, offset };
      lines.addLines({ path, piece, checkpoint, isLast });
    },
    texts: (): string[] => events.map(({ text }) => text),
  };
}

const cri = (text: string, { stream = 'stdout', tag = 'F', second = 0 } = {}): string =>
  `2026-01-31T11:59:${String(second).padStart(2, '0')}.123456789Z ${stream} ${tag} ${text}\n`;
const docker = (log: string, stream = 'stdout'): string =>
  `${JSON.stringify({ log, stream, time: '2026-01-31T11:59:00.123456789Z' })}\n`;

test('lines of either runtime have the time and the stream that it says, and the container’s attributes', () => {
  const reader = createReader();
  reader.read(cri('ready') + cri('ERROR no', { stream: 'stderr' }) + docker('{"level":"warn"}\n') + docker('\n'));
  reader.lines.stop();
  expect(reader.events).toMatchObject([
    { text: 'ready', timeMs: BigInt(NOW - 59_877), attributes: { 'log.iostream': 'stdout' } },
    { text: 'ERROR no', level: Level.ERROR, attributes: { 'log.iostream': 'stderr' } },
    { text: '{"level":"warn"}', level: Level.WARN, timeMs: BigInt(NOW - 59_877) },
    { text: '' },
  ]);
  expect(reader.spooled.attributes).toMatchObject({ 'k8s.pod.name': 'web-1', 'k8s.container.name': 'nginx' });
  expect(reader.spooled).toMatchObject({ lines: 4, bytes: reader.spooled.offset });
});

test('a trace is one event over several lines, though the other stream speaks between them', () => {
  const reader = createReader();
  reader.read(
    [
      cri('ERROR it failed', { second: 1 }),
      cri('access one', { stream: 'stderr' }),
      cri('java.lang.IllegalStateException: x'),
      cri('\tat a.b.C.d(C.java:1)'),
      cri('access two', { stream: 'stderr' }),
      cri('next'),
      cri('access three', { stream: 'stderr' }),
    ].join(''),
  );
  reader.lines.stop();
  expect(reader.texts()).toEqual([
    'ERROR it failed\njava.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:1)',
    'access one',
    'access two',
    'next',
    'access three',
  ]);
  expect(reader.events[0]?.timeMs).toBe(BigInt(NOW - 58_877));
  expect(reader.spooled).toMatchObject({ lines: 7, bytes: reader.spooled.offset });
});

test('a line that was written in parts is one line, however its parts are mixed with others', () => {
  const reader = createReader();
  reader.read(cri('one ', { tag: 'P' }) + cri('err', { stream: 'stderr' }) + cri('two ', { tag: 'P:x' }));
  expect(reader.texts()).toEqual([]);
  reader.read(cri('three') + docker('a'.repeat(16_384)) + docker('b\r\n'));
  reader.lines.stop();
  expect(reader.texts()).toEqual(['one two three', 'err', `${'a'.repeat(16_384)}b`]);
});

test('a part that the next one does not follow is kept for a minute, and for the next start when the agent stops', async () => {
  const reader = createReader();
  reader.read(cri('whole') + cri('half', { tag: 'P' }));
  await reader.clock.advance(5000);
  expect(reader.texts()).toEqual(['whole']);
  expect(reader.spooled.offset).toBe(cri('whole').length);
  reader.lines.stop();
  expect(reader.texts()).toEqual(['whole']);
  await reader.clock.advance(60_000);
  const other = createReader();
  other.read(cri('half', { tag: 'P' }));
  await other.clock.advance(60_000);
  expect(other.texts()).toEqual(['half']);
  const ended = createReader();
  ended.read(cri('half', { tag: 'P' }), { isLast: true });
  expect(ended.texts()).toEqual(['half']);
});

test('a line beyond 256 kB is cut and flagged, and what follows of it is a line of its own', () => {
  const reader = createReader();
  for (let n = 0; n < 20; n++) reader.read(cri('x '.repeat(8192), { tag: n === 19 ? 'F' : 'P' }));
  reader.lines.stop();
  expect(reader.events.map(({ text, truncated }) => [text.length, truncated])).toEqual([
    [16 * 16_384, true],
    [4 * 16_384, false],
  ]);
});

test('what is not wrapped is not left out', () => {
  const odd = [
    'no time stdout F x',
    '{"log":1}',
    '{"log":"half',
    '2026-01-31T11:59:00Z stdmid F x',
    '2026-13-31T99:00:00Z stdout F y',
  ];
  const reader = createReader({ multiline: { mode: 'off', flushSeconds: 1 } });
  reader.read(`${odd.join('\n')}\n2026-01-31T11:59:00Z stdout F\n`);
  reader.lines.stop();
  expect(reader.texts()).toEqual([...odd, '']);
  for (const container of ['docker', 'cri'] as const) {
    const forced = createReader({ container }, '/srv/app.log');
    forced.read(cri('a') + docker('b\n'));
    forced.lines.stop();
    const wanted = container === 'docker' ? [cri('a').trimEnd(), 'b'] : ['a', docker('b\n').trimEnd()];
    expect(forced.texts()).toEqual(wanted);
  }
});

test('only files of containers are unwrapped unless the settings say so', () => {
  for (const reader of [createReader({}, '/var/log/app.log'), createReader({ container: 'off' })]) {
    reader.read(cri('a'));
    reader.lines.stop();
    expect(reader.texts()).toEqual([cri('a').trimEnd()]);
  }
});

test('text that is no UTF-8, or latin1, harms no other line, and secrets of both streams are hidden', () => {
  const reader = createReader({ encoding: 'latin1' });
  reader.read(Buffer.concat([Buffer.from(cri('Größe'), 'latin1'), Buffer.from(docker('ü password=hunter2\n'))]));
  reader.read(cri('password=hunter3', { stream: 'stderr' }));
  reader.lines.stop();
  expect(reader.texts()[0]).toBe('Größe');
  expect(reader.texts().join('\n')).not.toMatch(/hunter/);
  expect(reader.spooled.offset).toBe(reader.spooled.bytes);
});

const PIECES = [
  cri('plain'),
  cri('ERROR it failed', { stream: 'stderr' }),
  cri('java.lang.IllegalStateException: x', { stream: 'stderr' }),
  cri('\tat a.b.C.d(C.java:1)', { stream: 'stderr' }),
  cri('Traceback (most recent call last):'),
  cri('  File "a.py", line 1, in f'),
  cri('ValueError: x'),
  cri(''),
  cri('part one ', { tag: 'P' }),
  cri('part two ', { tag: 'P' }),
  cri('err part ', { tag: 'P', stream: 'stderr' }),
  docker('a json line\n'),
  docker('half a json line'),
  'what is not wrapped\n',
];

test('however a container’s file is cut into pieces, wherever the agent is killed or stopped: the same lines, none lost, none twice', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
      fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { minLength: 1, maxLength: 3 }),
      (parts, sizes, ends) => {
        const bytes = Buffer.from(`${parts.join('')}${cri('end')}${cri('end', { stream: 'stderr' })}`);
        const whole = createReader();
        whole.read(bytes, { isLast: true });
        const collected: string[] = [];
        let place = 0;
        let counted = 0;
        // A stop ends an event that may go on, and a kill does not: only lines are compared.
        for (const [reads, isKilled] of [...ends, [Infinity, false] as const]) {
          const reader = createReader();
          let at = place;
          reader.seek(at);
          for (let n = 0; n < reads && at < bytes.length; n++) {
            let end = at;
            for (let lines = sizes.next().value; lines > 0 && end < bytes.length; lines--)
              end = bytes.indexOf(10, end) + 1;
            reader.read(bytes.subarray(at, end), { isLast: end === bytes.length && reads === Infinity });
            at = end;
          }
          if (!isKilled) reader.lines.stop();
          collected.push(...reader.texts());
          counted += reader.spooled.bytes;
          place = Math.max(place, reader.spooled.offset);
        }
        const linesOf = (events: readonly string[]): string[] => events.flatMap((text) => text.split('\n')).sort();
        expect(linesOf(collected)).toEqual(linesOf(whole.texts()));
        expect(counted).toBe(bytes.length);
      },
    ),
    { numRuns: 300 },
  );
});
